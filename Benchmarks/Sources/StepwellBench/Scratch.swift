import Foundation

/// A directory of one run. Whoever makes it removes it, however the run has ended.
struct Scratch: Sendable {
    let path: String

    static func make(in parent: String) throws -> Scratch {
        let scratch = Scratch(path: parent + "/stepwell-bench-" + UUID().uuidString)
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        return scratch
    }

    func remove() { try? FileManager.default.removeItem(atPath: path) }

    var store: String { path + "/store" }
    private var data: String { store + "/data.mdb" }

    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }

    /// The blocks that the store's data take on the disk, in bytes.
    func storeBytes() -> Double {
        var status = stat()
        return stat(data, &status) == 0 ? Double(status.st_blocks) * 512 : 0
    }

    /// Refuses to begin what the disk has no place for.
    func require(bytes: Int) throws {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { return }
        let free = Int(status.f_bavail) * Int(status.f_frsize)
        guard free < bytes else { return }
        throw OptionError(
            message: "this needs \(bytes >> 20) MiB, and \(free >> 20) MiB are free; --directory names another disk")
    }

    /// Sees to it that the store is read from the disk by whoever opens it next. No process may have it open.
    func dropFromMemory() throws {
        // The threads of an engine that has stopped may be about to end.
        let deadline = ContinuousClock.now + .seconds(10)
        while try String(contentsOfFile: "/proc/self/maps", encoding: .utf8).contains(data) {
            guard ContinuousClock.now < deadline else { throw OptionError(message: "\(data) is still open") }
            usleep(1000)
        }
        let descriptor = open(data, O_RDONLY)
        defer { close(descriptor) }
        guard fsync(descriptor) == 0, posix_fadvise(descriptor, 0, 0, POSIX_FADV_DONTNEED) == 0 else {
            throw OptionError(message: "\(data) cannot be dropped from memory: \(errno)")
        }
    }
}
