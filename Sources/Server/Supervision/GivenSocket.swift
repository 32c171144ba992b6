import CLinux
import CMicroHTTPD
import Glibc
import StepwellModel

/// A socket that listens already, opened by whoever has started this process (`LISTEN_FDS`, as systemd does for a socket unit). It goes
/// on listening while this process is away: nobody is refused during a restart.
package struct GivenSocket: Sendable {
    /// Where clients reach it.
    package enum Place: Hashable, Sendable, CustomStringConvertible {
        case network(ListenAddress)
        /// A path; empty for a socket without a name.
        case file(String)

        package var description: String {
            switch self {
            case .network(let address): "\(address)"
            case .file(let path): "unix:\(path)"
            }
        }

        /// Whether only programs of this machine reach it.
        package var isLoopback: Bool {
            if case .network(let address) = self { address.isLoopback } else { true }
        }
    }

    package let descriptor: Int32
    /// As `FileDescriptorName=` of the socket unit has it.
    package let name: String
    package let place: Place

    /// What this process was started with; empty when that was for another process. The first look takes the variables out of the
    /// environment, and keeps the sockets from what this process starts; so it belongs before the first thread.
    package static let current: Result<[GivenSocket], ListenError> = take()

    private static let first: Int32 = 3

    private static func take() -> Result<[GivenSocket], ListenError> {
        let (count, process, names) = (
            Environment.take("LISTEN_FDS"), Environment.take("LISTEN_PID"), Environment.take("LISTEN_FDNAMES")
        )
        guard let count = count.flatMap(Int32.init), count > 0, count <= 1024, process.flatMap(pid_t.init) == getpid()
        else { return .success([]) }
        let words = names?.split(separator: ":", omittingEmptySubsequences: false).map(String.init) ?? []
        return Result { () throws(ListenError) in
            var sockets: [GivenSocket] = []
            for index in 0..<Int(count) {
                sockets.append(
                    try GivenSocket(
                        first + Int32(index), name: words.indices.contains(index) ? words[index] : "unknown"))
            }
            return sockets
        }
    }

    private init(_ descriptor: Int32, name: String) throws(ListenError) {
        func value(_ option: Int32) -> Int32? {
            var value: Int32 = 0
            var size = socklen_t(MemoryLayout<Int32>.size)
            return getsockopt(descriptor, SOL_SOCKET, option, &value, &size) == 0 ? value : nil
        }
        guard value(SO_TYPE) == Int32(SOCK_STREAM.rawValue), value(SO_ACCEPTCONN) == 1,
            let place = Self.place(of: descriptor)
        else { throw .unusable(descriptor, name) }
        guard linux_set_close_on_exec(descriptor) == 0, linux_set_nonblocking(descriptor) == 0 else {
            throw .unusable(descriptor, name)
        }
        self.descriptor = descriptor
        self.name = name
        self.place = place
    }

    private static func place(of descriptor: Int32) -> Place? {
        var address = sockaddr_storage()
        var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic -> Place? in
                guard getsockname(descriptor, generic, &size) == 0 else { return nil }
                switch Int32(generic.pointee.sa_family) {
                case AF_INET, AF_INET6: return ListenAddress(generic, size).map(Place.network)
                case AF_UNIX:
                    let offset = MemoryLayout.offset(of: \sockaddr_un.sun_path) ?? 2
                    let bytes = UnsafeRawBufferPointer(start: generic, count: Int(size)).dropFirst(offset)
                    let isAbstract = bytes.first == 0
                    let path = String(
                        decoding: isAbstract ? bytes.dropFirst() : bytes.prefix { $0 != 0 }, as: UTF8.self)
                    return .file(isAbstract ? "@" + path : path)
                default: return nil
                }
            }
        }
    }
}

extension ListenAddress {
    /// The address of a socket, or of its other end.
    init?(_ address: UnsafePointer<sockaddr>, _ size: socklen_t) {
        var host = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        var port = [CChar](repeating: 0, count: Int(NI_MAXSERV))
        let status = getnameinfo(
            address, size, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV)
        guard status == 0, let number = Int(Self.text(port)) else { return nil }
        self.init(host: Self.text(host), port: number)
    }

    private static func text(_ characters: [CChar]) -> String {
        String(decoding: characters.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }
}

extension ListenError {
    static func unusable(_ descriptor: Int32, _ name: String) -> ListenError {
        ListenError(
            reason: "descriptor \(descriptor) ('\(name)'), which was given, is no stream socket that listens",
            cure: "a socket unit for it has ListenStream=, and not Accept=yes")
    }
}
