import CLMDB
import StepwellModel

/// One of the store's tables, valid as long as its environment is open.
struct Table: Sendable {
    let handle: MDB_dbi

    /// LMDB's own: which pages are free. Each row begins with how many it names.
    static let freePages = Table(handle: 0)
}

/// A consistent view of the store. It ends when the value does, and only once.
///
/// What it returns lies in the mapped file and is valid until the transaction ends: decode it, never keep it.
struct ReadTransaction: ~Copyable {
    private let raw: OpaquePointer

    init(_ raw: OpaquePointer) {
        self.raw = raw
    }

    deinit { mdb_txn_abort(raw) }

    /// LMDB's number of the commit that it sees.
    var number: UInt64 { UInt64(mdb_txn_id(raw)) }

    func get(_ table: Table, _ key: UnsafeRawBufferPointer) throws(LogError) -> UnsafeRawBufferPointer? {
        do throws(LMDBError) {
            return try find(raw, table, key)
        } catch {
            throw LogError(reading: error)
        }
    }

    func cursor(_ table: Table) throws(LogError) -> Cursor {
        do throws(LMDBError) {
            return try Cursor(raw, table)
        } catch {
            throw LogError(reading: error)
        }
    }

    func count(_ table: Table) throws(LogError) -> Int { try usage(table).rows }

    /// How many rows a table has, and how many pages hold them.
    func usage(_ table: Table) throws(LogError) -> (rows: Int, pages: Int) {
        do throws(LMDBError) {
            let statistics = try statistics(raw, table)
            let pages = statistics.ms_branch_pages + statistics.ms_leaf_pages + statistics.ms_overflow_pages
            return (statistics.ms_entries, pages)
        } catch {
            throw LogError(reading: error)
        }
    }
}

/// Changes that take place together or not at all: without ``commit()`` they are undone when the value ends.
struct WriteTransaction: ~Copyable {
    private let raw: OpaquePointer

    init(_ raw: OpaquePointer) {
        self.raw = raw
    }

    deinit { mdb_txn_abort(raw) }

    /// Returns when everything is on disk. Ends the transaction also when it fails.
    consuming func commit() throws(LMDBError) {
        let raw = self.raw
        discard self
        try LMDBError.check(mdb_txn_commit(raw), "mdb_txn_commit")
    }

    /// Whether there is no table yet.
    var isEmpty: Bool { isWithoutTables(raw) }

    func open(_ name: StaticString) throws(LMDBError) -> Table {
        try openTable(raw, name, flags: UInt32(MDB_CREATE))
    }

    func openExisting(_ name: StaticString) throws(LMDBError) -> Table { try openTable(raw, name, flags: 0) }

    /// The value, valid until the next change.
    func get(_ table: Table, _ key: UnsafeRawBufferPointer) throws(LMDBError) -> UnsafeRawBufferPointer? {
        try find(raw, table, key)
    }

    func put(_ table: Table, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(LMDBError) {
        var key = MDB_val(key)
        var value = MDB_val(value)
        try LMDBError.check(mdb_put(raw, table.handle, &key, &value, 0), "mdb_put")
    }

    /// Leaves a value alone that is there already.
    func insert(_ table: Table, _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(LMDBError) {
        var key = MDB_val(key)
        var value = MDB_val(value)
        let code = mdb_put(raw, table.handle, &key, &value, UInt32(MDB_NOOVERWRITE))
        if code != MDB_KEYEXIST { try LMDBError.check(code, "mdb_put") }
    }

    func delete(_ table: Table, _ key: UnsafeRawBufferPointer) throws(LMDBError) {
        var key = MDB_val(key)
        let code = mdb_del(raw, table.handle, &key, nil)
        if code != MDB_NOTFOUND { try LMDBError.check(code, "mdb_del") }
    }

    func cursor(_ table: Table) throws(LMDBError) -> Cursor { try Cursor(raw, table) }

    func count(_ table: Table) throws(LMDBError) -> Int { try statistics(raw, table).ms_entries }
}

/// A place in a table. It must end before a write transaction that it belongs to; a scope around it sees to that.
struct Cursor: ~Copyable {
    private let raw: OpaquePointer

    fileprivate init(_ transaction: OpaquePointer, _ table: Table) throws(LMDBError) {
        var cursor: OpaquePointer?
        try LMDBError.check(mdb_cursor_open(transaction, table.handle, &cursor), "mdb_cursor_open")
        raw = cursor!
    }

    deinit { mdb_cursor_close(raw) }

    enum Move {
        case first, last, next, previous

        fileprivate var operation: MDB_cursor_op {
            switch self {
            case .first: MDB_FIRST
            case .last: MDB_LAST
            case .next: MDB_NEXT
            case .previous: MDB_PREV
            }
        }
    }

    typealias Row = (key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer)

    /// The row at the new place, or nil beyond the table's end.
    func move(_ move: Move) throws(LogError) -> Row? {
        var key = MDB_val()
        return try get(&key, move.operation)
    }

    /// The first row whose key is not less than `key`.
    func seek(_ key: UnsafeRawBufferPointer) throws(LogError) -> Row? {
        var key = MDB_val(key)
        return try get(&key, MDB_SET_RANGE)
    }

    /// The value of exactly that key. Cheaper than looking from the root when the key is near the last one.
    func find(_ key: UnsafeRawBufferPointer) throws(LogError) -> UnsafeRawBufferPointer? {
        var key = MDB_val(key)
        return try get(&key, MDB_SET_KEY)?.value
    }

    /// Adds a row behind all others. LMDB refuses a key that is not the greatest.
    func append(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws(LMDBError) {
        var key = MDB_val(key)
        var value = MDB_val(value)
        try LMDBError.check(mdb_cursor_put(raw, &key, &value, UInt32(MDB_APPEND)), "mdb_cursor_put")
    }

    private func get(_ key: inout MDB_val, _ operation: MDB_cursor_op) throws(LogError) -> Row? {
        var value = MDB_val()
        let code = mdb_cursor_get(raw, &key, &value, operation)
        if code == MDB_NOTFOUND { return nil }
        guard code == MDB_SUCCESS else { throw LogError(reading: LMDBError(code: code, operation: "mdb_cursor_get")) }
        return (UnsafeRawBufferPointer(key), UnsafeRawBufferPointer(value))
    }
}

/// Whether the store, as the transaction sees it, has no table yet. LMDB's main table holds the names of the others; 1 is its
/// handle.
func isWithoutTables(_ transaction: OpaquePointer) -> Bool {
    var statistics = MDB_stat()
    return mdb_stat(transaction, 1, &statistics) == MDB_SUCCESS && statistics.ms_entries == 0
}

/// Opens a table in a transaction of either kind.
func openTable(_ transaction: OpaquePointer, _ name: StaticString, flags: UInt32) throws(LMDBError) -> Table {
    var handle = MDB_dbi()
    let pointer = UnsafeRawPointer(name.utf8Start).assumingMemoryBound(to: CChar.self)
    try LMDBError.check(mdb_dbi_open(transaction, pointer, flags, &handle), "mdb_dbi_open")
    return Table(handle: handle)
}

private func statistics(_ transaction: OpaquePointer, _ table: Table) throws(LMDBError) -> MDB_stat {
    var statistics = MDB_stat()
    try LMDBError.check(mdb_stat(transaction, table.handle, &statistics), "mdb_stat")
    // LMDB hands over what the file says, and whoever adds it up must not overflow.
    let counts = [
        statistics.ms_entries, statistics.ms_branch_pages, statistics.ms_leaf_pages, statistics.ms_overflow_pages,
    ]
    guard counts.allSatisfy({ (0..<1 << 48).contains($0) }) else {
        throw LMDBError(code: MDB_CORRUPTED, operation: "mdb_stat")
    }
    return statistics
}

private func find(
    _ transaction: OpaquePointer, _ table: Table, _ key: UnsafeRawBufferPointer
) throws(LMDBError) -> UnsafeRawBufferPointer? {
    var key = MDB_val(key)
    var value = MDB_val()
    let code = mdb_get(transaction, table.handle, &key, &value)
    if code == MDB_NOTFOUND { return nil }
    try LMDBError.check(code, "mdb_get")
    return UnsafeRawBufferPointer(value)
}

extension MDB_val {
    /// LMDB takes a pointer that may be changed and, for keys and values that it is given, changes nothing behind it.
    fileprivate init(_ bytes: UnsafeRawBufferPointer) {
        self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
    }
}

extension UnsafeRawBufferPointer {
    fileprivate init(_ value: MDB_val) {
        self.init(start: value.mv_data, count: value.mv_size)
    }
}
