package import StepwellModel

/// A batch's events as bytes, one after the other, as the hash chain reads them.
package struct EncodedBatch: ~Copyable {
    private var writer = CBORWriter()
    /// Where each event ends.
    private var ends: [Int] = []
    private var hasher = CommitHasher()

    package init() {}

    package var bytes: [UInt8] { writer.bytes }
    package var count: Int { ends.count }

    /// Encodes events that follow `head` and returns the head after them. Refuses a batch that does not follow: a gap in the
    /// numbers, or a time that goes back.
    package mutating func encode(_ events: [EventRecord], after head: LogHead) throws(LogError) -> LogHead {
        writer.removeAll()
        ends.removeAll(keepingCapacity: true)
        guard !events.isEmpty else { return head }
        var number = head.number
        var time = head.time
        for event in events {
            guard event.number == number.next, event.time >= time else {
                let expected = SequenceNumber(event.number.rawValue &- 1)
                throw .unexpectedHead(expected: expected, found: number)
            }
            number = event.number
            time = event.time
            EventCodec.encode(event, into: &writer)
            ends.append(writer.bytes.count)
        }
        return LogHead(number: number, time: time, hash: hash(events, after: head.hash))
    }

    private mutating func hash(_ events: [EventRecord], after previous: [UInt8]) -> [UInt8] {
        hasher.begin(after: previous, form: .runs)
        writer.bytes.withRawBytes { bytes in
            var start = 0
            for (event, end) in zip(events, ends) {
                hasher.add(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), of: event.task)
                start = end
            }
        }
        return hasher.finish()
    }

    /// The bytes of each event, in order.
    package func forEach<Failure>(_ body: (UnsafeRawBufferPointer) throws(Failure) -> Void) throws(Failure) {
        try writer.bytes.withRawBytes { bytes throws(Failure) in
            var start = 0
            for end in ends {
                try body(UnsafeRawBufferPointer(rebasing: bytes[start..<end]))
                start = end
            }
        }
    }
}
