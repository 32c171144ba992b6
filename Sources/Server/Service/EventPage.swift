import StepwellHistory
import StepwellLog
import StepwellModel

/// A piece of the log as server-sent events.
struct EventPage: Sendable {
    private(set) var bytes: [UInt8] = []
    /// Where each event's text ends.
    private(set) var ends: [(number: SequenceNumber, offset: Int)] = []
    /// The last event that was looked at.
    private(set) var last: SequenceNumber
    /// How many were looked at, also of those that are not for the client.
    private(set) var count = 0

    private static let recordsMax = 256
    /// What is read at once ends with the record that passes this: a stream holds little more than its largest event.
    private static let bytesMax = 256 << 10

    /// Reads what follows a number, of one task or of all, as far as somebody may see it.
    init(
        _ store: LMDBLog, task: TaskID?, after number: SequenceNumber, _ namespaces: NamespaceScope,
        _ facts: inout TaskFacts
    ) throws {
        last = number
        try store.followedEvents(of: task, after: number) { record in
            count += 1
            last = record.number
            if try namespaces.includes(record.task, store) {
                let steps = try facts.steps(of: record.task)
                bytes += "id: \(record.number.rawValue)\nevent: \(record.event.type.name)\ndata: ".utf8
                bytes += EventJSON.line(record) { steps?[$0] }
                bytes += "\n\n".utf8
                ends.append((record.number, bytes.count))
            }
            return count < Self.recordsMax && bytes.count < Self.bytesMax
        }
    }

    /// The events after a number.
    func bytes(after number: SequenceNumber) -> ArraySlice<UInt8> {
        bytes[(ends.last { $0.number <= number }?.offset ?? 0)...]
    }
}
