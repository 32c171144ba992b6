import CLinux
import CMicroHTTPD
import Glibc
public import StepwellModel

/// A socket that cannot be listened on, or a certificate that cannot be served with.
public struct ListenError: StepwellError {
    public var reason: String
    public var cure: String?

    package init(
        reason: String, cure: String = "choose another address with --listen, or end what holds it"
    ) {
        self.reason = reason
        self.cure = cure
    }

    public var code: String { "cannot_listen" }
    public var message: String { "the server cannot listen: \(reason)" }
}

/// Sockets that wait for clients.
package enum ListenSocket {
    private static let backlog: Int32 = 4096

    /// Listens on a host and port, such as `127.0.0.1:7420` or `[::1]:0`.
    package static func open(_ address: ListenAddress) throws(ListenError) -> Int32 {
        var hints = addrinfo()
        hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var list: UnsafeMutablePointer<addrinfo>?
        let status = getaddrinfo(address.host, String(address.port), &hints, &list)
        guard status == 0, let found = list else {
            throw ListenError(reason: "the host '\(address.host)': \(String(cString: gai_strerror(status)))")
        }
        defer { freeaddrinfo(list) }
        let descriptor = socket(found.pointee.ai_family, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .last("\(address)") }
        var yes: Int32 = 1
        setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &yes, socklen_t(MemoryLayout<Int32>.size))
        guard bind(descriptor, found.pointee.ai_addr, found.pointee.ai_addrlen) == 0, begin(descriptor) else {
            let error = ListenError.last("\(address)")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// Listens on a socket in the file system, for this machine alone. What an earlier server left there is taken away.
    package static func open(path: String) throws(ListenError) -> Int32 {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let capacity = MemoryLayout.size(ofValue: address.sun_path)
        var name = path
        var directory: Int32 = -1
        defer { if directory >= 0 { close(directory) } }
        // The system takes no longer names than that; an open directory gives the socket a short one.
        if path.utf8.count >= capacity, let slash = path.lastIndex(of: "/") {
            directory = linux_open_directory(slash == path.startIndex ? "/" : String(path[..<slash]))
            guard directory >= 0 else { throw .last("'\(path)'") }
            name = "/proc/self/fd/\(directory)\(path[slash...])"
        }
        guard name.utf8.count < capacity else {
            throw ListenError(reason: "the name of the socket is longer than \(capacity - 1) bytes: '\(name)'")
        }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: Array(name.utf8)) }
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
        guard descriptor >= 0 else { throw .last("'\(path)'") }
        // The store's lock is held, so no other server of this store can be listening there.
        unlink(path)
        let size = socklen_t(MemoryLayout<sockaddr_un>.size)
        // For the owner alone: whoever reaches the socket may do everything.
        let mask = umask(0o177)
        let isBound = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, size) == 0 }
        }
        umask(mask)
        guard isBound, begin(descriptor) else {
            let error = ListenError.last("'\(path)'")
            close(descriptor)
            throw error
        }
        return descriptor
    }

    /// The port that a socket has been given.
    package static func port(of descriptor: Int32) -> Int? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Int? in
                guard getsockname(descriptor, generic, &size) == 0 else { return nil }
                switch Int32(generic.pointee.sa_family) {
                case AF_INET, AF_INET6:
                    // The port stands at the same place in both.
                    return generic.withMemoryRebound(to: sockaddr_in.self, capacity: 1) {
                        Int(UInt16(bigEndian: $0.pointee.sin_port))
                    }
                default: return nil
                }
            }
        }
    }

    private static func begin(_ descriptor: Int32) -> Bool {
        linux_set_close_on_exec(descriptor) == 0 && linux_set_nonblocking(descriptor) == 0
            && listen(descriptor, backlog) == 0
    }
}

extension ListenError {
    /// What the last system call has left in `errno`.
    fileprivate static func last(_ place: String) -> ListenError {
        ListenError(reason: "\(place): \(String(cString: strerror(errno)))")
    }
}

/// A host and a port.
package struct ListenAddress: Hashable, Sendable, CustomStringConvertible {
    package var host: String
    package var port: Int

    package init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    /// Reads `HOST:PORT`, `[IPV6]:PORT`, `:PORT` or `PORT`.
    package init?(_ text: String) {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard let last = parts.last, let port = Int(last), 0...65_535 ~= port else { return nil }
        var host = parts.dropLast().joined(separator: ":")
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = String(host.dropFirst().dropLast())
        } else if host.contains(":") {
            return nil
        }
        self.host = host.isEmpty ? "127.0.0.1" : host
        self.port = port
    }

    /// Whether only programs of this machine reach it.
    package var isLoopback: Bool {
        host == "localhost" || host == "::1"
            || host.hasPrefix("127.") && host.split(separator: ".").count == 4
                && host.allSatisfy { $0.isNumber || $0 == "." }
    }

    package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}
