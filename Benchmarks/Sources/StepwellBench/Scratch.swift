import Foundation

/// A directory of one run. It is removed when the run has ended.
final class Scratch: Sendable {
    let path: String

    init(in parent: String) throws {
        path = parent + "/stepwell-bench-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    var store: String { path + "/store" }

    func write(_ name: String, _ text: String) throws -> String {
        try Data(text.utf8).write(to: URL(fileURLWithPath: path + "/" + name))
        return path + "/" + name
    }

    /// The blocks that the store's data take on the disk, in bytes.
    func storeBytes() -> Double {
        var status = stat()
        return stat(store + "/data.mdb", &status) == 0 ? Double(status.st_blocks) * 512 : 0
    }
}
