import CLinux
import Glibc
import StepwellModel
import Synchronization

/// Where secrets come from: files of a folder, one a secret, or environment variables. They are looked up anew for every
/// attempt, so that a changed secret needs no restart, and nothing but the present process's memory ever holds one.
package final class SecretStore: Sendable {
    /// In the order in which they are asked.
    private let directories: [String]
    private let environment: @Sendable (String) -> String?
    /// All that was given out, for lines that belong to no attempt.
    private let known = Mutex<[String: [String]]>([:])

    /// Larger ones are taken for a mistake.
    static let bytesMax = 64 << 10
    /// What is shorter would be found in too many places where it means nothing, so that it could not be kept out of the log.
    static let bytesMin = 4
    /// Former values of one secret that are remembered.
    private static let formerMax = 8

    package init(
        directories: [String] = [], environment: @escaping @Sendable (String) -> String? = { _ in nil }
    ) {
        self.directories = directories
        self.environment = environment
    }

    /// What this process was given: the folder, then systemd's credentials, then environment variables.
    package static func here(directory: String? = nil) -> SecretStore {
        let environment: @Sendable (String) -> String? = { name in getenv(name).map { String(cString: $0) } }
        let credentials = environment("CREDENTIALS_DIRECTORY").flatMap { $0.isEmpty ? nil : $0 }
        return SecretStore(directories: [directory, credentials].compactMap(\.self), environment: environment)
    }

    /// Variables that begin so are kept from all children: each gets just what its template names.
    static let variablePrefix = "STEPWELL_SECRET_"

    /// The variable that gives this secret, in the form that a shell can set.
    package static func variable(of name: String) -> String {
        variablePrefix + String(name.map { $0 == "-" || $0 == "." ? "_" : $0 }).uppercased()
    }

    // MARK: Values

    package func value(of name: String) throws(SecretError) -> String {
        let value = try lookUp(name)
        guard value.utf8.count >= Self.bytesMin else {
            throw .unusable(
                name, reason: "it is shorter than \(Self.bytesMin) bytes, and could not be kept out of the log")
        }
        guard !value.utf8.contains(0) else { throw .unusable(name, reason: "it holds a zero byte") }
        known.withLock { known in
            var values = known[name] ?? []
            guard !values.contains(value) else { return }
            values.append(value)
            if values.count > Self.formerMax { values.removeFirst() }
            known[name] = values
        }
        return value
    }

    private func lookUp(_ name: String) throws(SecretError) -> String {
        for directory in directories {
            if let value = try read(name, in: directory) { return value }
        }
        // As it is written first: a program that sets it need not think of shells.
        for variable in [Self.variablePrefix + name, Self.variable(of: name)] {
            if let value = environment(variable), !value.isEmpty { return value }
        }
        throw .missing(name, directories: directories)
    }

    /// The file's content without the line's end that editors and `echo` put there; nil when there is no such file.
    private func read(_ name: String, in directory: String) throws(SecretError) -> String? {
        let path = "\(directory)/\(name)"
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else {
            if errno == ENOENT || errno == ENOTDIR { return nil }
            throw .unusable(name, reason: "'\(path)': \(String(cString: strerror(errno)))")
        }
        defer { close(file) }
        var status = stat()
        guard fstat(file, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
            throw .unusable(name, reason: "'\(path)' is no file")
        }
        var bytes = [UInt8](repeating: 0, count: Self.bytesMax + 1)
        var count = 0
        while count < bytes.count {
            let got = bytes.withUnsafeMutableBytes { Glibc.read(file, $0.baseAddress! + count, $0.count - count) }
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else { throw .unusable(name, reason: "'\(path)': \(String(cString: strerror(errno)))") }
            if got == 0 { break }
            count += got
        }
        guard count <= Self.bytesMax else {
            throw .unusable(name, reason: "'\(path)' is larger than \(Self.bytesMax) bytes")
        }
        bytes.removeSubrange(count...)
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let value = String(validating: bytes, as: UTF8.self) else {
            throw .unusable(name, reason: "'\(path)' is not UTF-8")
        }
        // An empty file is one that somebody has still to fill.
        return value.isEmpty ? nil : value
    }

    /// For what belongs to no attempt, such as a line of a worker process for the operator: hides all that was ever given out.
    package var redaction: Redaction {
        let known = known.withLock { $0 }
        return Redaction(known.sorted { $0.key < $1.key }.flatMap { entry in entry.value.map { (entry.key, $0) } })
    }
}
