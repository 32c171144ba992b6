import CLinux
import Glibc
package import Stepwell
import StepwellEngine
import Synchronization

/// Tells which files of a folder, and of those within it, have changed, by inotify.
///
/// A file counts when it is complete: closed after it was written, moved to its name, linked, or gone. What changes in one breath, as
/// when an editor saves, is told together. What cannot be told file by file is told as a change of everything: new folders, a link that
/// leads elsewhere, more events than the system keeps.
package final class FolderWatch: @unchecked Sendable {  // After `start` all but `isEnded` belongs to its thread.
    package enum Change: Hashable, Sendable {
        /// Their paths.
        case files(Set<String>)
        case everything

        fileprivate static func joined(_ left: Change?, _ right: Change) -> Change {
            guard let left else { return right }
            guard case .files(let one) = left, case .files(let other) = right else { return .everything }
            return .files(one.union(other))
        }
    }

    private let path: String
    private var descriptor: Int32 = -1
    private var folders: [Int32: String] = [:]
    /// Which folder the path leads to; nil: none.
    private var identity: Identity?
    private let isEnded = Atomic(false)

    private struct Identity: Hashable {
        var device: UInt
        var inode: UInt
    }

    /// Nothing more for so long ends a breath.
    private static let quiet: Int64 = 100
    /// A breath is no longer than this.
    private static let longest: Int64 = 1000
    /// How often it is looked at whether the path leads to another folder.
    private static let look: Int64 = 1000
    private static let mask = UInt32(
        IN_CLOSE_WRITE | IN_MOVED_TO | IN_MOVED_FROM | IN_DELETE | IN_CREATE | IN_DELETE_SELF | IN_MOVE_SELF)

    /// From now on changes are noticed; they are told after ``start(_:)``.
    package init(_ path: String) throws(FileError) {
        self.path = path
        try rebuild()
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Tells of changes, on a thread of its own, and of what keeps it from noticing them.
    package func start(_ call: @escaping @Sendable (Result<Change, FileError>) -> Void) {
        onThread { [self] in run(call) }
    }

    package func end() { isEnded.store(true, ordering: .relaxed) }

    private func run(_ call: (Result<Change, FileError>) -> Void) {
        var change: Change?
        var (first, looked) = (Int64(0), monotonicMilliseconds())
        while !isEnded.load(ordering: .relaxed) {
            var poll = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let isThere = Glibc.poll(&poll, 1, Int32(change == nil ? Self.look : Self.quiet)) > 0
            let now = monotonicMilliseconds()
            if isThere, let more = take() {
                if change == nil { first = now }
                change = .joined(change, more)
            }
            if now - looked >= Self.look {
                looked = now
                if identity != Self.identity(of: path) { change = .everything }
            }
            guard let found = change, !isThere || now - first >= Self.longest else { continue }
            change = nil
            do throws(FileError) {
                // Before anything is read, so that nothing falls between.
                if found == .everything { try rebuild() }
                call(.success(found))
            } catch { call(.failure(error)) }
        }
    }

    // MARK: Events

    private func take() -> Change? {
        var buffer = [UInt8](repeating: 0, count: 64 << 10)
        let count = read(descriptor, &buffer, buffer.count)
        guard count > 0 else { return nil }
        var change: Change?
        buffer.withUnsafeBytes { bytes in
            var offset = 0
            while offset + MemoryLayout<inotify_event>.size <= count {
                let event = bytes.loadUnaligned(fromByteOffset: offset, as: inotify_event.self)
                offset += MemoryLayout<inotify_event>.size
                let name = bytes[offset..<offset + Int(event.len)].prefix { $0 != 0 }
                offset += Int(event.len)
                if let more = meaning(event, String(decoding: name, as: UTF8.self)) {
                    change = .joined(change, more)
                }
            }
        }
        return change
    }

    private func meaning(_ event: inotify_event, _ name: String) -> Change? {
        let isAbout = { (mask: Int32) in event.mask & UInt32(bitPattern: mask) != 0 }
        if isAbout(IN_Q_OVERFLOW) || isAbout(IN_DELETE_SELF) || isAbout(IN_MOVE_SELF) { return .everything }
        guard let folder = folders[event.wd], !name.isEmpty else { return nil }
        let file = folder + "/" + name
        let isNew = isAbout(IN_CREATE) || isAbout(IN_MOVED_TO)
        if event.mask & UInt32(IN_ISDIR) != 0 {
            return name.hasPrefix(".") && !isNew ? nil : .everything
        }
        if name.hasPrefix(".") {
            // Other names may lead through this one.
            return isNew && Self.status(file).map { $0.st_mode & S_IFMT == S_IFLNK } ?? false ? .everything : nil
        }
        guard TemplateFolder.isTemplate(name) else { return nil }
        if isAbout(IN_CREATE), !isAbout(IN_MOVED_TO) {
            // A file that was just made is still to be written; a link is complete.
            guard let status = Self.status(file), status.st_mode & S_IFMT == S_IFLNK || status.st_nlink > 1 else {
                return nil
            }
        }
        return .files([file])
    }

    // MARK: Watches

    /// Watches the folders that are there now.
    private func rebuild() throws(FileError) {
        let next = inotify_init1(Int32(IN_CLOEXEC) | Int32(IN_NONBLOCK))
        guard next >= 0 else { throw .last(path, "unreadable_file") }
        let found = Self.identity(of: path)
        var names: [Int32: String] = [:]
        do throws(FileError) {
            if found != nil { try Self.watch(path, next, &names) }
        } catch {
            close(next)
            throw error
        }
        if descriptor >= 0 { close(descriptor) }
        (descriptor, folders, identity) = (next, names, found)
    }

    private static func watch(_ folder: String, _ descriptor: Int32, _ names: inout [Int32: String]) throws(FileError) {
        let number = inotify_add_watch(descriptor, folder, mask)
        guard number >= 0 else {
            // Gone since it was found.
            if errno == ENOENT { return }
            throw .last(folder, "unreadable_file")
        }
        names[number] = folder
        for name in (try? Files.names(in: folder)) ?? [] where !name.hasPrefix(".") {
            let inner = folder + "/" + name
            if Files.isDirectory(inner) { try watch(inner, descriptor, &names) }
        }
    }

    private static func identity(of path: String) -> Identity? {
        var status = stat()
        guard stat(path, &status) == 0 else { return nil }
        return Identity(device: UInt(status.st_dev), inode: UInt(status.st_ino))
    }

    private static func status(_ path: String) -> stat? {
        var status = stat()
        return lstat(path, &status) == 0 ? status : nil
    }
}
