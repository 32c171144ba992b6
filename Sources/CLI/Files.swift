import CLinux
import Glibc
import StepwellModel

/// A file that cannot be read or written.
struct FileError: StepwellError {
    var path: String
    var reason: String
    var code: String

    var message: String { "'\(path)': \(reason)" }

    static func last(_ path: String, _ code: String) -> FileError {
        FileError(path: path, reason: String(cString: strerror(errno)), code: code)
    }
}

enum Files {
    /// The bytes of a file; `-` is standard input.
    static func read(_ path: String, bytesMax: Int = 64 << 20) throws(FileError) -> [UInt8] {
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

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    static func makeDirectory(_ path: String) throws(FileError) {
        guard mkdir(path, 0o777) == 0 || errno == EEXIST else { throw .last(path, "unwritable_file") }
    }

    /// Writes a new file; one that exists is never overwritten.
    static func create(_ path: String, _ text: String, isExecutable: Bool = false) throws(FileError) {
        let descriptor = linux_open(path, O_WRONLY | O_CREAT | O_EXCL, isExecutable ? 0o777 : 0o666)
        guard descriptor >= 0 else { throw .last(path, errno == EEXIST ? "file_exists" : "unwritable_file") }
        defer { close(descriptor) }
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw .last(path, "unwritable_file") }
            bytes = bytes.dropFirst(count)
        }
    }
}
