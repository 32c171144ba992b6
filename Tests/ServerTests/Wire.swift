import Glibc

/// One end of a connection, as a client or a test holds it.
final class Wire: Sendable {
    let descriptor: Int32

    init(_ descriptor: Int32) {
        self.descriptor = descriptor
        // Whatever a test waits for comes, or it fails.
        var limit = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
    }

    deinit { close(descriptor) }

    /// Connects to a port of this machine. A small `window` lets little be on its way that nobody reads.
    convenience init(port: Int, window: Int32? = nil) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        if var window {
            setsockopt(descriptor, SOL_SOCKET, SO_RCVBUF, &window, socklen_t(MemoryLayout<Int32>.size))
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        self.init(descriptor)
    }

    /// False when the other side takes nothing any more.
    @discardableResult
    func send(_ text: String) -> Bool {
        let bytes = Array(text.utf8)
        return Glibc.send(descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }

    /// What comes next; nil at the end, or when the connection is reset.
    func receive(_ countMax: Int = 65_536) -> String? {
        var bytes = [UInt8](repeating: 0, count: countMax)
        let count = recv(descriptor, &bytes, countMax, 0)
        return count > 0 ? String(decoding: bytes[..<count], as: UTF8.self) : nil
    }

    /// All that comes until it ends like this.
    func receive(until end: String) -> String {
        var text = ""
        while !text.hasSuffix(end), let more = receive() { text += more }
        return text
    }

    func receiveAll() -> String {
        var text = ""
        while let more = receive() { text += more }
        return text
    }

    /// Whether the other side has sent something, or ended, within so many milliseconds.
    func hasNews(within milliseconds: Int32) -> Bool {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        return poll(&polled, 1, milliseconds) > 0
    }

    /// What poll() says at once.
    var events: Int16 {
        var polled = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        poll(&polled, 1, 0)
        return polled.revents
    }

    var isShutDown: Bool { events & Int16(POLLHUP) != 0 }

    func endWriting() { shutdown(descriptor, Int32(SHUT_WR)) }

    /// As from a process that has died with something unread: the other side gets a reset.
    func reset() {
        var rude = linger(l_onoff: 1, l_linger: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_LINGER, &rude, socklen_t(MemoryLayout<linger>.size))
        // The descriptor stays this wire's until it is closed.
        let null = open("/dev/null", O_RDONLY)
        dup2(null, descriptor)
        close(null)
    }

    /// As from a process that has died: the other side hears the end, and a reset once it sends.
    func vanish() {
        let null = open("/dev/null", O_RDONLY)
        dup2(null, descriptor)
        close(null)
    }
}
