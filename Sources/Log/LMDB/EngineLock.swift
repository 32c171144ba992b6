import Glibc

/// Keeps a second engine out of a store: a lock on `engine.lock` that the system takes back when the process ends, however it
/// ends. The file holds the owner's process id, for the second engine's error.
struct EngineLock: ~Copyable {
    let descriptor: Int32

    /// Takes the lock, or says who has it. Nothing in the store is touched before.
    init(_ directory: StoreDirectory) throws(LogError) {
        let descriptor = open(directory.enginePath, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            if errno == ENOSPC || errno == EDQUOT { throw .diskFull(path: directory.path) }
            if errno == ENOTDIR { throw .notAStore(path: directory.path, reason: "it is not a directory") }
            throw .notWritable(path: directory.path, reason: systemReason(errno))
        }
        guard Self.take(descriptor) == 0 else {
            let reason = errno
            defer { close(descriptor) }
            guard reason == EWOULDBLOCK else {
                throw .inputOutput(operation: "locking '\(directory.enginePath)'", reason: systemReason(reason))
            }
            throw .locked(path: directory.path, owner: Self.owner(descriptor))
        }
        self.descriptor = descriptor
        // The id is a courtesy: a full disk must not keep the engine from its lock.
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
    }

    /// When an engine is killed while it starts a program, the child has the lock until it has become that program, a moment later.
    /// So an owner that is dead is waited for.
    private static func take(_ descriptor: Int32) -> Int32 {
        for _ in 0..<waitsMax {
            let code = flock(descriptor, LOCK_EX | LOCK_NB)
            guard code != 0, errno == EWOULDBLOCK, let owner = owner(descriptor), kill(pid_t(owner), 0) != 0,
                errno == ESRCH
            else { return code }
            usleep(waitMicroseconds)
        }
        return flock(descriptor, LOCK_EX | LOCK_NB)
    }

    private static let waitsMax = 1000
    private static let waitMicroseconds: UInt32 = 2000

    deinit {
        // Emptied, not removed: another engine may have the file open already and would lock a file without a name.
        _ = ftruncate(descriptor, 0)
        // A child that has not become its program yet shares the lock; closing alone would leave it there.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// The process id that the file holds.
    static func owner(_ descriptor: Int32) -> Int? {
        var bytes = [UInt8](repeating: 0, count: 32)
        let count = pread(descriptor, &bytes, bytes.count, 0)
        guard count > 0 else { return nil }
        return Int(String(decoding: bytes[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}
