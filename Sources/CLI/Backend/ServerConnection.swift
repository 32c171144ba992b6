import Glibc
import Stepwell
import StepwellHTTP
import StepwellModel

/// A connection to a server that is a Stepwell server, and lets this client in.
final class ServerConnection: Sendable {
    let address: HTTPAddress
    let client: HTTPClient
    private let headers: [(name: String, value: String)]

    /// An answer for people.
    struct Text {
        /// Without its last line's end.
        var text: String
        var headers: [(name: String, value: String)]

        func header(_ name: String) -> String? { headers.last { $0.name == name }?.value }
    }

    private static let triesMax = 30
    /// The longest question: a fold of the whole log.
    private static let limit = Duration.seconds(600)

    init(_ address: HTTPAddress, token: String?) {
        self.address = address
        client = HTTPClient(address)
        var headers = [("X-Stepwell-Actor", Operator.name)]
        if let token { headers.append(("Authorization", "Bearer \(token)")) }
        self.headers = headers
    }

    // MARK: Requests

    func get(_ path: [String], _ query: [(name: String, value: String?)] = []) throws -> JSON {
        try document(path, query).json
    }

    /// A JSON document, byte for byte.
    func document(_ path: [String], _ query: [(name: String, value: String?)]) throws -> JSONText {
        try document(ask("GET", path, query))
    }

    func text(_ path: [String], _ query: [(name: String, value: String?)]) throws -> Text {
        let answer = try ask("GET", path, query, headers: [("Accept", "text/plain")])
        var text = String(decoding: answer.body, as: UTF8.self)
        if text.last == "\n" { text.removeLast() }
        return Text(text: text, headers: answer.headers)
    }

    func post(_ path: [String], _ body: JSONText, _ query: [(name: String, value: String?)] = []) throws -> JSON {
        try document(ask("POST", path, query, body.bytes, headers: [("Content-Type", "application/json")]))
            .json
    }

    func put(_ path: [String], _ body: JSONText) throws {
        try ask("PUT", path, [], body.bytes, headers: [("Content-Type", "application/json")])
    }

    @discardableResult
    func delete(_ path: [String], _ query: [(name: String, value: String?)] = []) throws -> JSON {
        let answer = try ask("DELETE", path, query)
        return answer.body.isEmpty ? .null : try document(answer).json
    }

    /// Asks, and again where it changes nothing and the server is only busy.
    /// - Throws: ``ServerError``, ``ServerRefusal``, or `HTTPError`.
    @discardableResult
    func ask(
        _ method: String, _ path: [String], _ query: [(name: String, value: String?)] = [], _ body: [UInt8]? = nil,
        headers: [(name: String, value: String)] = []
    ) throws -> HTTPAnswer {
        var tries = 0
        while true {
            tries += 1
            let answer = try client.send(
                method, Self.target(path, query), body: body, headers: self.headers + headers, timeout: Self.limit,
                // What changes something must not be sent twice: the server may have done it before it went away.
                isFresh: method != "GET")
            if method == "GET", answer.status == 503, tries < Self.triesMax, answer.header("x-stepwell-version") != nil
            {
                sleep(1)
                continue
            }
            try check(answer)
            return answer
        }
    }

    /// Asks for events.
    /// - Parameter onEvent: false ends the stream.
    /// - Throws: as ``ask(_:_:_:_:headers:)``; `HTTPError` also when the connection breaks.
    func stream(
        _ path: [String], _ query: [(name: String, value: String?)], lastID: String?, onOpen: @escaping () -> Void,
        onEvent: @escaping (ServerSentEvents.Event) -> Bool
    ) throws {
        var parser = ServerSentEvents()
        let last = lastID.map { [("Last-Event-ID", $0)] } ?? []
        let answer = try client.stream(Self.target(path, query), headers: headers + last) { bytes in
            onOpen()
            for event in parser.take(bytes) where !onEvent(event) { return false }
            return true
        }
        try check(answer)
    }

    static func target(_ path: [String], _ query: [(name: String, value: String?)]) -> String {
        let pairs = query.compactMap { pair in pair.value.map { "\(pair.name)=\($0.percentEncoded)" } }
        return "/v1/" + path.map(\.percentEncoded).joined(separator: "/")
            + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    // MARK: Answers

    private func document(_ answer: HTTPAnswer) throws -> JSONText {
        do throws(JSONError) {
            return try JSONText(answer.body)
        } catch { throw ServerError.notStepwell(address, reason: "its answer is no JSON: \(error)") }
    }

    /// Throws what an answer that is not good means.
    private func check(_ answer: HTTPAnswer) throws {
        guard let version = answer.header("x-stepwell-version") else {
            throw ServerError.notStepwell(address, reason: "it has answered \(answer.status)")
        }
        guard !(200..<300).contains(answer.status) else { return }
        let refusal = ServerRefusal(answer)
        if let token = ServerError.Token(rawValue: refusal.code) {
            throw ServerError.token(address, token, detail: refusal.message)
        }
        // What the one knows, the other does not.
        let isUnknown =
            ["unknown_address", "method_not_allowed", "internal"].contains(refusal.code)
            || refusal.code == "malformed_request"
        if isUnknown, version != stepwellVersion {
            throw ServerError.otherVersion(address, version, detail: refusal.message)
        }
        throw refusal
    }
}

extension String {
    /// As a part of a path or a query: all but letters, digits and a few marks is escaped.
    var percentEncoded: String {
        var text = ""
        for byte in utf8 {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
                text.unicodeScalars.append(UnicodeScalar(byte))
            default: text += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return text
    }
}
