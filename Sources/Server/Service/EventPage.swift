import StepwellHistory
import StepwellLog
import StepwellModel

/// A piece of the log as server-sent events.
struct EventPage: Sendable {
    var bytes: [UInt8] = []
    /// Where each event's text ends.
    private(set) var ends: [(number: SequenceNumber, offset: Int)] = []
    /// The last event that was looked at.
    private(set) var last: SequenceNumber
    /// How many were looked at, also of those that are not for the client.
    private(set) var count = 0
    /// Whether there was no more to read.
    private(set) var isAtEnd = true

    private static let recordsMax = 256
    /// What is read at once ends with the record that passes this: a stream holds little more than its largest event.
    private static let bytesMax = 256 << 10

    /// Reads what follows a number, of one task or of all, as far as somebody may see it.
    init(
        _ store: LMDBLog, task: TaskID?, after number: SequenceNumber, until end: SequenceNumber? = nil,
        _ namespaces: NamespaceScope, _ lines: inout EventLines
    ) throws {
        last = number
        try store.followedEvents(of: task, after: number) { record in
            if let end, record.number > end { return false }
            count += 1
            last = record.number
            if try namespaces.includes(record.task, store) {
                bytes += "id: \(record.number.rawValue)\nevent: \(record.event.type.name)\n".utf8
                for line in try lines.line(record).split(separator: Self.lineEnd, omittingEmptySubsequences: false) {
                    bytes += "data: ".utf8
                    bytes += line
                    bytes.append(Self.lineEnd)
                }
                bytes.append(Self.lineEnd)
                ends.append((record.number, bytes.count))
            }
            isAtEnd = count < Self.recordsMax && bytes.count < Self.bytesMax
            return isAtEnd
        }
    }

    private static let lineEnd = UInt8(ascii: "\n")

    /// The events after a number.
    func bytes(after number: SequenceNumber) -> ArraySlice<UInt8> {
        bytes[(ends.last { $0.number <= number }?.offset ?? 0)...]
    }
}
