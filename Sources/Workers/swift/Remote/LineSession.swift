import Glibc
import StepwellModel
import Synchronization

/// The life of a worker that the engine has started: one message a line, on standard input and output.
final class LineSession: Sendable {
    private let input: Int32
    private let output: Int32
    private let hello: [UInt8]
    private let handlers: HandlerTable
    private let outbox = Outbox()
    private let state = Mutex(State())

    private static let readBytesMax = 1 << 20

    private struct State {
        var held: [Lease: RemoteAttempt] = [:]
        /// What comes now is lost with this process, and runs elsewhere.
        var isRefusing = false
        var isDraining = false
        var isFinished = false
        var resultBytesMax = 16 << 20
        var lineBytesMax = 64 << 20
        var continuation: CheckedContinuation<Void, Never>?
    }

    /// Takes standard input and output for the protocol: whatever else writes to descriptor 1, C code or a child process, now writes
    /// to standard error, and whatever reads finds nothing.
    /// - Throws: ``WorkerError/badWorker(_:)`` when they are not there.
    init(hello: [UInt8], handlers: HandlerTable) throws(WorkerError) {
        (self.hello, self.handlers) = (hello, handlers)
        (input, output) = (fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3), fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3))
        let nothing = open("/dev/null", O_RDONLY)
        guard input >= 0, output >= 0, nothing >= 0, dup2(nothing, STDIN_FILENO) >= 0,
            dup2(STDERR_FILENO, STDOUT_FILENO) >= 0
        else { throw .badWorker("standard input and output cannot be had: errno \(errno)") }
        close(nothing)
        StepPrints.takeOver()
    }

    func run() async {
        outbox.put(Outbox.Letter(bytes: hello))
        await withCheckedContinuation { continuation in
            state.withLock { $0.continuation = continuation }
            onOwnThread { [self] in readAll() }
            onOwnThread { [self] in writeOut() }
        }
    }

    /// Begins nothing more, and ends when what runs has ended.
    func drain() {
        state.withLock { ($0.isRefusing, $0.isDraining) = (true, true) }
        endIfEmpty()
    }

    private func endIfEmpty() {
        let isOver = state.withLock { state in
            guard state.isDraining, state.held.isEmpty, !state.isFinished else { return false }
            state.isFinished = true
            return true
        }
        guard isOver else { return }
        outbox.put(Outbox.Letter(bytes: Message.encode("drained")))
        outbox.close()
    }

    // MARK: The thread that writes

    private func writeOut() {
        while let letters = outbox.take() {
            var bytes: [UInt8] = []
            for letter in letters {
                bytes.append(contentsOf: letter.bytes)
                bytes.append(UInt8(ascii: "\n"))
            }
            // The engine is gone: nobody is left to tell.
            if !bytes.withUnsafeBytes({ writeAll($0, to: output) }) { _exit(0) }
        }
        let continuation = state.withLock { state in
            defer { state.continuation = nil }
            return state.continuation
        }
        continuation?.resume()
    }

    // MARK: The thread that reads

    private func readAll() {
        var line: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: Self.readBytesMax)
        while true {
            let count = buffer.withUnsafeMutableBytes { read(input, $0.baseAddress, $0.count) }
            if count < 0 && errno == EINTR { continue }
            // The end: the engine is gone, and takes no results.
            guard count > 0 else { _exit(0) }
            var rest = buffer[..<count]
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                line.append(contentsOf: rest[..<end])
                take(line)
                line.removeAll(keepingCapacity: line.count < Self.readBytesMax)
                rest = rest[(end + 1)...]
            }
            line.append(contentsOf: rest)
        }
    }

    private func take(_ line: [UInt8]) {
        guard let message = try? Message(line), let type = message.string("type") else { return refuse(line) }
        switch type {
        case "welcome":
            state.withLock { state in
                state.resultBytesMax = message.integer("result_bytes_max").map { Int($0) } ?? state.resultBytesMax
                state.lineBytesMax = message.integer("line_bytes_max").map { Int($0) } ?? state.lineBytesMax
            }
        case "attempt":
            let limit = state.withLock { $0.resultBytesMax }
            guard let attempt = RemoteAttempt(message, session: 1, checkpointBytesMax: limit, outbox: outbox) else {
                return refuse(line)
            }
            let isRefused = state.withLock { state in
                if !state.isRefusing { state.held[attempt.lease] = attempt }
                return state.isRefusing
            }
            if !isRefused { attempt.start(perform) }
        case "drain":
            state.withLock { $0.isDraining = true }
            endIfEmpty()
        default:
            // `rejected` tells of what has ended; what is unknown is ignored.
            guard let lease = message.lease, let attempt = state.withLock({ $0.held[lease] }) else { return }
            attempt.take(type, message)
        }
    }

    private func refuse(_ line: [UInt8]) {
        complain("cannot read the engine's message: \(String(decoding: line.prefix(200), as: UTF8.self))")
        _exit(1)
    }

    private func perform(_ attempt: RemoteAttempt) async {
        let (resultBytesMax, lineBytesMax) = state.withLock { ($0.resultBytesMax, $0.lineBytesMax) }
        let bytes = await handlers.end(of: attempt, resultBytesMax: resultBytesMax, lineBytesMax: lineBytesMax)
        outbox.put(Outbox.Letter(bytes: bytes))
        state.withLock { $0.held[attempt.lease] = nil }
        endIfEmpty()
    }
}
