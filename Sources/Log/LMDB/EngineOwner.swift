import Glibc

extension LMDBReader {
    /// Whether an engine is at work on the store, by the process id that it keeps in `engine.lock` while it runs. The lock itself
    /// is not tried: a reader that held it for a moment could keep an engine out.
    package var isEngineAtWork: Bool { Self.engineProcess(on: environment.path) != nil }

    /// The process of the engine that is at work on the store, without opening it.
    package static func engineProcess(on path: String) -> Int? {
        let directory = StoreDirectory(path: path)
        let descriptor = open(directory.enginePath, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        guard let owner = EngineLock.owner(descriptor) else { return nil }
        // A process that has ended, but whose parent has not asked how, still answers to signals.
        let status = "/proc/\(owner)/stat"
        let process = open(status, O_RDONLY | O_CLOEXEC)
        guard process >= 0 else { return nil }
        defer { close(process) }
        var bytes = [UInt8](repeating: 0, count: 1024)
        let count = read(process, &bytes, bytes.count)
        // `1234 (name) S …`; the name may hold anything.
        guard count > 0, let end = bytes[..<count].lastIndex(of: UInt8(ascii: ")")), end + 2 < count else {
            return nil
        }
        return bytes[end + 2] == UInt8(ascii: "Z") ? nil : owner
    }
}
