package import StepwellKernel
package import StepwellModel

/// What must hold of every event, whatever was decided. The ledger stands before the event.
package protocol EventInvariant: Sendable {
    static var name: String { get }
    /// What is wrong with the event; nil if nothing is.
    static func fault(in record: EventRecord, after ledger: Ledger) -> String?
}

/// What must hold of the state between two turns. The ledger stands at the same event.
package protocol StateInvariant: Sendable {
    static var name: String { get }
    static func fault(in content: StateContent, at ledger: Ledger) -> String?
}

/// All that reads along.
package enum Invariants {
    package static let ofEvents: [any EventInvariant.Type] = [
        GapFree.self, TimeOrder.self, Causes.self, Consequences.self, ClosedTasks.self, Dependencies.self,
        OneResult.self, Adoption.self,
        Attempts.self, Leases.self, Workers.self, Pauses.self, LimitsHold.self, Waits.self, Order.self,
    ]

    package static let ofStates: [any StateInvariant.Type] = [
        OpenTasks.self, Counts.self, StepStates.self, Timers.self, BusyWorkers.self, NothingIdles.self,
    ]

    /// The first fault that an event has.
    package static func check(_ record: EventRecord, after ledger: Ledger) throws(Violation) {
        for invariant in ofEvents {
            if let fault = invariant.fault(in: record, after: ledger) {
                throw Violation(invariant: invariant.name, message: fault, number: record.number)
            }
        }
    }

    /// The first fault that a state has.
    package static func check(_ content: StateContent, at ledger: Ledger) throws(Violation) {
        for invariant in ofStates {
            if let fault = invariant.fault(in: content, at: ledger) {
                throw Violation(invariant: invariant.name, message: fault, number: ledger.last)
            }
        }
        try checkDebts(ledger)
    }

    /// At the end of a turn nothing is owed.
    private static func checkDebts(_ ledger: Ledger) throws(Violation) {
        guard let debt = ledger.owed.first else { return }
        throw Violation(invariant: Consequences.name, message: debt.fault, number: ledger.last)
    }
}
