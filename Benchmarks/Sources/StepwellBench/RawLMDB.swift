import CRawLMDB
import Foundation

/// The events of a store, written once more by LMDB alone: the same bytes, the same commits, nothing else. What no engine on
/// LMDB can beat.
struct RawLMDB {
    private var events: [[UInt8]] = []
    /// The number of events of each commit.
    private(set) var commits: [Int] = []

    var eventCount: Int { events.count }
    var byteCount: Int { events.reduce(0) { $0 + $1.count } }

    /// Takes the events and commits of a store that no engine has open.
    init(store path: String) throws {
        let environment = try Self.open(path, flags: UInt32(MDB_RDONLY))
        defer { mdb_env_close(environment) }
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, UInt32(MDB_RDONLY), &transaction))
        defer { mdb_txn_abort(transaction) }
        try Self.forEach(in: "events", transaction) { _, value in events.append(Array(value)) }
        var last: UInt64 = 0
        try Self.forEach(in: "commits", transaction) { key, _ in
            let number = UInt64(bigEndian: key.loadUnaligned(as: UInt64.self))
            commits.append(Int(number - last))
            last = number
        }
    }

    /// Seconds that it takes to append them all to a new environment, each commit synced.
    func write(to path: String) throws -> Double {
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        let environment = try Self.open(path, flags: 0, mapSize: 16 << 30)
        defer { mdb_env_close(environment) }
        let start = ContinuousClock.now
        var next = 0
        for count in commits {
            var transaction: OpaquePointer?
            try check(mdb_txn_begin(environment, nil, 0, &transaction))
            var table = MDB_dbi()
            try check(mdb_dbi_open(transaction, "events", UInt32(MDB_CREATE), &table))
            for _ in 0..<count {
                try Self.append(events[next], number: UInt64(next + 1), to: table, transaction)
                next += 1
            }
            try check(mdb_txn_commit(transaction))
        }
        return (ContinuousClock.now - start).seconds
    }

    private static func append(
        _ event: [UInt8], number: UInt64, to table: MDB_dbi, _ transaction: OpaquePointer?
    ) throws {
        var number = number.bigEndian
        try withUnsafeMutableBytes(of: &number) { keyBytes in
            try event.withUnsafeBytes { valueBytes in
                var key = MDB_val(mv_size: keyBytes.count, mv_data: keyBytes.baseAddress)
                var value = MDB_val(
                    mv_size: valueBytes.count, mv_data: UnsafeMutableRawPointer(mutating: valueBytes.baseAddress))
                try check(mdb_put(transaction, table, &key, &value, UInt32(MDB_APPEND)))
            }
        }
    }

    private static func open(_ path: String, flags: UInt32, mapSize: Int? = nil) throws -> OpaquePointer? {
        var environment: OpaquePointer?
        try check(mdb_env_create(&environment))
        mdb_env_set_maxdbs(environment, 16)
        if let mapSize { mdb_env_set_mapsize(environment, mapSize) }
        try check(mdb_env_open(environment, path, flags, 0o644))
        return environment
    }

    private static func forEach(
        in name: String, _ transaction: OpaquePointer?,
        _ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) -> Void
    ) throws {
        var table = MDB_dbi()
        try check(mdb_dbi_open(transaction, name, 0, &table))
        var cursor: OpaquePointer?
        try check(mdb_cursor_open(transaction, table, &cursor))
        defer { mdb_cursor_close(cursor) }
        var key = MDB_val()
        var value = MDB_val()
        while mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS {
            body(
                UnsafeRawBufferPointer(start: key.mv_data, count: key.mv_size),
                UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
        }
    }
}

private func check(_ code: Int32) throws {
    guard code == MDB_SUCCESS else { throw RawLMDBError(reason: String(cString: mdb_strerror(code))) }
}

struct RawLMDBError: Error {
    var reason: String
}
