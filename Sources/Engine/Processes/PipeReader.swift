import Glibc

/// The engine's end of a child's standard output or standard error. Lives on the reactor's thread.
final class PipeReader {
    /// How much one pipe may bring before the others have their turn.
    private static let turnMax = 1 << 20
    private static let pipeBytes = 64 << 10

    private var descriptor: Int32
    private var watch: Watch?
    private var bytes = ByteQueue()
    private let receive: (_ bytes: inout ByteQueue, _ isEnd: Bool) -> Void

    /// `receive` is called when bytes have come, with all that it has left in the queue, and once more at the end. It must not
    /// call ``end()``.
    init(
        _ descriptor: Int32, reactor: Reactor, _ receive: @escaping (_ bytes: inout ByteQueue, _ isEnd: Bool) -> Void
    ) {
        self.descriptor = descriptor
        self.receive = receive
        watch = reactor.watch(descriptor, for: POLLIN) { [weak self] in self?.read() }
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    var isOpen: Bool { descriptor >= 0 }

    private func read() {
        var read = 0
        while isOpen && read < Self.turnMax {
            let before = bytes.count
            switch bytes.read(from: descriptor) {
            case .some:
                let count = bytes.count - before
                read += count
                receive(&bytes, false)
                // Less than a pipe holds: it is empty now, or has only just begun to fill again.
                if count < Self.pipeBytes { return }
            case .nothingYet: return
            case .end: return end()
            }
        }
    }

    /// Takes no more, and hands on what came.
    func end() {
        guard isOpen else { return }
        watch?.cancel()
        close(descriptor)
        descriptor = -1
        receive(&bytes, true)
    }
}
