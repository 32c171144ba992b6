package import StepwellLog
package import StepwellModel

/// How an event is written as one line.
package enum EventForm: String, CaseIterable, Sendable {
    case json
    /// For people.
    case text
    /// One event of CloudEvents 1.0.
    case cloudevents
}

/// Writes the events of a store as lines, each without its end.
package struct EventLines {
    private let form: EventForm
    private var facts: TaskFacts
    /// Only CloudEvents have it.
    private let storeID: String

    package init(_ form: EventForm, from store: any StoreQueries) throws {
        self.form = form
        facts = TaskFacts(reader: store)
        storeID = form == .cloudevents ? try store.writerID() : ""
    }

    package mutating func line(_ record: EventRecord) throws -> [UInt8] {
        let steps = try facts.steps(of: record.task)
        switch form {
        case .json: return EventJSON.line(record) { steps?[$0] }
        case .text: return Array(record.line(steps).utf8)
        case .cloudevents:
            let correlationID = try facts.correlationID(of: record.task)
            return CloudEventJSON.line(record, storeID: storeID, correlationID: correlationID) { steps?[$0] }
        }
    }
}

extension EventType {
    /// Whether events of this type tell what a reader of a cron mail wants to know; facts that only repeat what the decision after
    /// them says are left out.
    package var isTransition: Bool {
        switch self {
        case .stepEnqueued, .attemptSucceeded, .retryDue, .attemptStopped, .stepReset, .attemptCheckpointed,
            .stepAdopted:
            false
        default: true
        }
    }
}
