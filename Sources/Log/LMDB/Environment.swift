import CLMDB
import Glibc
import Synchronization

/// One open store: LMDB's environment, its tables, and its map, which grows by itself.
package final class Environment: @unchecked Sendable {
    // Unchecked: LMDB's environment is made for many threads, and the map changes only under the lock's writing side.
    let directory: StoreDirectory
    let tables: Tables
    private let raw: OpaquePointer
    private let mapLock = ReadWriteLock()
    private let isReadOnly: Bool
    /// The map was lost when it could not grow: nothing can be read any more.
    private let isBroken = Atomic(false)

    var path: String { directory.path }

    /// Each reader at a given moment, of all processes, has one of so many places.
    static let readersMax = 510
    private static let tablesMax: UInt32 = 16

    // MARK: Opening

    /// Environments of this process, with the number of their users. LMDB forbids to open a store twice in one process: closing
    /// one would take the locks of the other. So readers share what is open.
    private static let opened = Mutex<[StoreDirectory.Identity: (environment: Environment, users: Int)]>([:])

    static func openForReading(_ directory: StoreDirectory) throws(LogError) -> Environment {
        try opened.withLock { opened throws(LogError) in
            let identity = try directory.identity()
            if let entry = opened[identity] {
                opened[identity] = (entry.environment, entry.users + 1)
                return entry.environment
            }
            guard directory.hasData() else {
                guard directory.isUnmade() else {
                    throw .notAStore(path: directory.path, reason: "it has no data in a file data.mdb")
                }
                throw .notFound(path: directory.path)
            }
            try directory.checkData()
            try directory.reserveLockFile(readersMax: readersMax)
            let environment = try Environment(reading: directory)
            opened[identity] = (environment, 1)
            return environment
        }
    }

    /// The caller holds the engine's lock, so that an environment for writing that is open is one whose engine has ended.
    static func openForWriting(_ directory: StoreDirectory, mapSize: Int) throws(LogError) -> Environment {
        try opened.withLock { opened throws(LogError) in
            let identity = try directory.identity()
            if let entry = opened[identity] {
                guard !entry.environment.isReadOnly else {
                    throw .notWritable(path: directory.path, reason: "this process has it open for reading")
                }
                opened[identity] = (entry.environment, entry.users + 1)
                return entry.environment
            }
            if directory.hasData() {
                try directory.checkData()
            } else {
                try make(directory, mapSize: mapSize)
            }
            // Not only of a new store: whoever made it may have been killed before it came to that.
            directory.syncNames()
            try directory.reserveLockFile(readersMax: readersMax)
            let environment = try Environment(writing: directory)
            opened[identity] = (environment, 1)
            return environment
        }
    }

    /// Makes the store beside its place, and moves it there when it is on the disk: a crash leaves a whole store or none.
    private static func make(_ directory: StoreDirectory, mapSize: Int) throws(LogError) {
        // What a crash has left.
        unlink(directory.draftPath)
        let raw = try open(directory, file: directory.draftPath, flags: MDB_NOSUBDIR | MDB_NOLOCK, mapSize: mapSize)
        do throws(LogError) {
            defer { mdb_env_close(raw) }
            _ = try prepare(raw, directory)
        } catch {
            unlink(directory.draftPath)
            throw error
        }
        guard rename(directory.draftPath, directory.dataPath) == 0 else {
            throw .notWritable(path: directory.path, reason: systemReason(errno))
        }
    }

    /// Ends one use; the last one closes the store.
    func release() {
        Self.opened.withLock { opened in
            guard let (identity, entry) = opened.first(where: { $0.value.environment === self }) else { return }
            if entry.users > 1 {
                opened[identity] = (self, entry.users - 1)
            } else {
                opened[identity] = nil
                mdb_env_close(raw)
            }
        }
    }

    private init(reading directory: StoreDirectory) throws(LogError) {
        let raw = try Self.open(directory, file: directory.path, flags: MDB_RDONLY)
        do throws(LogError) {
            let transaction = try Self.begin(raw, MDB_RDONLY, directory)
            do throws(LMDBError) {
                tables = try Tables { name throws(LMDBError) in try openTable(transaction, name, flags: 0) }
            } catch {
                // Asked of the same view: an engine may be making the store at this moment.
                let isUnmade = isWithoutTables(transaction)
                mdb_txn_abort(transaction)
                guard error.code == MDB_NOTFOUND else { throw error.logError(path: directory.path) }
                throw isUnmade ? .notFound(path: directory.path) : Self.foreign(directory)
            }
            // Committed, or the handles of the tables would go with it.
            mdb_txn_commit(transaction)
        } catch {
            mdb_env_close(raw)
            throw error
        }
        self.raw = raw
        self.directory = directory
        isReadOnly = true
    }

    private init(writing directory: StoreDirectory) throws(LogError) {
        let raw = try Self.open(directory, file: directory.path, flags: 0)
        do throws(LogError) {
            tables = try Self.prepare(raw, directory)
        } catch {
            mdb_env_close(raw)
            throw error
        }
        self.raw = raw
        self.directory = directory
        isReadOnly = false
        var dead: Int32 = 0
        // Places of processes that died while they read; they would keep old pages from being used again.
        mdb_reader_check(raw, &dead)
    }

    /// `file` is the directory, or with `MDB_NOSUBDIR` a file in it; `mapSize` that of a new one.
    private static func open(
        _ directory: StoreDirectory, file: String, flags: Int32, mapSize: Int? = nil
    ) throws(LogError) -> OpaquePointer {
        var environment: OpaquePointer?
        var code = mdb_env_create(&environment)
        guard code == MDB_SUCCESS, let environment else {
            throw LMDBError(code: code, operation: "mdb_env_create").logError(path: directory.path)
        }
        mdb_env_set_maxdbs(environment, tablesMax)
        mdb_env_set_maxreaders(environment, UInt32(readersMax))
        if let mapSize { mdb_env_set_mapsize(environment, mapSize) }
        // NOTLS: a read transaction belongs to its value, not to a thread that might begin another.
        code = mdb_env_open(environment, file, UInt32(MDB_NOTLS | flags), 0o644)
        guard code == MDB_SUCCESS else {
            mdb_env_close(environment)
            throw openingError(code, directory)
        }
        // LMDB leaves this one descriptor to be inherited by the commands that the engine starts.
        var descriptor: Int32 = -1
        if mdb_env_get_fd(environment, &descriptor) == MDB_SUCCESS { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
        return environment
    }

    private static func openingError(_ code: Int32, _ directory: StoreDirectory) -> LogError {
        let error = LMDBError(code: code, operation: "mdb_env_open")
        switch code {
        case ENOENT: return .notFound(path: directory.path)
        case EACCES, EPERM, EROFS: return .notWritable(path: directory.path, reason: systemReason(code))
        case MDB_INVALID, MDB_VERSION_MISMATCH: return .notAStore(path: directory.path, reason: error.reason)
        default: return error.logError(path: directory.path)
        }
    }

    private static func begin(
        _ raw: OpaquePointer, _ flags: Int32, _ directory: StoreDirectory
    ) throws(LogError) -> OpaquePointer {
        var transaction: OpaquePointer?
        let code = mdb_txn_begin(raw, nil, UInt32(flags), &transaction)
        guard code == MDB_SUCCESS, let transaction else {
            throw LMDBError(code: code, operation: "mdb_txn_begin").logError(path: directory.path)
        }
        return transaction
    }

    private static func foreign(_ directory: StoreDirectory) -> LogError {
        .notAStore(path: directory.path, reason: "data.mdb was written by another program")
    }

    /// Makes what a new store needs, or opens what an old one has, in one transaction.
    private static func prepare(_ raw: OpaquePointer, _ directory: StoreDirectory) throws(LogError) -> Tables {
        let transaction = WriteTransaction(try begin(raw, 0, directory))
        do throws(LMDBError) {
            let tables: Tables
            if transaction.isEmpty {
                tables = try Tables { name throws(LMDBError) in try transaction.open(name) }
                for row in StoreInfo.newRows() {
                    let key = UnsafeRawBufferPointer(start: row.key.utf8Start, count: row.key.utf8CodeUnitCount)
                    try row.value.withRawBytes { value throws(LMDBError) in
                        try transaction.put(tables.meta, key, value)
                    }
                }
            } else {
                tables = try Tables { name throws(LMDBError) in try transaction.openExisting(name) }
                try raiseFormat(in: transaction, tables)
            }
            try transaction.commit()
            return tables
        } catch {
            throw error.code == MDB_NOTFOUND || error.code == MDB_INCOMPATIBLE
                ? foreign(directory) : error.logError(path: directory.path)
        }
    }

    /// From here on an earlier version must not write the store: it would not know what it reads.
    private static func raiseFormat(in transaction: borrowing WriteTransaction, _ tables: Tables) throws(LMDBError) {
        let key = UnsafeRawBufferPointer(
            start: StoreInfo.formatKey.utf8Start, count: StoreInfo.formatKey.utf8CodeUnitCount)
        guard let value = try transaction.get(tables.meta, key) else { return }
        var reader = CBORReader(value)
        guard let found = try? reader.unsigned(as: Int.self), found < StoreInfo.format else { return }
        try StoreInfo.encodedFormat.withRawBytes { value throws(LMDBError) in
            try transaction.put(tables.meta, key, value)
        }
    }

    // MARK: Transactions

    /// Runs `body` on a consistent view of the store. It must be short, since the writer's map cannot grow meanwhile, and must
    /// not ask for another view.
    func read<Result>(
        _ body: (borrowing ReadTransaction) throws(LogError) -> Result
    ) throws(LogError) -> Result {
        let transaction = try beginReading()
        defer { endReading() }
        return try Self.run(transaction, body)
    }

    /// Begins a view of the store, and keeps the map from changing until ``endReading()``, which must come after the
    /// transaction has ended.
    func beginReading() throws(LogError) -> OpaquePointer {
        while true {
            mapLock.lockReading()
            var transaction: OpaquePointer?
            let code =
                isBroken.load(ordering: .relaxed)
                ? MDB_PANIC : mdb_txn_begin(raw, nil, UInt32(MDB_RDONLY), &transaction)
            if code == MDB_SUCCESS, let transaction { return transaction }
            mapLock.unlock()
            // The writer, another process, has grown the map.
            guard code == MDB_MAP_RESIZED else {
                throw LMDBError(code: code, operation: "mdb_txn_begin").logError(path: path)
            }
            try resizeMap(to: 0)
        }
    }

    func endReading() { mapLock.unlock() }

    /// A function of its own, so that the transaction has ended before the lock of the map is given back.
    private static func run<Result>(
        _ transaction: OpaquePointer, _ body: (borrowing ReadTransaction) throws(LogError) -> Result
    ) throws(LogError) -> Result {
        let transaction = ReadTransaction(transaction)
        return try body(transaction)
    }

    /// Runs `body` and commits, all or nothing. When the map is too small it grows and `body` runs again; `size` is about what
    /// `body` writes. Only one thread may write, and only it makes the map grow, so that it needs no lock.
    func write(size: Int, _ body: (borrowing WriteTransaction) throws -> Void) throws(LogError) {
        while true {
            do {
                let transaction = WriteTransaction(try Self.begin(raw, 0, directory))
                try body(transaction)
                try transaction.commit()
                fill()
                return
            } catch let error as LMDBError {
                guard error.isMapFull else { throw failure(error) }
            } catch let error as LogError {
                throw error
            } catch {
                preconditionFailure("a transaction throws only errors of the log")
            }
            try grow(by: size)
        }
    }

    /// LMDB calls a write that the disk took only in part an input/output error. If there is no space, that was it.
    private func failure(_ error: LMDBError) -> LogError {
        guard error.isDiskFull || error.code == EIO && isDiskFull() else { return error.logError(path: path) }
        // A failure to write a meta page makes LMDB refuse everything from then on; the disk's space is no cure.
        var transaction: OpaquePointer?
        let code = mdb_txn_begin(raw, nil, 0, &transaction)
        guard code == MDB_SUCCESS else {
            return LMDBError(code: code, operation: "mdb_txn_begin").logError(path: path)
        }
        mdb_txn_abort(transaction)
        return .diskFull(path: path)
    }

    /// Tries to reserve a MiB behind the file's end. What it gets is used by the next commits.
    private func isDiskFull() -> Bool {
        var descriptor: Int32 = -1
        var status = stat()
        guard mdb_env_get_fd(raw, &descriptor) == MDB_SUCCESS, fstat(descriptor, &status) == 0 else { return false }
        return LMDBError(code: posix_fallocate(descriptor, status.st_size, 1 << 20), operation: "fallocate").isDiskFull
    }

    // MARK: The whole store

    /// Writes all that is committed at this moment to a file, without the pages that are free. A writer in another process goes on
    /// meanwhile; one in this process has to wait when its map must grow.
    ///
    /// It goes past the system's cache where that can be: else each sync of an engine on the same disk would wait for what has
    /// gathered there. LMDB's copies are made of whole aligned pages for that.
    func copy(to descriptor: Int32) throws(LogError) {
        var bypassesCache = bypassCache(descriptor, true)
        while true {
            mapLock.lockReading()
            let code =
                isBroken.load(ordering: .relaxed)
                ? MDB_PANIC : mdb_env_copyfd2(raw, descriptor, UInt32(MDB_CP_COMPACT))
            mapLock.unlock()
            if code == MDB_SUCCESS { return }
            if code == EINVAL, bypassesCache, ftruncate(descriptor, 0) == 0, lseek(descriptor, 0, SEEK_SET) == 0 {
                // The file system has taken the flag, and refuses the writes.
                _ = bypassCache(descriptor, false)
                bypassesCache = false
                continue
            }
            // Nothing is written yet when this is found out.
            guard code == MDB_MAP_RESIZED else {
                throw LMDBError(code: code, operation: "mdb_env_copyfd2").logError(path: path)
            }
            try resizeMap(to: 0)
        }
    }

    /// Who reads the store at this moment, in any process.
    func readers() -> [StoreReader] {
        var readers: [StoreReader] = []
        withUnsafeMutablePointer(to: &readers) { list in
            // LMDB tells them as the lines of a table under a heading: process, thread, transaction.
            _ = mdb_reader_list(
                raw,
                { line, context in
                    let words = line.map { String(cString: $0) }?.split { $0 == " " || $0 == "\n" } ?? []
                    if words.count == 3, let process = Int(words[0]) {
                        context?.assumingMemoryBound(to: [StoreReader].self).pointee
                            .append(StoreReader(process: process, transaction: Int(words[2])))
                    }
                    return 0
                }, list)
        }
        return readers
    }

    // MARK: The map

    var mapSize: Int {
        var info = MDB_envinfo()
        mdb_env_info(raw, &info)
        return info.me_mapsize
    }

    var pageSize: Int {
        var statistics = MDB_stat()
        mdb_env_stat(raw, &statistics)
        return Int(statistics.ms_psize)
    }

    private func grow(by size: Int) throws(LogError) {
        var dead: Int32 = 0
        // A reader that died while it read keeps pages from being used again; that may have been all.
        mdb_reader_check(raw, &dead)
        guard dead == 0 else { return }
        let present = mapSize
        // Twice what the batch holds: pages are not always full.
        try resizeMap(to: max(present * 2, present + size * 2))
    }

    /// Only address space: the file grows with what is written. 0 adopts the size that another process has chosen.
    private func resizeMap(to size: Int) throws(LogError) {
        mapLock.lockWriting()
        defer { mapLock.unlock() }
        let code = mdb_env_set_mapsize(raw, size)
        guard code == MDB_SUCCESS else {
            // LMDB has let go of the old map by now.
            isBroken.store(true, ordering: .relaxed)
            throw LMDBError(code: code, operation: "mdb_env_set_mapsize").logError(path: path)
        }
    }

    // MARK: The file's length

    /// Makes the file as long as its last commit says. LMDB does not write pages that a transaction took and gave back, so
    /// that the file may end before them. They are never read; but a file that is shorter than it says is the sign of a lost
    /// end, and ``StoreDirectory/checkData()`` would have to look at every page of it.
    private func fill() {
        var descriptor: Int32 = -1
        var status = stat()
        var info = MDB_envinfo()
        guard mdb_env_get_fd(raw, &descriptor) == MDB_SUCCESS, fstat(descriptor, &status) == 0 else { return }
        mdb_env_info(raw, &info)
        let length = (info.me_last_pgno + 1) * pageSize
        // A hole takes no space; if it cannot be made, nothing is lost but time.
        if status.st_size < length { _ = ftruncate(descriptor, length) }
    }
}
