import Foundation

/// The release binary, run as its users run it: a process for each command.
struct Program: Sendable {
    let path: String
    private let store: String

    struct Ended: Sendable {
        /// From before the process is made until it has ended and its output is read.
        var seconds: Double
        var output: String
        var lineCount: Int { output.count { $0 == "\n" } }
    }

    /// Takes the binary that `STEPWELL_BIN` names, else that of this checkout.
    init(store: String) throws {
        let checkout = URL(fileURLWithPath: #filePath).pathComponents.dropFirst().dropLast(4).joined(separator: "/")
        path = ProcessInfo.processInfo.environment["STEPWELL_BIN"] ?? "/\(checkout)/.build/release/stepwell"
        self.store = store
        guard access(path, X_OK) == 0 else {
            throw OptionError(
                message: "there is no program '\(path)'; make it with "
                    + "'swift build -c release --static-swift-stdlib --product stepwell', or name it by STEPWELL_BIN")
        }
    }

    /// Runs one command on the store and waits for its end, on a thread of its own: the engine's handlers need those of the task
    /// pool. A command that takes longer than `limit` is killed.
    func run(_ arguments: [String], limit: Duration = .seconds(120)) async throws -> Ended {
        let ended = await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(returning: Result { try child(arguments, limit) })
            }
        }
        return try ended.get()
    }

    /// How many events the store has.
    func eventCount() async throws -> Int {
        struct Head: Decodable { var seq: Int }
        let head = try await run(["audit", "head", "-o", "json"]).output
        return try JSONDecoder().decode(Head.self, from: Data(head.utf8)).seq
    }

    private func child(_ arguments: [String], _ limit: Duration) throws -> Ended {
        var pipe: [Int32] = [-1, -1]
        guard Glibc.pipe(&pipe) == 0 else { throw ProgramError(arguments, "pipe: \(errno)") }
        for end in pipe { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(pipe[0]) }
        let start = ContinuousClock.now
        let process = try spawn(arguments, output: pipe[1])
        close(pipe[1])
        let output: [UInt8]
        do {
            output = try read(pipe[0], until: start + limit)
        } catch {
            kill(process, SIGKILL)
            waitpid(process, nil, 0)
            throw ProgramError(arguments, "took longer than \(limit)")
        }
        // Nothing but its end closes its output.
        var status: Int32 = 0
        waitpid(process, &status, 0)
        let seconds = (ContinuousClock.now - start).seconds
        guard status == 0 else { throw ProgramError(arguments, "ended with status \(status)") }
        return Ended(seconds: seconds, output: String(decoding: output, as: UTF8.self))
    }

    private func spawn(_ arguments: [String], output: Int32) throws -> pid_t {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_adddup2(&actions, output, 1)
        let words = ([path] + arguments + ["--store", store]).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var process: pid_t = 0
        let code = posix_spawn(&process, path, &actions, nil, words, environ)
        guard code == 0 else {
            close(output)
            throw ProgramError(arguments, "cannot be started: \(code)")
        }
        return process
    }

    private func read(_ descriptor: Int32, until deadline: ContinuousClock.Instant) throws -> [UInt8] {
        var all: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            var entry = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
            let left = (deadline - ContinuousClock.now).seconds
            guard left > 0, poll(&entry, 1, Int32(left * 1000) + 1) >= 0 else { throw CancellationError() }
            guard entry.revents != 0 else { continue }
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { return all }
            all += buffer[..<count]
        }
    }
}

struct ProgramError: Error, CustomStringConvertible {
    var description: String

    init(_ arguments: [String], _ reason: String) {
        description = "'stepwell \(arguments.joined(separator: " "))' \(reason)"
    }
}
