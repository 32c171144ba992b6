import Glibc

/// A store that is being made, from another one or from a file. It is whole or it is not there: it grows under another name and gets
/// its own when it has been read and is on the disk.
package struct NewStore: Sendable {
    private let target: StoreDirectory
    /// Within the target, so that the last step is a renaming on one disk.
    private let unfinished: StoreDirectory
    private let makesTarget: Bool

    /// - Throws: ``LogError/notEmpty(path:)`` unless the directory at `path` is missing or empty.
    package init(at path: String) throws(LogError) {
        target = StoreDirectory(path: path)
        unfinished = StoreDirectory(path: path + "/" + StoreDirectory.unfinishedName)
        makesTarget = access(path, F_OK) != 0
        try checkTarget()
    }

    package var path: String { target.path }

    /// How much is written so far.
    package var bytesWritten: Int { max(0, unfinished.dataSize()) }

    /// How large the store is when it is whole.
    package var bytes: Int { max(0, target.dataSize()) }

    /// Makes the store by what `fill` does in the directory that it is given.
    /// - Returns: where its log ends.
    /// - Throws: what `fill` throws, or ``LogError``; nothing is left of the store then.
    package func make(_ fill: (_ path: String) throws -> Void) throws -> LogHead {
        do {
            try target.create()
            let lock = try EngineLock(target)
            // Somebody else may have been here before the lock was.
            try checkTarget()
            unfinished.remove()
            try unfinished.create()
            try fill(unfinished.path)
            let head = try LMDBReader(path: unfinished.path).currentHead()
            guard rename(unfinished.dataPath, target.dataPath) == 0 else {
                throw LogError.inputOutput(operation: "renaming '\(unfinished.dataPath)'", reason: systemReason(errno))
            }
            unfinished.remove()
            target.syncNames()
            _ = consume lock
            return head
        } catch LogError.locked(let path, let owner) where path == target.path {
            // What is there belongs to the other one.
            throw LogError.locked(path: path, owner: owner)
        } catch LogError.diskFull {
            abandon()
            // By the name that the user knows.
            throw LogError.diskFull(path: target.path)
        } catch {
            abandon()
            throw error
        }
    }

    /// Makes the store a copy of another one as it is when this begins, without free pages.
    package func copy(_ source: some StoreQueries) throws -> LogHead {
        try make { path in try write(source, to: StoreDirectory(path: path)) }
    }

    /// Leaves nothing behind of a store that is not whole. May be called from another thread before the process ends.
    package func abandon() {
        unfinished.remove()
        guard !target.hasData(), target.isUnmade() else { return }
        unlink(target.enginePath)
        if makesTarget { rmdir(target.path) }
    }

    private func checkTarget() throws(LogError) {
        guard access(target.path, F_OK) == 0 else { return }
        _ = try target.identity()
        guard !target.hasData(), target.isUnmade() else { throw .notEmpty(path: target.path) }
    }

    private func write(_ source: some StoreQueries, to directory: StoreDirectory) throws(LogError) {
        let descriptor = open(directory.dataPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw directory.missing(errno) }
        defer { close(descriptor) }
        try source.environment.copy(to: descriptor)
        guard fsync(descriptor) == 0 else {
            throw LMDBError(code: errno, operation: "fsync").logError(path: directory.path)
        }
    }
}
