import StepwellHTTP
import StepwellModel
import Synchronization

/// A connection that asks until it is answered.
final class ServerLink: Sendable {
    private let client: HTTPClient
    private let headers: [(name: String, value: String)]
    /// Rung by whoever wants a wait between two tries to end.
    let bell = Bell()

    private static let delayMax = 5000
    private static let detailMax = 500

    init(_ address: HTTPAddress, token: String?) {
        client = HTTPClient(address)
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
                if 200..<300 ~= answer.status, let message = try? Message(answer.body) { return message }
                try judge(answer)
                if let seconds = answer.header("retry-after").flatMap({ Int($0) }) { wait = .seconds(max(0, seconds)) }
            } catch HTTPError.interrupted {
                return nil
            } catch is HTTPError {}  // no connection, or no answer: again
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
