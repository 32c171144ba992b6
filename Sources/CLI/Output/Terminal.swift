import CLinux
import Glibc
import Stepwell

/// Where text goes, and what it may look like there.
enum Terminal {
    static let stdinIsTerminal = isatty(STDIN_FILENO) == 1
    static let stdoutIsTerminal = isatty(STDOUT_FILENO) == 1
    static let stderrIsTerminal = isatty(STDERR_FILENO) == 1

    /// Colour only on a terminal, and never against NO_COLOR (no-color.org) or on a dumb one.
    static let colorAllowed =
        (getenv("NO_COLOR").map { $0.pointee == 0 } ?? true)
        && (getenv("TERM").map { String(cString: $0) != "dumb" } ?? true)
    static let stdoutIsColored = stdoutIsTerminal && colorAllowed
    static let stderrIsColored = stderrIsTerminal && colorAllowed

    /// Gives a standard stream that is closed to `/dev/null`. Else the next file to be opened, which may be the store's, would
    /// get its number, and everything that is printed.
    static func holdStandardStreams() {
        for descriptor in STDIN_FILENO...STDERR_FILENO where fcntl(descriptor, F_GETFD) < 0 {
            // The lowest free number is the one that is missing.
            _ = linux_open("/dev/null", O_RDWR, 0)
        }
    }

    /// Writes all of the text, also to a pipe that is slow. A reader of standard output that is gone ends the program as
    /// `SIGPIPE` would; a result that cannot be written ends it too, so that nobody takes half of it for the whole. Standard error
    /// only tells of the work, and must not end it.
    static func write(_ text: String, to descriptor: Int32) {
        var bytes = Array(text.utf8)[...]
        while !bytes.isEmpty {
            let count = bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0 {
                if errno == EINTR || errno == EAGAIN { continue }
                guard descriptor == STDOUT_FILENO else { return }
                if errno == EPIPE { exit(141) }
                let error = FileError.last("standard output", "unwritable_file")
                note("error: \(error)")
                exit(ExitCode(error).rawValue)
            }
            bytes = bytes.dropFirst(count)
        }
    }

    static var width: Int {
        var size = winsize()
        guard ioctl(STDERR_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else { return 100 }
        return Int(size.ws_col)
    }

    struct Size: Equatable {
        var rows: Int
        var columns: Int
    }

    /// Of the terminal that standard output is.
    static var size: Size {
        var size = winsize()
        guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0, size.ws_row > 0 else {
            return Size(rows: 24, columns: 80)
        }
        return Size(rows: Int(size.ws_row), columns: Int(size.ws_col))
    }
}

/// Writes to standard output, followed by a line's end.
func output(_ text: String) {
    Terminal.write(text + "\n", to: STDOUT_FILENO)
}

/// Writes to standard error, followed by a line's end.
func note(_ text: String) {
    Terminal.write(text + "\n", to: STDERR_FILENO)
}
