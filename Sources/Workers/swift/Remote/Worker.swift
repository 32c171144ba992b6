import Glibc
import StepwellHTTP
import StepwellModel
import Synchronization

/// Runs handlers in a program of their own: for the engine that has started it (`stepwell run --worker`), or for a server
/// elsewhere (`stepwell serve`). It only ever connects outward.
///
/// ```swift
/// @main struct Shop {
///     static func main() async {
///         let worker = Worker()
///         worker.register(FetchPrices(), AddUp())
///         await worker.main()
///     }
/// }
/// ```
///
/// ``main(_:)`` makes a whole program of it. A program that does other things besides names the server itself:
///
/// ```swift
/// let worker = try Worker(server: "http://127.0.0.1:7420")
/// worker.register(Extract(), Load())
/// try await worker.run()
/// ```
public final class Worker: Sendable {
    private let state: Mutex<State>

    private struct State {
        var settings: WorkerSettings
        var handlers: [HandlerFunction] = []
        var session: Session?
        var isDraining = false
    }

    fileprivate enum Session {
        case server(RemoteSession)
        case lines(LineSession)

        func drain() {
            switch self {
            case .server(let session): session.drain()
            case .lines(let session): session.drain()
            }
        }
    }

    /// A worker for whoever has started the program: the engine, or somebody who names a server with STEPWELL_URL or on the
    /// command line. STEPWELL_TOKEN holds the token, where the server asks for one.
    /// - Parameter concurrency: how many attempts run at the same time, 1 to 1000, where the command line does not say it.
    public init(concurrency: Int = 64) {
        state = Mutex(State(settings: WorkerSettings(concurrency: concurrency)))
    }

    /// A worker for a server.
    /// - Parameters:
    ///   - server: `http://host:port`, `https://host:port`, or `unix:PATH`.
    ///   - token: of the role `worker`, where the server asks for one.
    ///   - name: what the log calls the worker; one word.
    ///   - namespaces: runs steps of templates in these alone; none: in all.
    ///   - labels: kept and shown.
    ///   - concurrency: how many attempts run at the same time, 1 to 1000.
    /// - Throws: ``HTTPError/badAddress(_:reason:)``; ``WorkerError/badWorker(_:)``.
    public init(
        server: String, token: String? = nil, name: String? = nil, namespaces: [String] = [],
        labels: [String: String] = [:], concurrency: Int = 64
    ) throws {
        var settings = WorkerSettings(concurrency: concurrency)
        (settings.carrier, settings.token, settings.name) = (.server(server), token, name)
        (settings.namespaces, settings.labels) = (namespaces, labels)
        try settings.check()
        state = Mutex(State(settings: settings))
    }

    /// Handlers of one name replace each other.
    public func register<each Handler: StepHandler>(_ handlers: repeat each Handler) {
        for handler in repeat each handlers { register(HandlerFunction(handler)) }
    }

    /// Registers a closure as a handler.
    public func register(
        _ name: String, version: String = "1.0.0",
        call: @escaping @Sendable (StepContext) async throws -> StepResult
    ) {
        register(HandlerFunction(name, version: version, call: call))
    }

    public func register(_ handler: HandlerFunction) {
        state.withLock { state in
            state.handlers.removeAll { $0.name == handler.name }
            state.handlers.append(handler)
        }
    }

    /// The handlers as they were registered.
    var handlers: [HandlerFunction] { state.withLock { $0.handlers } }

    func configure(_ change: (inout WorkerSettings) throws -> Void) rethrows {
        try state.withLock { try change(&$0.settings) }
    }

    /// Takes no more attempts, finishes those at hand, and lets ``run()`` return. From any thread.
    ///
    /// Where the server is gone, what the worker has still to say is tried for 10 seconds, and then it goes.
    public func drain() {
        state.withLock { state in
            state.isDraining = true
            return state.session
        }?.drain()
    }

    /// Works until it is told to drain, by ``drain()``, by the engine or the server. Cancelling the task drains too.
    ///
    /// Started by the engine, it ends the process when the engine is gone.
    /// - Throws: ``WorkerError`` when the server does not take this worker.
    public func run() async throws {
        let (settings, handlers) = state.withLock { ($0.settings, $0.handlers) }
        guard !handlers.isEmpty else { throw WorkerError.badWorker("the worker has no handlers") }
        try settings.check()
        let session = try settings.session(handlers)
        let isDraining = state.withLock { state in
            state.session = session
            return state.isDraining
        }
        if isDraining { session.drain() }
        try await withTaskCancellationHandler {
            switch session {
            case .server(let session): try await session.run()
            case .lines(let session): await session.run()
            }
        } onCancel: {
            session.drain()
        }
    }
}

extension WorkerSettings {
    /// The conversation with whoever has work.
    fileprivate func session(_ handlers: [HandlerFunction]) throws -> Worker.Session {
        let table = HandlerTable(handlers)
        switch try chosenCarrier() {
        case .lines: return .lines(try LineSession(hello: hello(handlers, isRemote: false), handlers: table))
        case .server(let address):
            if logsPrints { StepPrints.takeOver() }
            return .server(
                RemoteSession(
                    address: try HTTPAddress(address), token: token, concurrency: concurrency,
                    hello: hello(handlers, isRemote: true), handlers: table))
        }
    }
}

/// A thread for what waits: half of a small task pool would otherwise stand still. It may write to a connection that the other
/// side has closed: over TLS, libcurl leaves it to its user that SIGPIPE ends nothing.
func onOwnThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { raw in
            var one = sigset_t()
            sigemptyset(&one)
            sigaddset(&one, SIGPIPE)
            pthread_sigmask(SIG_BLOCK, &one, nil)
            Unmanaged<Box>.fromOpaque(raw!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}

/// One line on standard error.
func complain(_ text: String) {
    Array("stepwell: \(text)\n".utf8).withUnsafeBytes { _ = writeAll($0, to: STDERR_FILENO) }
}
