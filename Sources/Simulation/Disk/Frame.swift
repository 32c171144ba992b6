import StepwellLog
import StepwellModel

/// One commit as bytes on the simulated disk: length, checksum, and the events and rows in the log's own encodings.
enum Frame {
    private static let headBytes = 16

    /// The commit's events come encoded, as the hash chain has read them.
    static func encode(_ batch: LogBatch, events: borrowing EncodedBatch, hash: [UInt8]) -> [UInt8] {
        var writer = CBORWriter()
        writer.bytes.reserveCapacity(headBytes + events.bytes.count + 256)
        writer.bytes.append(contentsOf: repeatElement(0, count: headBytes))
        writer.array(9)
        writer.byteString(hash)
        writer.array(events.count)
        events.forEach { writer.unsigned($0.count) }
        writer.byteString(events.bytes)
        writer.array(batch.tasks.count)
        for task in batch.tasks {
            writer.taskID(task.id)
            writeNested(&writer) { RowCodec.encode(task, into: &$0) }
        }
        writer.array(batch.templates.count)
        for template in batch.templates {
            writer.byteString(template.digest.bytes)
            writer.byteString(template.bytes)
        }
        writer.array(batch.snapshots.count)
        for snapshot in batch.snapshots {
            writer.taskID(snapshot.task)
            writer.unsigned(snapshot.number.rawValue)
            writer.byteString(snapshot.bytes)
        }
        writer.array(batch.logLines.count)
        for line in batch.logLines {
            writer.taskID(line.task)
            writer.unsigned(line.lease.rawValue)
            writer.unsigned(line.number)
            writeNested(&writer) { RowCodec.encode(line, into: &$0) }
        }
        writer.array(batch.limits.count)
        for row in batch.limits {
            writer.unsigned(row.number.rawValue)
            writeNested(&writer) { RowCodec.encode(row.bucket, into: &$0) }
        }
        writer.array(batch.limitsGone.count)
        for number in batch.limitsGone { writer.unsigned(number.rawValue) }
        seal(&writer.bytes)
        return writer.bytes
    }

    private static func writeNested(_ writer: inout CBORWriter, _ write: (inout CBORWriter) -> Void) {
        var nested = CBORWriter()
        write(&nested)
        writer.byteString(nested.bytes)
    }

    private static func seal(_ bytes: inout [UInt8]) {
        let head = [UInt64(bytes.count - headBytes), checksum(bytes[headBytes...])]
        for (place, number) in head.enumerated() {
            withUnsafeBytes(of: number.bigEndian) { bytes.replaceSubrange(place * 8..<place * 8 + 8, with: $0) }
        }
    }

    /// Reads the frame that begins at `offset`, and moves it behind the frame. `first` is the number of its first event.
    static func decode(
        _ content: [UInt8], at offset: inout Int, end: Int, first: SequenceNumber
    ) throws(LogError) -> (batch: LogBatch, hash: [UInt8]) {
        func number(at start: Int) -> UInt64 { content[start..<start + 8].reduce(0) { $0 << 8 | UInt64($1) } }
        guard offset + headBytes <= end else { throw .corrupt("a commit is cut off", at: first) }
        let length = number(at: offset)
        guard length <= UInt64(end - offset - headBytes) else { throw .corrupt("a commit is cut off", at: first) }
        let body = content[offset + headBytes..<offset + headBytes + Int(length)]
        guard checksum(body) == number(at: offset + 8) else { throw .corrupt("a commit is torn", at: first) }
        offset = body.endIndex
        do {
            return try body.withUnsafeBytes { bytes in try decode(bytes, first: first) }
        } catch let error as LogError {
            throw error
        } catch {
            throw .corrupt("a commit: \(error)", at: first)
        }
    }

    private static func decode(
        _ bytes: UnsafeRawBufferPointer, first: SequenceNumber
    ) throws -> (batch: LogBatch, hash: [UInt8]) {
        var reader = CBORReader(bytes)
        var batch = LogBatch()
        _ = try reader.array()
        let hash = try reader.byteArray()
        var lengths: [Int] = []
        for _ in 0..<(try reader.array()) { lengths.append(try reader.unsigned(as: Int.self)) }
        let events = try reader.byteString()
        var (start, next) = (0, first)
        for length in lengths {
            let event = UnsafeRawBufferPointer(rebasing: events[start..<start + length])
            batch.events.append(try EventCodec.decode(event, number: next, payloads: .included))
            (start, next) = (start + length, next.next)
        }
        for _ in 0..<(try reader.array()) {
            let id = try reader.taskID()
            let row = try reader.byteString()
            batch.tasks.append(try RowCodec.task(id, from: row))
        }
        for _ in 0..<(try reader.array()) {
            batch.templates.append((TemplateDigest(try reader.byteArray()), try reader.byteArray()))
        }
        for _ in 0..<(try reader.array()) {
            let task = try reader.taskID()
            let number = SequenceNumber(try reader.unsigned())
            batch.snapshots.append(TaskSnapshotBytes(task: task, number: number, bytes: try reader.byteArray()))
        }
        for _ in 0..<(try reader.array()) {
            let task = try reader.taskID()
            let position = LogLinePosition(
                lease: Lease(try reader.unsigned()), number: try reader.unsigned(as: UInt32.self))
            let row = try reader.byteString()
            batch.logLines.append(try RowCodec.logLine(of: task, at: position, from: row))
        }
        for _ in 0..<(try reader.array()) {
            let number = SequenceNumber(try reader.unsigned())
            batch.limits.append(LimitRow(number: number, bucket: try RowCodec.bucket(from: try reader.byteString())))
        }
        for _ in 0..<(try reader.array()) { batch.limitsGone.append(SequenceNumber(try reader.unsigned())) }
        try reader.end()
        return (batch, hash)
    }
}
