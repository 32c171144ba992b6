import CLinux
import Glibc

/// A store put in the place of another, or where there was none, from a copy of it.
package struct StoreRestore: Sendable {
    private let target: String
    private let replaces: Bool

    /// - Parameter replaces: whether a store that is there may be put aside.
    /// - Throws: ``LogError/notEmpty(path:)``
    package init(at path: String, replaces: Bool) throws(LogError) {
        // A link to a store stays; it is the store behind it that is replaced.
        let resolved = realpath(path, nil)
        defer { free(resolved) }
        target = resolved.map { String(cString: $0) } ?? path
        let directory = StoreDirectory(path: target)
        self.replaces = replaces && access(target, F_OK) == 0 && (directory.hasData() || !directory.isUnmade())
        if !self.replaces { _ = try NewStore(at: target) }
    }

    /// Whether something is there that has to go.
    package var putsAside: Bool { replaces }

    /// - Returns: where the restored log ends, and where the old store is now.
    package func perform(from backup: LMDBReader) throws -> (head: LogHead, aside: String?) {
        guard replaces else { return (try NewStore(at: target).copy(backup), nil) }
        let directory = StoreDirectory(path: target)
        guard try directory.identity() != backup.environment.directory.identity() else {
            throw LogError.notWritable(path: target, reason: "it is the backup itself")
        }
        // No engine may be at work on what is taken away.
        let lock = try EngineLock(directory)
        let restored = try NewStore(at: target + ".restoring")
        let head = try restored.copy(backup)
        let aside = unusedName()
        // In one step, so that there is a store at every moment.
        guard linux_exchange(restored.path, target) == 0 else {
            let reason = systemReason(errno)
            StoreDirectory(path: restored.path).remove()
            throw LogError.inputOutput(operation: "putting the store in its place", reason: reason)
        }
        guard rename(restored.path, aside) == 0 else {
            throw LogError.inputOutput(
                operation: "renaming '\(restored.path)', the old store,", reason: systemReason(errno))
        }
        directory.syncNames()
        _ = consume lock
        return (head, aside)
    }

    private func unusedName() -> String {
        for number in 1... {
            let name = "\(target).replaced-\(number)"
            if access(name, F_OK) != 0 { return name }
        }
        preconditionFailure("numbers do not end")
    }
}
