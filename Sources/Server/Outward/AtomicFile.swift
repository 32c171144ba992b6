import CLinux
import Glibc
import Stepwell

/// A small file that only its owner can read, and that is replaced as a whole: whatever happens, it is the old one or the new.
/// What root writes belongs to whom its folder belongs to, so that a server of that user can read it.
enum AtomicFile {
    static func write(_ bytes: [UInt8], to path: String) throws(FileError) {
        let next = path + ".new"
        unlink(next)
        let descriptor = linux_open(next, O_WRONLY | O_CREAT | O_EXCL, 0o600)
        guard descriptor >= 0 else { throw .last(next, "unwritable_file") }
        defer { close(descriptor) }
        var rest = bytes[...]
        while !rest.isEmpty {
            let count = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw .last(next, "unwritable_file") }
            rest = rest.dropFirst(count)
        }
        let folder = path.lastIndex(of: "/").map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        if geteuid() == 0, let owner = Files.owner(of: folder) {
            guard fchown(descriptor, owner.user, owner.group) == 0 else { throw .last(next, "unwritable_file") }
        }
        guard fsync(descriptor) == 0, rename(next, path) == 0 else { throw .last(path, "unwritable_file") }
        try sync(folder)
    }

    /// Puts the names in a folder on disk: a token that was shown must be there after a loss of power.
    private static func sync(_ folder: String) throws(FileError) {
        let descriptor = linux_open(folder, O_RDONLY | O_DIRECTORY, 0)
        guard descriptor >= 0 else { throw .last(folder, "unwritable_file") }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .last(folder, "unwritable_file") }
    }
}
