import StepwellModel
import Testing

@testable import StepwellLog

struct EventCodecTests {
    @Test("every event comes back as it was written", arguments: EventType.allCases)
    func roundTrip(_ type: EventType) throws {
        var generator = SeededGenerator(seed: UInt64(type.number))
        for _ in 0..<300 {
            let record = generator.record(type)
            #expect(try decode(encode(record), number: record.number) == record)
        }
    }

    @Test("without payloads the same event comes with null in their place", arguments: EventType.allCases)
    func skippingPayloads(_ type: EventType) throws {
        var generator = SeededGenerator(seed: UInt64(type.number) + 1000)
        for _ in 0..<100 {
            let record = generator.record(type)
            let skipped = try decode(encode(record), number: record.number, payloads: .skipped)
            #expect(skipped == withoutPayloads(record))
        }
    }

    @Test("an event that is cut short is refused, wherever it is cut", arguments: EventType.allCases)
    func truncation(_ type: EventType) {
        var generator = SeededGenerator(seed: UInt64(type.number) + 2000)
        for _ in 0..<10 {
            let record = generator.record(type)
            let whole = encode(record)
            for count in 0..<whole.count {
                #expect(throws: LogError.self) { try decode(Array(whole[..<count]), number: record.number) }
            }
            #expect(throws: LogError.self) { try decode(whole + [0], number: record.number) }
        }
    }

    @Test("one flipped bit is always refused", arguments: EventType.allCases)
    func oneBitFlipped(_ type: EventType) {
        var generator = SeededGenerator(seed: UInt64(type.number) + 4000)
        for _ in 0..<3 {
            let record = generator.record(type)
            let whole = encode(record)
            for bit in 0..<whole.count * 8 {
                var bytes = whole
                bytes[bit / 8] ^= 1 << UInt8(bit % 8)
                #expect(throws: LogError.self) { try decode(bytes, number: record.number) }
            }
        }
    }

    @Test(
        "without a checksum, flipped bits are refused or read as another event, and never more",
        arguments: EventType.allCases)
    func bitFlips(_ type: EventType) {
        var generator = SeededGenerator(seed: UInt64(type.number) + 3000)
        for _ in 0..<300 {
            let record = generator.record(type)
            var bytes = withoutChecksum(encode(record))
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] ^=
                    1 << UInt8.random(in: 0..<8, using: &generator)
            }
            // Whatever is accepted must be what a writer would have written for it.
            if let read = try? decode(bytes, number: record.number), !hasUnknownKeys(bytes, read) {
                #expect(withoutChecksum(encode(read)) == bytes)
            }
        }
    }

    @Test("an event of an unknown type is refused by its number")
    func unknownType() {
        // {1: 7, 5: 200, 6: 1, 7: 0, 11: {99: "later"}}
        let later = bytes("a501070518c806010700" + "0ba11863656c61746572")
        #expect(throws: LogError.unknownEvent(type: 200, at: SequenceNumber(7))) {
            try decode(later, number: SequenceNumber(7))
        }
    }

    @Test("a newer shape of a known event is refused")
    func newerVersion() {
        // {1: 7, 5: 82, 6: 2, 7: 0, 11: {}}
        #expect(throws: LogError.unknownEvent(type: 82, at: SequenceNumber(7))) {
            try decode(bytes("a5010705185206020700" + "0ba0"), number: SequenceNumber(7))
        }
    }

    @Test("keys that this version does not know are passed over, in the envelope and in the data")
    func unknownKeys() throws {
        // {1: 7, 5: 67, 6: 1, 7: 5, 11: {1: 3, 60: [1, {"a": h'00'}]}, 12: "later", 13: 1.5}
        let later = bytes("a7010705184306010705" + "0ba20103183c8201a161614100" + "0c656c61746572" + "0df93e00")
        let record = try decode(later, number: SequenceNumber(7))
        #expect(record.event == .stepCompleted(3))
        #expect(record.time == Timestamp(milliseconds: 5))
    }

    @Test("an event under another number than its own is refused")
    func wrongNumber() {
        var generator = SeededGenerator(seed: 9)
        let record = generator.record(.stepCompleted)
        #expect(throws: LogError.self) { try decode(encode(record), number: record.number.next) }
    }

    @Test("names and numbers of the types are unique, and decisions begin at 64")
    func types() {
        #expect(Set(EventType.allCases.map(\.name)).count == EventType.allCases.count)
        for type in EventType.allCases {
            #expect(EventType(name: type.name) == type)
            #expect(type.isDecision == (type.number >= 64))
        }
        #expect(EventType(name: "step.invented") == nil)
    }

    @Test("the link to the event before is found without decoding the rest")
    func previous() throws {
        var generator = SeededGenerator(seed: 5)
        for type in EventType.allCases {
            let record = generator.record(type)
            let previous = try encode(record).withUnsafeBytes {
                try EventCodec.previous($0, number: record.number)
            }
            #expect(previous == record.previous)
        }
    }

    /// A flip may turn a known key into an unknown one, which is passed over and not written again.
    private func hasUnknownKeys(_ bytes: [UInt8], _ read: EventRecord) -> Bool {
        withoutChecksum(encode(read)).count != bytes.count
    }

    /// As a store of the first format has it.
    private func withoutChecksum(_ bytes: [UInt8]) -> [UInt8] { Array(bytes[1..<(bytes.count - 5)]) }

    private func withoutPayloads(_ record: EventRecord) -> EventRecord {
        var record = record
        switch record.event {
        case .taskSubmitted(var submission):
            submission.input = .null
            record.event = .taskSubmitted(submission)
        case .attemptSucceeded(let attempt, _, let metadata):
            record.event = .attemptSucceeded(attempt, result: .null, metadata: metadata.map { _ in .null })
        case .attemptFailed(let attempt, var failure):
            failure.metadata = failure.metadata.map { _ in .null }
            record.event = .attemptFailed(attempt, failure)
        case .attemptCheckpointed(let attempt, _): record.event = .attemptCheckpointed(attempt, data: .null)
        case .resultAdopted(var adopted):
            adopted.result = .null
            record.event = .resultAdopted(adopted)
        case .operatorResolved(let step, let result, let reason):
            record.event = .operatorResolved(step, result: result.map { _ in .null }, reason: reason)
        default: break
        }
        return record
    }
}

func encode(_ record: EventRecord) -> [UInt8] {
    var writer = CBORWriter()
    EventCodec.encode(record, into: &writer)
    return writer.bytes
}

func decode(
    _ bytes: [UInt8], number: SequenceNumber, payloads: Payloads = .included
) throws(LogError) -> EventRecord {
    try bytes.withRawBytes { bytes throws(LogError) in
        try EventCodec.decode(bytes, number: number, payloads: payloads)
    }
}
