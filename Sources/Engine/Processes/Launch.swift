import CLinux
import Glibc
import StepwellModel

/// What to start: a program, its arguments, its environment and where it runs.
struct Launch {
    /// The program first.
    var arguments: [String]
    var environment: ProcessEnvironment
    var workingDirectory: String?

    private static let defaultPath = "/usr/local/bin:/usr/bin:/bin"

    /// Starts the program in a process group of its own. Returns its process number.
    func spawn(input: Int32, output: Int32, error: Int32) throws(SpawnError) -> pid_t {
        guard let name = arguments.first, !name.isEmpty else {
            throw .badArguments("the command is empty: it names no program")
        }
        guard !arguments.contains(where: { $0.utf8.contains(0) }) else {
            throw .badArguments("an argument of '\(name)' holds a zero byte")
        }
        let program = try locate(name)
        var process: pid_t = 0
        let streams = [input, output, error]
        let failure = withCStrings(arguments.map { Array($0.utf8) + [0] }) { arguments in
            environment.withPointers { environment in
                withOptionalCString(workingDirectory) { directory in
                    linux_spawn(&process, program, arguments, environment, directory, streams)
                }
            }
        }
        guard failure != 0 else { return process }
        throw diagnose(failure, program)
    }

    /// Searches the child's own PATH, which `posix_spawnp` does not.
    private func locate(_ name: String) throws(SpawnError) -> String {
        guard !name.contains("/") else { return name }
        let path = environment["PATH"] ?? Self.defaultPath
        var found: String?
        for directory in path.split(separator: ":", omittingEmptySubsequences: false) {
            let candidate = directory.isEmpty ? "./\(name)" : "\(directory)/\(name)"
            switch access(fromWorkingDirectory(candidate)) {
            case .program: return candidate
            case .file: found = found ?? candidate
            case .nothing: continue
            }
        }
        if let found { throw .notExecutable(found) }
        throw .programNotFound(name, path: path)
    }

    private enum Access {
        case nothing
        case file
        case program
    }

    private func access(_ path: String) -> Access {
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return .nothing }
        return Glibc.access(path, X_OK) == 0 ? .program : .file
    }

    private func fromWorkingDirectory(_ path: String) -> String {
        guard let workingDirectory, !path.hasPrefix("/") else { return path }
        return "\(workingDirectory)/\(path)"
    }

    /// The error number alone does not tell whose it is: the directory's, the program's or its interpreter's.
    private func diagnose(_ number: Int32, _ program: String) -> SpawnError {
        if let workingDirectory {
            var status = stat()
            if stat(workingDirectory, &status) != 0 {
                return .workingDirectory(workingDirectory, reason: errorText(errno))
            }
            if status.st_mode & S_IFMT != S_IFDIR {
                return .workingDirectory(workingDirectory, reason: errorText(ENOTDIR))
            }
            if Glibc.access(workingDirectory, X_OK) != 0 {
                return .workingDirectory(workingDirectory, reason: errorText(errno))
            }
        }
        guard number == ENOENT || number == ENOTDIR else { return SpawnError(number, starting: program) }
        return access(fromWorkingDirectory(program)) == .nothing
            ? .programNotFound(program, path: nil) : .interpreterNotFound(program)
    }
}

private func withOptionalCString<Result>(_ text: String?, _ body: (UnsafePointer<CChar>?) -> Result) -> Result {
    guard let text else { return body(nil) }
    return text.withCString { body($0) }
}
