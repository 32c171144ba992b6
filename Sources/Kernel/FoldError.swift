public import StepwellModel

/// Why an event cannot follow the events before it: the log is damaged, or was written by other rules.
public struct FoldError: StepwellError, Hashable {
    public var number: SequenceNumber
    public var reason: String

    public var code: String { "illegal_event" }
    public var message: String { "event \(number) cannot follow the events before it: \(reason)" }
    public var cure: String? { "keep a copy of the store, then restore a backup; nothing was changed" }
}
