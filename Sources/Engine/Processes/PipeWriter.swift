import Glibc

/// The engine's end of a child's standard input. What is written in one turn of the reactor leaves in one system call; what
/// the pipe does not take waits here. Lives on the reactor's thread.
final class PipeWriter {
    private let reactor: Reactor
    private var descriptor: Int32
    private var watch: Watch?
    private var sending: [UInt8] = []
    private var sent = 0
    private var gathered: [UInt8] = []
    private var isScheduled = false
    private var closesWhenEmpty = false
    /// Called when all that was written has left, so that a producer can go on.
    var whenEmpty: (() -> Void)?

    init(_ descriptor: Int32, reactor: Reactor) {
        self.descriptor = descriptor
        self.reactor = reactor
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    /// Bytes that have not left yet.
    var waiting: Int { sending.count - sent + gathered.count }

    /// False after the end was closed, here or by the child.
    var isOpen: Bool { descriptor >= 0 && !closesWhenEmpty }

    func write(_ bytes: [UInt8]) {
        guard isOpen, !bytes.isEmpty else { return }
        if gathered.isEmpty { gathered = bytes } else { gathered += bytes }
        schedule()
    }

    /// Closes the child's standard input after what was written before.
    func closeWhenEmpty() {
        guard isOpen else { return }
        closesWhenEmpty = true
        schedule()
    }

    /// Closes at once; what has not left is dropped.
    func closeNow() {
        guard descriptor >= 0 else { return }
        watch?.cancel()
        watch = nil
        close(descriptor)
        descriptor = -1
        sending = []
        sent = 0
        gathered = []
        whenEmpty = nil
    }

    private func schedule() {
        // While the pipe is full, its watch tells when to go on.
        guard !isScheduled, watch == nil || watch?.interest == 0 else { return }
        isScheduled = true
        reactor.atEndOfTurn { [weak self] in
            self?.isScheduled = false
            self?.flush()
        }
    }

    private func flush() {
        while descriptor >= 0 {
            if sent == sending.count {
                sending = gathered
                gathered = []
                sent = 0
                guard !sending.isEmpty else { return emptied() }
            }
            let count = sending.withUnsafeBytes { bytes in
                Glibc.write(descriptor, bytes.baseAddress.map { $0 + sent }, bytes.count - sent)
            }
            if count >= 0 {
                sent += count
            } else if errno == EAGAIN {
                return waitForRoom()
            } else if errno != EINTR {
                // The child reads no more. Its exit tells the rest.
                return closeNow()
            }
        }
    }

    private func emptied() {
        watch?.interest = 0
        if closesWhenEmpty { return closeNow() }
        whenEmpty?()
    }

    private func waitForRoom() {
        if let watch {
            watch.interest = POLLOUT
        } else {
            watch = reactor.watch(descriptor, for: POLLOUT) { [weak self] in self?.flush() }
        }
    }
}
