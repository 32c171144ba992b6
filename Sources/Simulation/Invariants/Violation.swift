package import StepwellModel

/// An invariant that did not hold.
package struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
    /// The invariant's name.
    package var invariant: String
    package var message: String
    /// The last event before the break.
    package var number: SequenceNumber

    package var description: String { "\(invariant): \(message) (after event \(number))" }
}
