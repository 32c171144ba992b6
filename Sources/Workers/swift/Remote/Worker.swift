import Glibc
import StepwellHTTP
import StepwellModel
import Synchronization

/// Runs handlers for a server elsewhere (`stepwell serve`). It only ever connects outward.
///
/// ```swift
/// let worker = try Worker(server: "http://127.0.0.1:7420")
/// worker.register(Extract(), Load())
/// try await worker.run()
/// ```
public final class Worker: Sendable {
    private let address: HTTPAddress
    private let token: String?
    private let name: String?
    private let namespaces: [String]
    private let labels: [String: String]
    private let concurrency: Int
    private let state = Mutex(State())

    private struct State {
        var handlers: [HandlerFunction] = []
        var session: RemoteSession?
        var isDraining = false
    }

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
        guard 1...1000 ~= concurrency else {
            throw WorkerError.badWorker("the concurrency is 1 to 1000, not \(concurrency)")
        }
        address = try HTTPAddress(server)
        (self.token, self.name, self.namespaces) = (token, name, namespaces)
        (self.labels, self.concurrency) = (labels, concurrency)
    }

    /// Handlers of one name replace each other.
    public func register<each Handler: StepHandler>(_ handlers: repeat each Handler) {
        for handler in repeat each handlers { register(HandlerFunction(handler)) }
    }

    public func register(_ handler: HandlerFunction) {
        state.withLock { state in
            state.handlers.removeAll { $0.name == handler.name }
            state.handlers.append(handler)
        }
    }

    /// Takes no more attempts, finishes those at hand, and lets ``run()`` return. From any thread.
    public func drain() {
        state.withLock { state in
            state.isDraining = true
            return state.session
        }?.drain()
    }

    /// Drains at SIGTERM and SIGINT; a second signal ends the process. To be called once.
    public func drainAtSignals() {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { return complain("signals cannot be watched: errno \(errno)") }
        signalPipe.store(ends[1], ordering: .relaxed)
        // The thread that serves the main queue takes signals whatever is blocked: only a handler sees them all.
        for number in [SIGTERM, SIGINT] {
            signal(number) { _ in
                var byte: UInt8 = 0
                write(signalPipe.load(ordering: .relaxed), &byte, 1)
            }
        }
        let source = ends[0]
        onOwnThread { [self] in
            var byte: UInt8 = 0
            while read(source, &byte, 1) != 1 {}
            drain()
            while read(source, &byte, 1) != 1 {}
            _exit(130)
        }
    }

    /// Works until it is told to drain, by ``drain()`` or by the server. Cancelling the task drains too.
    /// - Throws: ``WorkerError`` when the server does not take this worker.
    public func run() async throws {
        let handlers = state.withLock { $0.handlers }
        guard !handlers.isEmpty else { throw WorkerError.badWorker("the worker has no handlers") }
        let session = RemoteSession(
            address: address, token: token, concurrency: concurrency, hello: hello(handlers), handlers: handlers)
        let isDraining = state.withLock { state in
            state.session = session
            return state.isDraining
        }
        if isDraining { session.drain() }
        try await withTaskCancellationHandler {
            try await session.run()
        } onCancel: {
            session.drain()
        }
    }

    private func hello(_ handlers: [HandlerFunction]) -> [UInt8] {
        Message.encode("hello") { json in
            json.member("protocol", 1)
            json.name("handlers")
            json.beginArray()
            for handler in handlers {
                json.beginObject()
                json.member("name", handler.name)
                json.member("version", handler.version)
                json.endObject()
            }
            json.endArray()
            json.member("concurrency", concurrency)
            json.member("sdk", "stepwell-swift 0.1.0")
            if let name { json.member("name", name) }
            if !namespaces.isEmpty { json.member("namespaces", .array(namespaces.map(JSON.string))) }
            if !labels.isEmpty {
                let members = labels.sorted { $0.key < $1.key }.map { JSON.Member($0.key, .string($0.value)) }
                json.member("labels", .object(members))
            }
        }
    }
}

/// A thread for what waits: half of a small task pool would otherwise stand still.
func onOwnThread(_ body: @escaping @Sendable () -> Void) {
    final class Box: Sendable {
        let body: @Sendable () -> Void
        init(_ body: @escaping @Sendable () -> Void) { self.body = body }
    }
    var thread = pthread_t()
    pthread_create(
        &thread, nil,
        { raw in
            Unmanaged<Box>.fromOpaque(raw!).takeRetainedValue().body()
            return nil
        }, Unmanaged.passRetained(Box(body)).toOpaque())
    pthread_detach(thread)
}

/// One line on standard error.
func complain(_ text: String) {
    let line = Array("stepwell: \(text)\n".utf8)
    line.withUnsafeBytes { _ = write(STDERR_FILENO, $0.baseAddress, $0.count) }
}

/// Where a signal is told.
private let signalPipe = Atomic<Int32>(-1)
