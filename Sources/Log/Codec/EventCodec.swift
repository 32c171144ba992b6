package import StepwellModel

/// Events as bytes: a CBOR map with small integer keys, the envelope, that holds another, the data; with its checksum.
/// `docs/log-format.md` describes them; what is written once is never rewritten.
package enum EventCodec {
    /// Keys of the envelope. They never change.
    enum Envelope {
        static let number: UInt64 = 1
        static let task: UInt64 = 2
        static let taskNumber: UInt64 = 3
        static let previous: UInt64 = 4
        static let type: UInt64 = 5
        static let version: UInt64 = 6
        static let time: UInt64 = 7
        static let actorKind: UInt64 = 8
        static let actorID: UInt64 = 9
        static let cause: UInt64 = 10
        static let data: UInt64 = 11
    }

    /// Appends the record's bytes to the writer's.
    package static func encode(_ record: EventRecord, into writer: inout CBORWriter) {
        writer.checked { write(record, to: &$0) }
    }

    private static func write(_ record: EventRecord, to writer: inout CBORWriter) {
        var count = 5
        if record.task != nil { count += 1 }
        if record.taskNumber != 0 { count += 1 }
        if record.previous != .zero { count += 1 }
        if record.actor.kind != .scheduler { count += 1 }
        if !record.actor.id.isEmpty { count += 1 }
        if record.cause != .zero { count += 1 }
        let type = record.event.type

        writer.map(count)
        writer.key(Envelope.number)
        writer.unsigned(record.number.rawValue)
        if let task = record.task {
            writer.key(Envelope.task)
            writer.taskID(task)
        }
        if record.taskNumber != 0 {
            writer.key(Envelope.taskNumber)
            writer.unsigned(record.taskNumber)
        }
        if record.previous != .zero {
            writer.key(Envelope.previous)
            writer.unsigned(record.previous.rawValue)
        }
        writer.key(Envelope.type)
        writer.unsigned(type.rawValue)
        writer.key(Envelope.version)
        writer.unsigned(type.version)
        writer.key(Envelope.time)
        writer.integer(record.time.milliseconds)
        if record.actor.kind != .scheduler {
            writer.key(Envelope.actorKind)
            writer.unsigned(record.actor.kind.rawValue)
        }
        if !record.actor.id.isEmpty {
            writer.key(Envelope.actorID)
            writer.text(record.actor.id)
        }
        if record.cause != .zero {
            writer.key(Envelope.cause)
            writer.unsigned(record.cause.rawValue)
        }
        writer.key(Envelope.data)
        EventData.encode(record.event, into: &writer)
    }

    /// The event that the log keeps as `number`. Keys that this version does not know are passed over; the bytes keep them.
    package static func decode(
        _ bytes: UnsafeRawBufferPointer, number: SequenceNumber, payloads: Payloads
    ) throws(LogError) -> EventRecord {
        var unknownType: Int?
        do throws(CBORError) {
            let record = try envelope(bytes, payloads: payloads, unknownType: &unknownType)
            if let record, record.number == number { return record }
        } catch {
            throw LogError.corrupt(error.description, at: number)
        }
        if let unknownType { throw LogError.unknownEvent(type: unknownType, at: number) }
        throw LogError.corrupt("the event calls itself by another number", at: number)
    }

    /// Nil when the type is not known.
    @inline(__always)
    private static func envelope(
        _ bytes: UnsafeRawBufferPointer, payloads: Payloads, unknownType: inout Int?
    ) throws(CBORError) -> EventRecord? {
        var reader = try CBORReader(checked: bytes)
        var number: UInt64 = 0
        var task: TaskID?
        var taskNumber: UInt32 = 0
        var previous: UInt64 = 0
        var type: EventType?
        var version = 0
        var time: Int64?
        var actor = Actor.scheduler
        var cause: UInt64 = 0
        var event: Event?

        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Envelope.number: number = try reader.unsigned()
            case Envelope.task: task = try reader.taskID()
            case Envelope.taskNumber: taskNumber = try reader.unsigned(as: UInt32.self)
            case Envelope.previous: previous = try reader.unsigned()
            case Envelope.type:
                let raw = try reader.unsigned(as: Int.self)
                type = UInt8(exactly: raw).flatMap(EventType.init(rawValue:))
                if type == nil { unknownType = raw }
            case Envelope.version:
                version = try reader.unsigned(as: Int.self)
                // A newer shape of a known type may mean something else by the same keys.
                if let known = type, version > known.version {
                    unknownType = known.number
                    type = nil
                }
            case Envelope.time: time = try reader.integer()
            case Envelope.actorKind:
                let start = reader.offset
                guard let kind = Actor.Kind(rawValue: try reader.unsigned(as: UInt8.self)) else {
                    throw CBORError(.outOfRange, at: start)
                }
                actor.kind = kind
            case Envelope.actorID: actor.id = try reader.text()
            case Envelope.cause: cause = try reader.unsigned()
            case Envelope.data:
                guard let type else {
                    guard unknownType != nil else { throw CBORError(.missing, at: reader.offset) }
                    try reader.skip()
                    continue
                }
                event = try EventData.decode(type, version: version, from: &reader, payloads: payloads)
            default: try reader.skip()
            }
        }
        try reader.end()
        guard unknownType == nil else { return nil }
        guard let event, let time, version > 0 else { throw CBORError(.missing, at: reader.offset) }
        return EventRecord(
            number: SequenceNumber(number), task: task, taskNumber: taskNumber, previous: SequenceNumber(previous),
            time: Timestamp(milliseconds: time), actor: actor, cause: SequenceNumber(cause), event: event)
    }

    /// The task's event before this one, without decoding what follows in the envelope.
    static func previous(_ bytes: UnsafeRawBufferPointer, number: SequenceNumber) throws(LogError) -> SequenceNumber {
        do throws(CBORError) {
            var reader = try CBORReader(checked: bytes)
            var keys = try reader.map()
            while let key = try reader.key(&keys), key <= Envelope.previous {
                if key == Envelope.previous { return SequenceNumber(try reader.unsigned()) }
                try reader.skip()
            }
            return .zero
        } catch {
            throw LogError.corrupt(error.description, at: number)
        }
    }

    /// The task that the event is of, without decoding what follows.
    package static func task(_ bytes: UnsafeRawBufferPointer, number: SequenceNumber) throws(LogError) -> TaskID? {
        do throws(CBORError) {
            var reader = try CBORReader(checked: bytes)
            var keys = try reader.map()
            while let key = try reader.key(&keys), key <= Envelope.task {
                if key == Envelope.task { return try reader.taskID() }
                try reader.skip()
            }
            return nil
        } catch {
            throw LogError.corrupt(error.description, at: number)
        }
    }
}
