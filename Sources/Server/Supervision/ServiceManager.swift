import CMicroHTTPD
import Glibc
import StepwellEngine
import StepwellModel

/// The program that has started this one and watches over it, such as systemd: it is told of the service's state by datagrams to
/// the socket that `NOTIFY_SOCKET` names (the protocol of sd_notify). Without one, nothing is told.
package struct ServiceManager: Sendable {
    private let address: [UInt8]?
    /// Within which time the manager wants to hear that the service lives, in microseconds; nil when it does not ask.
    package let watchdog: Int64?

    /// What this process was started with. The first look takes the variables out of the environment: what this process starts
    /// must not speak in its name. So the first look belongs before the first thread.
    package static let current = ServiceManager(taking: "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")

    private init(taking socket: String, _ interval: String, _ process: String) {
        self.init(
            socket: Environment.take(socket), interval: Environment.take(interval), process: Environment.take(process),
            me: getpid())
    }

    /// - Parameters:
    ///   - socket: a path, or `@` and a name that is in no file system.
    ///   - interval: microseconds.
    ///   - process: for whom the interval is meant; nil: for anybody.
    package init(socket: String?, interval: String?, process: String?, me: Int32) {
        address = socket.flatMap { $0.hasPrefix("/") || $0.hasPrefix("@") ? Array($0.utf8) : nil }
        let isMine = process.map { Int32($0) == me } ?? true
        let hears = isMine && address != nil
        watchdog = interval.flatMap(Int64.init).flatMap { hears && $0 > 0 ? $0 : nil }
    }

    /// The service answers.
    package func ready(_ status: String) { tell("READY=1", status: status) }
    /// It begins to read its configuration again; ``ready(_:)`` ends that.
    package func reloading() {
        tell(
            "RELOADING=1", "MONOTONIC_USEC=\(monotonicNanoseconds() / 1000)", status: "reading the configuration again")
    }
    package func stopping(_ status: String) { tell("STOPPING=1", status: status) }
    package func alive() { tell("WATCHDOG=1", mayBeLost: true) }
    /// Never waits: also the engine's thread may say so.
    package func status(_ text: String) { tell(status: text, mayBeLost: true) }

    private func tell(_ assignments: String..., status: String? = nil, mayBeLost: Bool = false) {
        let status = status.map { "STATUS=" + Self.oneLine($0) }
        send(Array((assignments + [status].compactMap(\.self)).joined(separator: "\n").utf8), mayBeLost)
    }

    /// A line's end would begin another assignment.
    private static func oneLine(_ text: String) -> String {
        String(String.UnicodeScalarView(text.unicodeScalars.map { $0.value < 0x20 || $0.value == 0x7F ? " " : $0 }))
    }

    /// A manager that cannot be reached is no reason to stop working.
    private func send(_ message: [UInt8], _ mayBeLost: Bool) {
        guard let address else { return }
        var target = sockaddr_un()
        target.sun_family = sa_family_t(AF_UNIX)
        // Of a name that is in no file system the first byte is 0, and its end is told by the length alone.
        let isAbstract = address[0] == UInt8(ascii: "@")
        let name = isAbstract ? [0] + address.dropFirst() : address + [0]
        guard name.count <= MemoryLayout.size(ofValue: target.sun_path) else { return }
        withUnsafeMutableBytes(of: &target.sun_path) { $0.copyBytes(from: name) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { return }
        defer { close(descriptor) }
        var patience = timeval(tv_sec: 5, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let flags = Int32(MSG_NOSIGNAL) | (mayBeLost ? Int32(MSG_DONTWAIT) : 0)
        let size = socklen_t(MemoryLayout.offset(of: \sockaddr_un.sun_path)! + name.count)
        withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                while sendto(descriptor, message, message.count, flags, address, size) < 0,
                    errno == EINTR
                {}
            }
        }
    }
}

/// Variables that are for this process alone.
enum Environment {
    static func take(_ name: String) -> String? {
        let value = getenv(name).map { String(cString: $0) }
        unsetenv(name)
        return value
    }
}
