import CLinux
import CMicroHTTPD
import Glibc
import StepwellEngine
import StepwellModel
import Synchronization

/// Takes connections on a listening socket and hands each request to one function, as soon as it is whole.
///
/// libmicrohttpd serves the connections with epoll on a few threads; the handler is called on one of these and must not block
/// for long. It may answer at once or later, from any thread: meanwhile the connection sleeps and costs no thread.
package final class HTTPServer: Sendable {
    package typealias Answer = @Sendable (HTTPResponse) -> Void
    /// How large the body of a request may be, by its method and path, before anything else of it is looked at.
    package typealias BodyLimit = @Sendable (HTTPRequest) -> Int
    /// Tells a handler that nobody wants its answer any more; what it has begun it may end or drop.
    package typealias Abandon = @Sendable () -> Void
    package typealias Handler = @Sendable (HTTPRequest, @escaping Answer) -> Abandon?

    let handler: Handler
    let bodyLimit: BodyLimit
    let limits: HTTPLimits
    /// Hears of each request when it is over; nil: nobody does.
    let answered: (@Sendable (AnsweredRequest) -> Void)?
    let connections: Connections
    /// Bytes of bodies that are being received.
    let bytesReceived = Atomic<Int>(0)
    /// Suspended connections must be woken before the server can stop.
    private let sleepers = Mutex<[ObjectIdentifier: Exchange]>([:])
    private let isStopping = Atomic(false)
    /// How long answers may take to go out when the server stops, in milliseconds.
    private static let lastAnswers: Int64 = 1000
    /// What new connections are served with.
    private let credentials: Mutex<TLSCredentials?>
    private nonisolated(unsafe) var daemon: OpaquePointer?

    /// Begins to serve a socket that listens already.
    /// - Parameter tls: certificate chain and key in PEM; nil for plain HTTP.
    /// - Throws: ``ListenError`` when the library refuses, as it does for a certificate that does not fit its key.
    package init(
        socket: Int32, tls: TLSFiles? = nil, limits: HTTPLimits = HTTPLimits(), bodyLimit: BodyLimit? = nil,
        answered: (@Sendable (AnsweredRequest) -> Void)? = nil, handler: @escaping Handler
    ) throws(ListenError) {
        self.answered = answered
        self.handler = handler
        self.limits = limits
        self.bodyLimit = bodyLimit ?? { _ in limits.bodyBytesMax }
        connections = Connections(limits)
        let first: TLSCredentials? = if let tls { try TLSCredentials(tls) } else { nil }
        credentials = Mutex(first)
        // Connections inherit it: a machine that has lost its power or its network says nothing of its end.
        linux_ask_peers(socket, 30, 10, 3)
        var flags = MHD_USE_EPOLL_INTERNAL_THREAD.rawValue | MHD_USE_SUSPEND_RESUME.rawValue | MHD_USE_TURBO.rawValue
        if tls != nil { flags |= MHD_USE_TLS.rawValue }
        let context = Unmanaged.passUnretained(self).toOpaque()
        var options = [
            option(.EXTERNAL_LOGGER, mhd_silent_log()),
            option(.LISTEN_SOCKET, Int(socket)),
            option(.CONNECTION_LIMIT, limits.connectionsMax),
            option(.CONNECTION_MEMORY_LIMIT, limits.headerBytesMax),
            option(.CONNECTION_MEMORY_INCREMENT, 1024),
            // A proxy in front may read what is not quite HTTP in another way than this server does.
            option(.STRICT_FOR_CLIENT, 1),
            option(.UNESCAPE_CALLBACK, mhd_no_unescape()),
            option(.NOTIFY_COMPLETED, mhd_on_completed(requestCompleted), context),
            option(.NOTIFY_CONNECTION, mhd_on_connection(connectionChanged), context),
        ]
        if limits.threads > 1 { options.append(option(.THREAD_POOL_SIZE, limits.threads)) }
        let started = tls.withCStrings { certificate, key in
            if let certificate, let key {
                options.append(option(.HTTPS_MEM_CERT, 0, UnsafeMutableRawPointer(mutating: certificate)))
                options.append(option(.HTTPS_MEM_KEY, 0, UnsafeMutableRawPointer(mutating: key)))
            }
            options.append(option(.END, 0))
            return mhd_start(flags, accessHandler, context, &options)
        }
        guard let started else {
            throw ListenError(
                reason: tls == nil
                    ? "the HTTP server did not start: \(String(cString: strerror(errno)))"
                    : "the HTTPS server did not start: \(String(cString: strerror(errno)))")
        }
        daemon = started
        connections.watch()
    }

    var currentCredentials: TLSCredentials? { credentials.withLock { $0 } }

    /// Serves new connections with another certificate; those that are open keep theirs.
    func use(_ next: TLSCredentials) { credentials.withLock { $0 = next } }

    /// Ends all connections, and the threads. Requests whose answers are still to come get none.
    package func stop() {
        guard let daemon else { return }
        self.daemon = nil
        MHD_quiesce_daemon(daemon)
        connections.endWatch()
        // The library gives up on a suspended connection. What begins from now on is answered at once, and what sleeps is woken.
        isStopping.store(true, ordering: .sequentiallyConsistent)
        for exchange in sleepers.withLock({ Array($0.values) }) {
            exchange.answer(Problem.stopping.response)
        }
        // An answer that is there but not out would be cut off. Who takes it slowly, or is still sending, is not waited for long.
        let end = monotonicMilliseconds() + Self.lastAnswers
        while !sleepers.withLock({ $0.isEmpty }), monotonicMilliseconds() < end { usleep(1000) }
        // Streams are left.
        for answer in connections.waiting { answer.clientIsGone() }
        MHD_stop_daemon(daemon)
    }

    /// Whether nothing may sleep any more.
    var isEnding: Bool { isStopping.load(ordering: .sequentiallyConsistent) }

    func begin(_ exchange: Exchange) {
        sleepers.withLock { $0[ObjectIdentifier(exchange)] = exchange }
        if isEnding { exchange.answer(Problem.stopping.response) }
    }

    func end(_ exchange: Exchange) {
        sleepers.withLock { $0[ObjectIdentifier(exchange)] = nil }
        bytesReceived.subtract(exchange.bytesCounted, ordering: .relaxed)
        exchange.end()
    }

    /// How many connections there are.
    package var connectionCount: Int { connections.count }
}

/// A certificate chain and its key, as PEM text.
package struct TLSFiles: Sendable {
    package var certificate: [UInt8]
    package var key: [UInt8]

    package init(certificate: [UInt8], key: [UInt8]) {
        self.certificate = certificate
        self.key = key
    }

    /// - Throws: ``ListenError`` when they cannot be served with.
    package func check() throws(ListenError) { _ = try TLSCredentials(self) }
}

extension TLSFiles? {
    fileprivate func withCStrings<Result>(
        _ body: (UnsafePointer<CChar>?, UnsafePointer<CChar>?) -> Result
    ) -> Result {
        guard let self else { return body(nil, nil) }
        let (certificate, key) = (
            (self.certificate + [0]).map(CChar.init(bitPattern:)), (self.key + [0]).map(CChar.init(bitPattern:))
        )
        return certificate.withUnsafeBufferPointer { certificate in
            key.withUnsafeBufferPointer { key in body(certificate.baseAddress, key.baseAddress) }
        }
    }
}

private func option(_ name: MHD_OPTION, _ value: Int, _ pointer: UnsafeMutableRawPointer? = nil) -> MHD_OptionItem {
    MHD_OptionItem(option: name, value: value, ptr_value: pointer)
}
