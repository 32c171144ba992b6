import CLinux
import Glibc
import StepwellModel
import Synchronization

/// What the handler of one attempt prints: lines of its step's log.
final class StepPrints: Sendable {
    /// The attempt that runs here. Child tasks inherit it, threads that a handler starts do not.
    @TaskLocal static var current: StepPrints?

    private let attempt: RemoteAttempt
    private let state = Mutex(State())

    private struct State {
        var unfinished: [UInt8] = []
        var isOver = false
    }

    /// A longer line is cut into several.
    private static let lineBytesMax = 1 << 16
    /// A handler that prints faster than the engine reads must wait.
    private static let backlogMax = 1000

    init(_ attempt: RemoteAttempt) { self.attempt = attempt }

    /// Leads what this process prints to the steps that print it, and all else to standard error. For the rest of its life.
    static func takeOver() {
        let outcome = linux_take_output { bytes, count in
            guard let bytes else { return }
            let text = UnsafeRawBufferPointer(start: bytes, count: count)
            if let prints = StepPrints.current, prints.take(text) { return }
            writeAll(text, to: STDERR_FILENO)
        }
        if outcome != 0 { complain("what handlers print cannot be had for their logs: errno \(errno)") }
    }

    /// False when the attempt has ended: what comes now is nobody's.
    private func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let lines: [ArraySlice<UInt8>]? = state.withLock { state in
            if state.isOver { return nil }
            state.unfinished.append(contentsOf: bytes)
            var lines = state.unfinished.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            if let rest = lines.last, rest.count < Self.lineBytesMax { lines.removeLast() }
            state.unfinished.removeFirst(min(lines.reduce(0) { $0 + $1.count + 1 }, state.unfinished.count))
            return lines
        }
        guard let lines else { return false }
        while attempt.backlog > Self.backlogMax, !attempt.isCancelled { usleep(1000) }
        for line in lines { attempt.log(.info, String(decoding: line, as: UTF8.self)) }
        return true
    }

    /// Sends what was printed without an end of the line. Nothing follows.
    func finish() {
        let rest = state.withLock { state in
            defer { state = State(unfinished: [], isOver: true) }
            return state.unfinished
        }
        if !rest.isEmpty { attempt.log(.info, String(decoding: rest, as: UTF8.self)) }
    }
}

/// False when it cannot be written.
@discardableResult
func writeAll(_ bytes: UnsafeRawBufferPointer, to descriptor: Int32) -> Bool {
    var rest = bytes[...]
    while !rest.isEmpty {
        let count = write(descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
        if count < 0 && errno == EINTR { continue }
        guard count > 0 else { return false }
        rest = rest.dropFirst(count)
    }
    return true
}
