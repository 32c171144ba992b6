import Glibc
package import Stepwell
import StepwellEngine
import StepwellLog
package import StepwellModel
import StepwellTemplates

/// A service from its start to its end: the engine, the doors, and the order in which they open and close.
package final class ServiceHost: Sendable {
    /// What a service is started with.
    package struct Configuration: Sendable {
        package var store: String
        package var listen: ListenAddress? = ListenAddress("127.0.0.1:7420")
        /// Sockets that listen already.
        package var given: [GivenSocket] = []
        package var tls: TLSFiles?
        /// Whether clients without a token are nobody; nil: if there are tokens.
        package var isTokenNeeded: Bool?
        package var lease = Milliseconds.seconds(30)
        package var limits = HTTPLimits()
        package var engine = EngineOptions()
        /// Hears of requests that were refused for who sent them.
        package var refused: @Sendable (Refusals.Refusal) -> Void = { _ in }
        /// Hears of each request when it is over; nil: nobody does.
        package var answered: (@Sendable (AnsweredRequest) -> Void)?
        /// Hears how deliveries to others fare.
        package var delivered: @Sendable (String) -> Void = { _ in }
        /// Called when somebody has ended the hold that the engine was started with.
        package var released: @Sendable (Release) -> Void = { _ in }
        /// Where traces go.
        package var traces: TraceReceiver?

        package init(store: String) {
            self.store = store
        }

        /// Whether other machines reach it.
        var isOpen: Bool { listen?.isLoopback == false || given.contains { !$0.place.isLoopback } }
    }

    package let service: Service
    /// Where it listens, besides the socket in the store's directory.
    package let places: [GivenSocket.Place]
    private let servers: [HTTPServer]
    private let secureServers: [HTTPServer]
    private let sockets: [Int32]
    private let socketPath: String
    private let reactor: Reactor

    /// The socket for programs of this machine, in the store's directory.
    package static let socketName = "api.sock"

    /// Opens the store and the doors. Nothing is dispatched to workers elsewhere before they have come.
    package static func start(_ configuration: Configuration) async throws -> ServiceHost {
        let reactor = Reactor()
        let feed = EventFeed(reactor: reactor)
        var options = configuration.engine
        let metrics = Metrics()
        let observe = options.observers.events
        options.observers.events = { records in
            observe(records)
            metrics.committed(records)
            feed.committed(records)
        }
        options.observers.commit = { metrics.commit(nanoseconds: $0, events: $1) }
        let engine = try await Engine.open(configuration.store, options: options)
        do {
            let access = try Access(
                TokenFile(store: configuration.store), isTokenNeeded: configuration.isTokenNeeded,
                isOpen: configuration.isOpen)
            let service = try Service(
                engine: engine, catalog: TemplateCatalog(), feed: feed,
                workers: RemoteWorkers(host: engine.core, reactor: reactor, lease: configuration.lease), access: access,
                metrics: metrics, refusals: Refusals(tell: configuration.refused), released: configuration.released)
            try service.catalog.load(service.store)
            do {
                try service.outbox.start(
                    traces: configuration.traces, isHeld: configuration.engine.isHeld, notice: configuration.delivered)
                return try ServiceHost(service, configuration, reactor)
            } catch {
                await service.outbox.stop()
                throw error
            }
        } catch {
            await engine.stop(grace: .zero)
            reactor.stop()
            throw error
        }
    }

    private init(_ service: Service, _ configuration: Configuration, _ reactor: Reactor) throws {
        self.service = service
        self.reactor = reactor
        socketPath = configuration.store + "/" + Self.socketName
        let router = Router(service)
        let limits = configuration.limits
        var sockets: [Int32] = []
        var servers: [HTTPServer] = []
        var secureServers: [HTTPServer] = []
        func add(_ socket: Int32, _ tls: TLSFiles?, isLocal: Bool) throws(ListenError) {
            let server = try HTTPServer(
                socket: socket, tls: tls, limits: limits,
                bodyLimit: { router.bodyLimit($0, limits.bodyBytesMax) }, answered: configuration.answered,
                handler: { request, answer in router.handle(request, isLocal: isLocal, answer) })
            servers.append(server)
            if tls != nil { secureServers.append(server) }
        }
        var places: [GivenSocket.Place] = []
        do {
            let local = try ListenSocket.open(path: socketPath)
            sockets.append(local)
            try add(local, nil, isLocal: true)
            if var listen = configuration.listen {
                let socket = try ListenSocket.open(listen)
                sockets.append(socket)
                listen.port = ListenSocket.port(of: socket) ?? listen.port
                places.append(.network(listen))
                try add(socket, configuration.tls, isLocal: false)
            }
            for given in configuration.given {
                sockets.append(given.descriptor)
                places.append(given.place)
                // Who may reach a socket in the file system is for whoever has made it to say; so it is no door for the owner alone.
                let tls = if case .network = given.place { configuration.tls } else { nil as TLSFiles? }
                try add(given.descriptor, tls, isLocal: false)
            }
        } catch {
            for server in servers { server.stop() }
            for socket in sockets { close(socket) }
            throw error
        }
        self.sockets = sockets
        self.servers = servers
        self.secureServers = secureServers
        self.places = places
        service.metrics.countConnections { [weak self] in self?.connectionCount ?? 0 }
    }

    /// Serves new connections with another certificate; those that are open go on with theirs.
    /// - Returns: when the new one ends.
    /// - Throws: ``ListenError`` when it cannot be used, or has ended already; then the present one stays.
    package func use(_ tls: TLSFiles) throws(ListenError) -> Timestamp? {
        let credentials = try TLSCredentials(tls)
        let expires = credentials.expires
        if let expires, expires <= service.now { throw .unusableCertificate("it has ended at \(expires)") }
        for server in secureServers { server.use(credentials) }
        return expires
    }

    /// How many clients are connected.
    package var connectionCount: Int { servers.reduce(0) { $0 + $1.connectionCount } }

    /// Takes no further tasks, lets what runs end within the grace time, and closes everything.
    package func stop(grace: Duration) async {
        service.enter(.draining)
        await service.engine.core.drain(grace: Milliseconds(grace))
        await service.outbox.stop()
        // Whoever has delivered the last result hears that it is on disk: what is said of it goes through the reactor, the engine,
        // and the reactor again.
        await withCheckedContinuation { continuation in reactor.perform { continuation.resume() } }
        _ = try? await service.engine.core.ask { _ in true }
        service.feed.stop()
        await withCheckedContinuation { continuation in service.workers.end { continuation.resume() } }
        let (servers, sockets) = (servers, sockets)
        await withCheckedContinuation { continuation in
            // The library joins its threads; none of the task pool's should wait for that.
            onThread {
                for server in servers { server.stop() }
                for socket in sockets { close(socket) }
                continuation.resume()
            }
        }
        unlink(socketPath)
        await service.engine.stop(grace: .zero)
        reactor.stop()
    }
}
