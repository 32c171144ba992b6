import CLMDB
import Glibc

/// The files of a store, looked at before LMDB maps them: what LMDB would answer with a signal is found here.
struct StoreDirectory: Sendable {
    let path: String

    var dataPath: String { path + "/data.mdb" }
    /// Where a new store is made before it is moved to ``dataPath`` whole.
    var draftPath: String { path + "/data.new" }
    var lockPath: String { path + "/lock.mdb" }
    var enginePath: String { path + "/engine.lock" }

    /// What names the directory whatever path leads to it.
    struct Identity: Hashable, Sendable {
        var device: UInt
        var node: UInt
    }

    func identity() throws(LogError) -> Identity {
        var status = stat()
        guard stat(path, &status) == 0 else { throw missing(errno) }
        guard status.st_mode & S_IFMT == S_IFDIR else { throw .notAStore(path: path, reason: "it is not a directory") }
        return Identity(device: UInt(status.st_dev), node: UInt(status.st_ino))
    }

    /// Makes the directory, and those above it, where they are missing. Others may read: auditing is what a log is for, and a
    /// user whose inputs are secret has a umask that says so.
    func create() throws(LogError) {
        for (index, character) in zip(path.indices, path) where character == "/" && index != path.startIndex {
            // Only the last one matters; what is wrong with one above will be wrong with it.
            mkdir(String(path[..<index]), 0o755)
        }
        guard mkdir(path, 0o755) != 0, errno != EEXIST else { return }
        let reason = errno
        guard access(path, F_OK) != 0 else { return }
        if reason == ENOSPC || reason == EDQUOT { throw .diskFull(path: path) }
        throw .notWritable(path: path, reason: systemReason(reason))
    }

    /// Where a store is made that is not whole yet, within its directory.
    static let unfinishedName = ".unfinished"

    /// Takes away a store that nobody uses: its files and, if nothing else is there, the directory.
    func remove() {
        for file in [dataPath, lockPath, enginePath] { unlink(file) }
        rmdir(path)
    }

    /// Whether there are data. An empty file is none.
    func hasData() -> Bool { size(of: dataPath) > 0 }

    /// Whether the directory holds nothing, or only what an engine leaves that died before it had made its store.
    func isUnmade() -> Bool {
        guard let directory = opendir(path) else { return false }
        defer { closedir(directory) }
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            guard [".", "..", "engine.lock", "lock.mdb", "data.mdb", "data.new", Self.unfinishedName].contains(name)
            else {
                return false
            }
        }
        return true
    }

    /// Allots the blocks of LMDB's lock file. LMDB only sets its length and then writes through a map, which on a full disk
    /// ends the process with SIGBUS.
    func reserveLockFile(readersMax: Int) throws(LogError) {
        // One reader has 64 bytes; what comes before the first has 192.
        let length = (readersMax - 1) * 64 + 192
        var status = stat()
        let isThere = stat(lockPath, &status) == 0 && status.st_size > 0
        guard !isThere || status.st_blocks * 512 < status.st_size else { return }
        let descriptor = open(lockPath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        // LMDB has the better words for a file that cannot be opened.
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        let code = posix_fallocate(descriptor, 0, max(length, Int(status.st_size)))
        if code == ENOSPC || code == EDQUOT { throw .diskFull(path: path) }
    }

    /// Sees to it that the names of new files survive a loss of power; syncing the files does not.
    func syncNames() {
        for directory in [path, path + "/.."] {
            let descriptor = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard descriptor >= 0 else { continue }
            fsync(descriptor)
            close(descriptor)
        }
    }

    func missing(_ code: Int32) -> LogError {
        switch code {
        case ENOENT: .notFound(path: path)
        case ENOTDIR: .notAStore(path: path, reason: "it is not a directory")
        case EACCES, EPERM: .notWritable(path: path, reason: systemReason(code))
        case ENOSPC, EDQUOT: .diskFull(path: path)
        default: .inputOutput(operation: "opening '\(path)'", reason: systemReason(code))
        }
    }

    // MARK: The file's first pages

    /// Reads both of LMDB's meta pages and refuses a file that LMDB or the processor would stumble over: one that is not
    /// LMDB's, and one that has lost its end, whose missing pages would end the process with SIGBUS.
    func checkData() throws(LogError) {
        let descriptor = open(dataPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw errno == ENOENT ? absent : missing(errno) }
        defer { close(descriptor) }
        // Another process may be writing: then a second look sees what a first one missed.
        for _ in 0..<5 {
            let first = try metaPage(descriptor, at: 0)
            let second = try metaPage(descriptor, at: first.pageSize)
            guard second.pageSize == first.pageSize else { throw notLMDB("its page sizes differ") }
            let newest = first.transaction >= second.transaction ? first : second
            let pageCount = UInt64(max(0, size(of: dataPath))) / UInt64(newest.pageSize)
            // LMDB does not write pages that a transaction took and gave back, so that a file may end before its last page.
            if newest.lastPage < pageCount { return }
            if fault(in: newest, descriptor) == nil { return }
        }
        throw .corrupt("the file data.mdb is shorter than its last commit says", at: nil)
    }

    /// Looks at all pages of the commit with that number of LMDB's, or of the last one. False: that commit is no longer one of the
    /// two that the file names.
    func checkPages(of transaction: UInt64? = nil) throws(LogError) -> Bool {
        let descriptor = open(dataPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw errno == ENOENT ? absent : missing(errno) }
        defer { close(descriptor) }
        let first = try metaPage(descriptor, at: 0)
        let metas = [first, try metaPage(descriptor, at: first.pageSize)]
        guard metas[1].pageSize == first.pageSize else { throw notLMDB("its page sizes differ") }
        let wanted = transaction ?? max(metas[0].transaction, metas[1].transaction)
        guard let meta = metas.first(where: { $0.transaction == wanted }) else { return false }
        if let fault = fault(in: meta, descriptor) {
            throw .corrupt("page \(fault.page) of data.mdb: \(fault.reason)", at: nil)
        }
        return true
    }

    /// Of the newer of both meta pages.
    func lastTransaction() -> UInt64? {
        let descriptor = open(dataPath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let first = try? metaPage(descriptor, at: 0),
            let second = try? metaPage(descriptor, at: first.pageSize)
        else { return nil }
        return max(first.transaction, second.transaction)
    }

    private func fault(in meta: MetaPage, _ descriptor: Int32) -> PageWalk.Fault? {
        let count = UInt64(max(0, size(of: dataPath))) / UInt64(meta.pageSize)
        var walk = PageWalk(
            descriptor: descriptor, pageSize: meta.pageSize, pageCount: count, lastPage: meta.lastPage)
        do throws(PageWalk.Fault) {
            try walk.check(free: meta.free, main: meta.main)
            return nil
        } catch {
            return error
        }
    }

    private var absent: LogError { .notAStore(path: path, reason: "it has no file data.mdb") }

    private func notLMDB(_ reason: String) -> LogError { .notAStore(path: path, reason: "data.mdb: \(reason)") }

    private struct MetaPage {
        var pageSize: Int
        var free: PageWalk.Root
        var main: PageWalk.Root
        var lastPage: UInt64
        var transaction: UInt64
    }

    /// The places are those of LMDB 0.9 on a 64-bit machine, whose data format has the version 1.
    private func metaPage(_ descriptor: Int32, at offset: Int) throws(LogError) -> MetaPage {
        var bytes = [UInt8](repeating: 0, count: 152)
        let count = pread(descriptor, &bytes, bytes.count, off_t(offset))
        guard count == bytes.count else { throw notLMDB("it ends within its first pages") }
        return try bytes.withRawBytes { page throws(LogError) in
            let isMeta = page.loadUnaligned(fromByteOffset: 10, as: UInt16.self) & 0x08 != 0
            guard isMeta, page.loadUnaligned(fromByteOffset: 16, as: UInt32.self) == 0xBEEF_C0DE else {
                throw notLMDB("it is not a file of LMDB")
            }
            let version = page.loadUnaligned(fromByteOffset: 20, as: UInt32.self)
            guard version == 1 else { throw notLMDB("it has version \(version) of LMDB's data format, not 1") }
            let pageSize = Int(page.loadUnaligned(fromByteOffset: 40, as: UInt32.self))
            guard (512...65536).contains(pageSize), pageSize & (pageSize - 1) == 0 else {
                throw notLMDB("its page size cannot be \(pageSize)")
            }
            // One in the other's place would take the store back by a commit.
            guard page.loadUnaligned(fromByteOffset: 0, as: UInt64.self) == offset / pageSize else {
                throw .corrupt("page \(offset / pageSize) of data.mdb is another page", at: nil)
            }
            return MetaPage(
                pageSize: pageSize, free: PageWalk.Root(UnsafeRawBufferPointer(rebasing: page[40..<88])),
                main: PageWalk.Root(UnsafeRawBufferPointer(rebasing: page[88..<136])),
                lastPage: page.loadUnaligned(fromByteOffset: 136, as: UInt64.self),
                transaction: page.loadUnaligned(fromByteOffset: 144, as: UInt64.self))
        }
    }

    /// In bytes; -1 without data.
    func dataSize() -> Int { size(of: dataPath) }

    private func size(of file: String) -> Int {
        var status = stat()
        return stat(file, &status) == 0 ? Int(status.st_size) : -1
    }
}

func systemReason(_ code: Int32) -> String { String(cString: strerror(code)) }
