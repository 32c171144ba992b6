import CLinux
import Glibc
import Stepwell

extension Files {
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
