import StepwellHTTP
import StepwellModel

/// How all calls of a client ask.
extension Client {
    /// A wish about one task, which is not sent again.
    func act(
        _ path: String, reason: String?, _ members: (inout JSONWriter) -> Void = { _ in }
    ) async throws -> RemoteTask {
        let body = object { json in
            members(&json)
            json.member("reason", ifPresent: reason)
        }
        return try await ask("POST", path, body, isRepeatable: false) { json throws(BadAnswer) in try RemoteTask(json) }
    }

    /// What comes of an answer, which is JSON.
    func ask<Answer>(
        _ method: String, _ path: String, _ body: [UInt8]? = nil, contentType: String = "application/json",
        isRepeatable: Bool = true, limit: Duration? = nil, _ read: (JSON) throws(BadAnswer) -> Answer
    ) async throws -> Answer {
        let answer = try await answer(
            Requests.Request(
                method: method, path: path, body: body, contentType: contentType, isRepeatable: isRepeatable,
                limit: limit ?? timeout))
        guard let json = try? JSONText(answer.body).json else {
            throw ClientError.unreadable("\(requests.address)", reason: "it is not JSON")
        }
        do throws(BadAnswer) {
            return try read(json)
        } catch {
            throw ClientError.unreadable("\(requests.address)", reason: "'\(error.member)' is missing")
        }
    }

    /// An answer that is text, such as a drawing.
    func askForText(_ path: String) async throws -> String {
        let request = Requests.Request(method: "GET", path: path, isRepeatable: true, limit: timeout)
        return String(decoding: try await answer(request).body, as: UTF8.self)
    }

    /// Something to do that has no answer but that it is done.
    func tell(_ method: String, _ path: String) async throws {
        _ = try await answer(
            Requests.Request(method: method, path: path, body: [], isRepeatable: false, limit: timeout))
    }

    /// An answer that is no refusal.
    private func answer(_ request: Requests.Request) async throws -> HTTPAnswer {
        let answer = try await requests.answer(request)
        guard 200..<300 ~= answer.status else {
            let json = try? JSONText(answer.body).json
            throw ClientError.refused(
                status: answer.status, code: json?["code"]?.string ?? "http_\(answer.status)",
                detail: json?["detail"]?.string ?? "\(requests.address) answered with status \(answer.status)",
                cure: json?["cure"]?.string)
        }
        return answer
    }
}

/// A body with these members.
func object(_ members: (inout JSONWriter) -> Void) -> [UInt8] {
    var json = JSONWriter()
    json.beginObject()
    members(&json)
    json.endObject()
    return json.bytes
}

extension JSONWriter {
    mutating func member(_ name: String, ifPresent value: String?) {
        if let value { member(name, value) }
    }

    mutating func member(_ name: String, ifPresent value: Int?) {
        if let value { member(name, value) }
    }

    /// Nothing, when the list is empty.
    mutating func member(_ name: String, ifNotEmpty values: [String]) {
        if !values.isEmpty { member(name, .array(values.map(JSON.string))) }
    }
}

func path(_ parts: String...) -> String { "/v1/" + parts.map(escaped).joined(separator: "/") }

func query(_ parameters: [(name: String, value: String?)]) -> String {
    let present = parameters.compactMap { name, value in value.map { "\(name)=\(escaped($0))" } }
    return present.isEmpty ? "" : "?" + present.joined(separator: "&")
}

/// Text as part of an address.
private func escaped(_ text: String) -> String {
    let digits = Array("0123456789ABCDEF".utf8)
    var bytes: [UInt8] = []
    for byte in text.utf8 {
        switch UnicodeScalar(byte) {
        case "a"..."z", "A"..."Z", "0"..."9", "-", ".", "_", "~": bytes.append(byte)
        default: bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
        }
    }
    return String(decoding: bytes, as: UTF8.self)
}
