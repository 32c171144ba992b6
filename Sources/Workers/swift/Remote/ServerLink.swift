import StepwellHTTP
import StepwellModel
import Synchronization

/// Tells the worker's operator, once, that the server does not answer, and when it does again. All connections share it.
final class Reach: Sendable {
    private let isGone = Mutex(false)
    private let tell: @Sendable (String) -> Void

    init(tell: @escaping @Sendable (String) -> Void = { complain($0) }) { self.tell = tell }

    func isGone(_ error: HTTPError) {
        let isNews = isGone.withLock { gone in
            defer { gone = true }
            return !gone
        }
        guard isNews else { return }
        tell("\(error.message); trying again" + (error.cure.map { ": \($0)" } ?? ""))
    }

    func isThere(_ address: String) {
        let isNews = isGone.withLock { gone in
            defer { gone = false }
            return gone
        }
        if isNews { tell("\(address) answers again") }
    }
}

/// A connection that asks until it is answered.
final class ServerLink: Sendable {
    private let client: HTTPClient
    private let headers: [(name: String, value: String)]
    private let reach: Reach
    /// Rung by whoever wants a wait between two tries to end.
    let bell = Bell()

    private static let delayMax = 5000
    private static let detailMax = 500

    init(_ address: HTTPAddress, token: String?, _ reach: Reach) {
        client = HTTPClient(address)
        self.reach = reach
        headers =
            [("Content-Type", "application/json")] + (token.map { [("Authorization", "Bearer \($0)")] } ?? [])
    }

    /// The server has said no, and would again.
    struct Refused: Error {
        var status: Int
        var code: String
        var detail: String
    }

    /// The answer to a request, however many tries it takes.
    /// - Parameter goesOn: asked after each failed try.
    /// - Returns: nil when it was interrupted, or goes on no more.
    /// - Throws: ``Refused``, or ``WorkerError`` when the worker has to end.
    func ask(
        _ path: String, _ body: [UInt8], limit: Duration, goesOn: () -> Bool = { true }
    ) throws -> Message? {
        var delay = 100
        while true {
            var wait = Duration.milliseconds(Int.random(in: delay / 2...delay))
            do {
                let answer = try client.send("POST", path, body: body, headers: headers, timeout: limit)
                if 200..<300 ~= answer.status, let message = try? Message(answer.body) {
                    reach.isThere("\(client.address)")
                    return message
                }
                try judge(answer)
                wait = answer.retryAfter ?? wait
            } catch HTTPError.interrupted {
                return nil
            } catch let error as HTTPError {  // no connection, or no answer: again
                reach.isGone(error)
            }
            guard goesOn() else { return nil }
            bell.wait(wait)
            delay = min(2 * delay, Self.delayMax)
        }
    }

    func interrupt() {
        client.interrupt()
        bell.ring()
    }

    func clearInterrupt() { client.clearInterrupt() }

    /// Returns when another try makes sense.
    private func judge(_ answer: HTTPAnswer) throws {
        if answer.status < 300 || answer.status >= 500 || [408, 425, 429].contains(answer.status) { return }
        let problem = (try? JSONText(answer.body))?.json
        let detail =
            problem?["detail"]?.string ?? String(decoding: answer.body.prefix(Self.detailMax), as: UTF8.self)
        let refused = Refused(status: answer.status, code: problem?["code"]?.string ?? "", detail: detail)
        if [401, 403].contains(answer.status) { throw WorkerError.notAllowed("\(client.address)", detail) }
        if refused.code == "protocol_version" { throw WorkerError.otherProtocol("\(client.address)", detail) }
        throw refused
    }
}
