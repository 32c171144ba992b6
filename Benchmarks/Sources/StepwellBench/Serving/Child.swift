import Foundation

/// A process that goes on until it is stopped.
final class Child {
    let id: pid_t
    /// What it says, if that is wanted.
    let output: Int32

    /// - Parameters:
    ///   - words: a path, or a name to be looked for, and arguments.
    ///   - directory: where it runs.
    ///   - reads: which of its descriptors `output` reads, 1 or 2.
    init(
        _ words: [String], in directory: String, environment: [String: String] = [:], reads: Int32? = nil
    ) throws {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw OptionError(message: "pipe: errno \(errno)") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        for descriptor: Int32 in 0...2 {
            posix_spawn_file_actions_addopen(&actions, descriptor, "/dev/null", O_RDWR, 0)
        }
        if let reads { posix_spawn_file_actions_adddup2(&actions, ends[1], reads) }
        // The threads of the task pool block all signals, and a child would inherit that: nothing could end it in good order.
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        var none = sigset_t()
        sigemptyset(&none)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK))
        let arguments = (["env", "-C", directory] + words).map { strdup($0) } + [nil]
        let variables =
            ProcessInfo.processInfo.environment.merging(environment) { $1 }.map { strdup("\($0)=\($1)") } + [nil]
        defer { for word in arguments + variables { free(word) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, "/usr/bin/env", &actions, &attributes, arguments, variables)
        close(ends[1])
        guard code == 0 else {
            close(ends[0])
            throw OptionError(message: "'\(words[0])' cannot be started: errno \(code)")
        }
        id = process
        output = ends[0]
        if reads == nil { close(output) }
    }

    var isRunning: Bool { kill(id, 0) == 0 && waitpid(id, nil, WNOHANG) == 0 }

    /// Bytes in memory that belong to it alone: not those of a file, which the system keeps as long as it likes.
    var anonymousBytes: Double {
        let text = (try? String(contentsOfFile: "/proc/\(id)/status", encoding: .utf8)) ?? ""
        guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("RssAnon:") }) else { return 0 }
        return (Double(line.split(whereSeparator: \.isWhitespace)[1]) ?? 0) * 1024
    }

    func stop() {
        kill(id, SIGTERM)
        wait()
    }

    func wait() { waitpid(id, nil, 0) }
}
