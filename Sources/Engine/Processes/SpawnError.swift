import Glibc
import StepwellModel

/// Why a program could not be started.
enum SpawnError: StepwellError, Hashable {
    case programNotFound(String, path: String?)
    case notExecutable(String)
    /// A text file without a `#!` line, a damaged binary, or one for another machine.
    case notAProgram(String)
    case interpreterNotFound(String)
    case workingDirectory(String, reason: String)
    case badArguments(String)
    case tooLong(String)
    /// The system has no room at the moment.
    case exhausted(String, reason: String)
    case other(String, reason: String)

    var code: String {
        switch self {
        case .programNotFound, .interpreterNotFound: "program_not_found"
        case .notExecutable, .notAProgram: "program_not_executable"
        case .workingDirectory: "working_directory"
        case .badArguments, .tooLong: "bad_arguments"
        case .exhausted: "system_limit"
        case .other: "spawn_failed"
        }
    }

    var message: String {
        switch self {
        case .programNotFound(let name, let path):
            "there is no program '\(name)'" + (path.map { " in the PATH \($0)" } ?? "")
        case .notExecutable(let name): "'\(name)' may not be executed"
        case .notAProgram(let name): "'\(name)' is no program that this system can run"
        case .interpreterNotFound(let name): "'\(name)' names an interpreter in its first line that does not exist"
        case .workingDirectory(let path, let reason): "the working directory '\(path)' cannot be entered: \(reason)"
        case .badArguments(let reason): reason
        case .tooLong(let name): "the arguments and the environment of '\(name)' are longer than the system allows"
        case .exhausted(let name, let reason): "'\(name)' cannot be started at the moment: \(reason)"
        case .other(let name, let reason): "'\(name)' cannot be started: \(reason)"
        }
    }

    var cure: String? {
        switch self {
        case .programNotFound: "install it, or correct its name or the PATH"
        case .notExecutable(let name): "'chmod +x \(name)' makes it executable"
        case .notAProgram: "a script begins with a line such as #!/bin/sh"
        case .interpreterNotFound: "correct the line that begins with #!, also its line end"
        case .workingDirectory: "make the directory, or correct 'working_directory' in the template"
        case .badArguments: nil
        case .tooLong: "give large values in the step's input, which comes on standard input"
        case .exhausted: "raise the limit of processes or open files, or lower the number of commands that run at once"
        case .other: nil
        }
    }

    /// Another try may do better without anybody's help.
    var isTransient: Bool {
        if case .exhausted = self { true } else { false }
    }

    init(_ number: Int32, starting name: String) {
        switch number {
        case EACCES, EPERM: self = .notExecutable(name)
        case ENOEXEC, EISDIR, ELIBBAD: self = .notAProgram(name)
        case E2BIG: self = .tooLong(name)
        case EAGAIN, ENOMEM, EMFILE, ENFILE, ETXTBSY: self = .exhausted(name, reason: errorText(number))
        default: self = .other(name, reason: errorText(number))
        }
    }
}
