import CLinux
import Glibc
public import StepwellModel

/// A file that cannot be read or written.
public struct FileError: StepwellError {
    public var path: String
    public var reason: String
    public var code: String

    public var message: String { "'\(path)': \(reason)" }

    package init(path: String, reason: String, code: String) {
        self.path = path
        self.reason = reason
        self.code = code
    }

    /// What the last system call has left in `errno`.
    package static func last(_ path: String, _ code: String) -> FileError {
        FileError(path: path, reason: String(cString: strerror(errno)), code: code)
    }
}

package enum Files {
    /// The bytes of a file; `-` is standard input.
    package static func read(_ path: String, bytesMax: Int = 64 << 20) throws(FileError) -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : linux_open(path, O_RDONLY, 0)
        guard descriptor >= 0 else { throw .last(path, "unreadable_file") }
        defer { if path != "-" { close(descriptor) } }
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            let count = Glibc.read(descriptor, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw .last(path, "unreadable_file") }
            guard count > 0 else { return bytes }
            bytes += chunk[..<count]
            guard bytes.count <= bytesMax else {
                throw FileError(path: path, reason: "is larger than \(bytesMax) bytes", code: "unreadable_file")
            }
        }
    }
}

extension Files {
    /// A link to a directory is none.
    package static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// Whether it is not known to be something else, links followed: what is not there is for whoever opens it to find out.
    package static func isRegular(_ path: String) -> Bool {
        var status = stat()
        return stat(path, &status) != 0 || status.st_mode & S_IFMT == S_IFREG
    }

    /// Nil for what is not there.
    package static func owner(of path: String) -> (user: UInt32, group: UInt32)? {
        var status = stat()
        return stat(path, &status) == 0 ? (status.st_uid, status.st_gid) : nil
    }

    /// The names in a folder, sorted, without `.` and `..`.
    package static func names(in folder: String) throws(FileError) -> [String] {
        guard let directory = opendir(folder) else { throw .last(folder, "unreadable_file") }
        defer { closedir(directory) }
        var names: [String] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        return names.sorted()
    }
}
