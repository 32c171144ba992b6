import CLMDB
import Foundation
import StepwellModel

/// A place for a store, gone when the value is; and hands that reach behind its back into LMDB's tables.
final class ScratchStore: Sendable {
    private let directory: String
    var path: String { directory + "/store" }

    init() {
        directory = NSTemporaryDirectory() + "stepwell-history-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    struct Failed: Error {
        let code: Int32
    }

    func key(_ number: SequenceNumber) -> [UInt8] { withUnsafeBytes(of: number.rawValue.bigEndian) { Array($0) } }

    func key(_ task: TaskID) -> [UInt8] {
        [task.high, task.low].flatMap { half in withUnsafeBytes(of: half.bigEndian) { Array($0) } }
    }

    func rows(_ table: String) throws -> [(key: [UInt8], value: [UInt8])] {
        try transaction(on: table) { transaction, table in
            var cursor: OpaquePointer?
            try check(mdb_cursor_open(transaction, table, &cursor))
            defer { mdb_cursor_close(cursor) }
            var (key, value) = (MDB_val(), MDB_val())
            var rows: [(key: [UInt8], value: [UInt8])] = []
            while mdb_cursor_get(cursor, &key, &value, MDB_NEXT) == MDB_SUCCESS {
                rows.append((bytes(key), bytes(value)))
            }
            return rows
        }
    }

    func put(_ table: String, _ key: [UInt8], _ value: [UInt8]) throws {
        try change(table, key, value) { transaction, table, key, value in
            mdb_put(transaction, table, key, value, 0)
        }
    }

    func delete(_ table: String, _ key: [UInt8]) throws {
        try change(table, key, []) { transaction, table, key, _ in mdb_del(transaction, table, key, nil) }
    }

    private func change(
        _ table: String, _ key: [UInt8], _ value: [UInt8],
        _ body: (OpaquePointer, MDB_dbi, UnsafeMutablePointer<MDB_val>, UnsafeMutablePointer<MDB_val>) -> Int32
    ) throws {
        var (key, value) = (key, value)
        try transaction(on: table) { transaction, table in
            try key.withUnsafeMutableBytes { key in
                try value.withUnsafeMutableBytes { value in
                    var keyBytes = MDB_val(mv_size: key.count, mv_data: key.baseAddress)
                    var valueBytes = MDB_val(mv_size: value.count, mv_data: value.baseAddress)
                    try check(body(transaction, table, &keyBytes, &valueBytes))
                }
            }
        }
    }

    /// LMDB must not be open in this process: whoever has read the store has let go of it.
    private func transaction<Result>(
        on table: String, _ body: (OpaquePointer, MDB_dbi) throws -> Result
    ) throws -> Result {
        var environment: OpaquePointer?
        try check(mdb_env_create(&environment))
        defer { mdb_env_close(environment) }
        mdb_env_set_maxdbs(environment, 16)
        try check(mdb_env_open(environment, path, UInt32(MDB_NOSYNC), 0o644))
        var transaction: OpaquePointer?
        try check(mdb_txn_begin(environment, nil, 0, &transaction))
        let result: Result
        do {
            var handle = MDB_dbi()
            try check(mdb_dbi_open(transaction, table, 0, &handle))
            result = try body(transaction!, handle)
        } catch {
            mdb_txn_abort(transaction)
            throw error
        }
        // Ends the transaction also when it fails.
        try check(mdb_txn_commit(transaction))
        return result
    }

    private func check(_ code: Int32) throws {
        guard code == MDB_SUCCESS else { throw Failed(code: code) }
    }

    private func bytes(_ value: MDB_val) -> [UInt8] {
        Array(UnsafeRawBufferPointer(start: value.mv_data, count: value.mv_size))
    }
}
