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

extension Files {
    /// A link to a directory is none.
    static func isDirectory(_ path: String) -> Bool {
        var status = stat()
        return lstat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
    }

    /// The names in a folder, sorted, without `.` and `..`.
    static func names(in folder: String) throws(FileError) -> [String] {
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
