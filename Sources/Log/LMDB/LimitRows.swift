package import StepwellModel

// The limits that are in force have rows in `meta`: a start of the engine reads these, and not all that has ever started.

extension RowKey {
    static let limitPrefix = Array("limit:".utf8)
    private static let limitDigits = 16

    /// Text, as all keys of `meta` are, which sorts as its number does.
    static func limit(_ number: SequenceNumber) -> [UInt8] {
        limitPrefix + Array(withUnsafeBytes(of: RowKey.number(number)) { hexadecimal($0) }.utf8)
    }

    static func limitNumber(from key: UnsafeRawBufferPointer) -> SequenceNumber? {
        guard key.count == limitPrefix.count + limitDigits, key.starts(with: limitPrefix) else { return nil }
        return UInt64(String(decoding: key.dropFirst(limitPrefix.count), as: UTF8.self), radix: 16)
            .map(SequenceNumber.init)
    }
}

extension RowCodec {
    package static func encode(_ bucket: TokenBucket?, into writer: inout CBORWriter) {
        writer.map(bucket == nil ? 0 : 2)
        guard let bucket else { return }
        writer.key(1)
        writer.integer(bucket.level)
        writer.key(2)
        writer.integer(bucket.time.milliseconds)
    }

    package static func bucket(from bytes: UnsafeRawBufferPointer) throws(CBORError) -> TokenBucket? {
        var reader = CBORReader(bytes)
        var level: Int64?
        var time: Timestamp?
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case 1: level = try reader.integer()
            case 2: time = try reader.timestamp()
            default: try reader.skip()
            }
        }
        try reader.end()
        guard let level, let time else { return nil }
        return TokenBucket(level: level, time: time)
    }
}

extension WriteTransaction {
    /// Writes down limits as they are now, and forgets those that are no more.
    func putLimits(_ rows: [LimitRow], gone: [SequenceNumber], _ tables: Tables) throws(LMDBError) {
        for number in gone {
            try RowKey.limit(number).withRawBytes { key throws(LMDBError) in try delete(tables.meta, key) }
        }
        for row in rows {
            var writer = CBORWriter()
            RowCodec.encode(row.bucket, into: &writer)
            try RowKey.limit(row.number).withRawBytes { key throws(LMDBError) in
                try writer.bytes.withRawBytes { value throws(LMDBError) in try put(tables.meta, key, value) }
            }
        }
    }
}

extension StoreInfo {
    /// The limits in force, in the order in which they were set.
    static func limits(
        _ transaction: borrowing ReadTransaction, _ environment: Environment
    ) throws(LogError) -> [LimitRow] {
        var rows: [LimitRow] = []
        let cursor = try transaction.cursor(environment.tables.meta)
        var row = try RowKey.limitPrefix.withRawBytes { key throws(LogError) in try cursor.seek(key) }
        while let (key, value) = row, let number = RowKey.limitNumber(from: key) {
            do throws(CBORError) {
                rows.append(LimitRow(number: number, bucket: try RowCodec.bucket(from: value)))
            } catch { throw .corrupt("the row of a limit: \(error)", at: number) }
            row = try cursor.move(.next)
        }
        return rows
    }
}

extension StoreView {
    package func limits() throws(LogError) -> [LimitRow] { try StoreInfo.limits(transaction, environment) }
}
