import Stepwell
import StepwellEngine
import StepwellLog
import StepwellModel

/// An error as a client gets it: a problem document of RFC 9457, with the code that the error has everywhere.
package struct Problem: StepwellError {
    package var status: Int
    package var code: String
    package var message: String
    package var cure: String?
    /// The methods that are possible, with 405.
    package var allowed: [String] = []
    /// Seconds after which the same request may do better.
    package var retryAfter: Int?

    package init(_ status: Int, _ code: String, _ message: String, cure: String? = nil, retryAfter: Int? = nil) {
        self.status = status
        self.code = code
        self.message = message
        self.cure = cure
        self.retryAfter = retryAfter
    }

    package init(_ error: any Error) {
        switch error {
        case let problem as Problem: self = problem
        case let error as any StepwellError:
            let status = Self.status(of: error)
            self.init(
                status, error.code, error.message, cure: error.cure, retryAfter: status == 503 ? 1 : nil)
        default: self.init(500, "internal", "the server has failed: \(error)", cure: "look into its log")
        }
    }

    package var response: HTTPResponse {
        var members: [JSON.Member] = [
            .init("type", .string("urn:stepwell:error:\(code)")), .init("title", .string(Self.title(status))),
            .init("status", .number(String(status))), .init("detail", .string(message)), .init("code", .string(code)),
        ]
        if let cure { members.append(.init("cure", .string(cure))) }
        var response = HTTPResponse(
            status, contentType: "application/problem+json", body: JSONText(.object(members)).bytes)
        response.problem = (code, message)
        if let retryAfter { response.headers.append(("Retry-After", String(retryAfter))) }
        if !allowed.isEmpty { response.headers.append(("Allow", allowed.joined(separator: ", "))) }
        if status == 401 { response.headers.append(("WWW-Authenticate", "Bearer")) }
        return response
    }

    /// The status of an error, by its stable word.
    private static func status(of error: any StepwellError) -> Int {
        switch error.code {
        case "unknown_task", "unknown_step", "unknown_template", "unknown_worker", "no_attempt", "before_submission",
            "unknown_limit", "unknown_webhook":
            404
        case "duplicate_key", "duplicate_task", "task_closed", "nothing_to_retry", "step_not_failed",
            "step_not_resolvable", "template_changed", "task_paused", "not_paused", "ambiguous_task",
            "fork_does_not_fit", "protocol_version", "too_many_limits":
            409
        case "invalid_input", "invalid_key", "priority_out_of_range", "unsupported", "no_steps", "invalid_template",
            "nothing_to_run", "invalid_limit":
            422
        case "not_allowed": 403
        case "busy", "disk_full", "engine_stopped": 503
        default: error is EngineError || error is LogError || error is FileError ? 500 : 400
        }
    }

    /// The reason phrases of RFC 9110.
    private static func title(_ status: Int) -> String {
        switch status {
        case 400: "Bad Request"
        case 401: "Unauthorized"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 405: "Method Not Allowed"
        case 409: "Conflict"
        case 413: "Content Too Large"
        case 415: "Unsupported Media Type"
        case 422: "Unprocessable Content"
        case 429: "Too Many Requests"
        case 503: "Service Unavailable"
        default: "Internal Server Error"
        }
    }
}

extension Problem {
    static let stopping = Problem(503, "stopping", "the server is stopping", retryAfter: 1)
    static let badAddress = Problem(
        400, "bad_address", "the address has a wrong escape or is not UTF-8", cure: "write '%25' for a percent sign")

    static let unclearEnd = Problem.malformed(
        "the headers do not say in one way where the body ends",
        cure: "send one 'Content-Length', or 'Transfer-Encoding: chunked' and nothing else")

    static func bodyTooLarge(_ limit: Int) -> Problem {
        Problem(413, "body_too_large", "the body is larger than \(limit) bytes", cure: "send less at once")
    }

    static func busy(_ reason: String) -> Problem { Problem(503, "busy", reason, retryAfter: 1) }

    static func malformed(_ detail: String, cure: String? = nil) -> Problem {
        Problem(400, "malformed_request", detail, cure: cure)
    }
}
