import StepwellHTTP
import StepwellModel
import Synchronization

/// The requests of a client: over connections that are kept, each request on a thread of its own while it is on its way, and
/// asked again where that can do no harm.
final class Requests: Sendable {
    struct Request: Sendable {
        var method: String
        var path: String
        var body: [UInt8]?
        var contentType = "application/json"
        /// Asked twice it does no more than asked once.
        var isRepeatable: Bool
        var limit: Duration
    }

    let address: HTTPAddress
    private let token: String?
    private let pool = Mutex(Pool())

    private static let triesMax = 4
    private static let firstDelay = Duration.milliseconds(100)
    private static let connectionsMax = 64

    private struct Pool {
        var idle: [HTTPClient] = []
        var opened = 0
        var waiting: [CheckedContinuation<HTTPClient, Never>] = []
    }

    init(_ address: HTTPAddress, token: String?) {
        (self.address, self.token) = (address, token)
    }

    /// The server's answer, whatever its status. A busy server, and what may be repeated, is asked again.
    /// - Throws: ``ClientError/unreachable(_:reason:)``, ``ClientError/untrusted(_:reason:)``, or `CancellationError`.
    func answer(_ request: Request) async throws -> HTTPAnswer {
        var delay = Self.firstDelay
        var triesLeft = Self.triesMax
        while true {
            triesLeft -= 1
            var wait = delay
            switch try await once(request) {
            case .success(let answer):
                guard triesLeft > 0, [429, 503].contains(answer.status) else { return answer }
                wait = answer.retryAfter ?? wait
            case .failure(.interrupted): throw CancellationError()
            case .failure(.noTrust(let address, let reason)): throw ClientError.untrusted(address, reason: reason)
            case .failure(let error):
                var isUnseen = false
                if case .notReached = error { isUnseen = true }
                guard triesLeft > 0, request.isRepeatable || isUnseen else {
                    throw ClientError.unreachable("\(address)", reason: error.reason)
                }
            }
            try await Task.sleep(for: wait * Double.random(in: 1...1.2))
            delay *= 2
        }
    }

    private func once(_ request: Request) async throws -> Result<HTTPAnswer, HTTPError> {
        try Task.checkCancellation()
        let connection = await take()
        defer { giveBack(connection) }
        var headers = [(name: "Content-Type", value: request.contentType)]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        let call = Call(connection)
        return await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                onOwnThread { [headers] in continuation.resume(returning: call.perform(request, headers)) }
            }
        } onCancel: {
            call.cancel()
        }
    }

    private func take() async -> HTTPClient {
        await withCheckedContinuation { continuation in
            let found: HTTPClient? = pool.withLock { pool in
                if let idle = pool.idle.popLast() { return idle }
                guard pool.opened < Self.connectionsMax else {
                    pool.waiting.append(continuation)
                    return nil
                }
                pool.opened += 1
                return HTTPClient(address)
            }
            if let found { continuation.resume(returning: found) }
        }
    }

    private func giveBack(_ connection: HTTPClient) {
        let next: CheckedContinuation<HTTPClient, Never>? = pool.withLock { pool in
            guard pool.waiting.isEmpty else { return pool.waiting.removeFirst() }
            pool.idle.append(connection)
            return nil
        }
        next?.resume(returning: connection)
    }

    /// One request on its way, that may be broken off, and then no other one with it.
    private final class Call: Sendable {
        private let connection: HTTPClient
        private let isOver = Mutex(false)

        init(_ connection: HTTPClient) { self.connection = connection }

        func perform(_ request: Request, _ headers: [(name: String, value: String)]) -> Result<HTTPAnswer, HTTPError> {
            defer {
                isOver.withLock { $0 = true }
                connection.clearInterrupt()
            }
            do throws(HTTPError) {
                return .success(
                    try connection.send(
                        request.method, request.path, body: request.body, headers: headers, timeout: request.limit,
                        isFresh: !request.isRepeatable))
            } catch { return .failure(error) }
        }

        func cancel() {
            isOver.withLock { isOver in if !isOver { connection.interrupt() } }
        }
    }
}

extension HTTPAnswer {
    /// The seconds of `Retry-After`, if it has some; a longer wait than five minutes makes no sense.
    var retryAfter: Duration? { header("retry-after").flatMap { Int($0) }.map { .seconds(min(max(0, $0), 300)) } }
}

extension HTTPError {
    /// Without the address, which stands before it.
    fileprivate var reason: String {
        switch self {
        case .notReached(_, let reason), .noConnection(_, let reason), .noTrust(_, let reason), .noHTTP(_, let reason),
            .badAddress(_, let reason):
            reason
        case .timeout(_, let limit): "nothing came within \(limit)"
        case .interrupted: message
        }
    }
}
