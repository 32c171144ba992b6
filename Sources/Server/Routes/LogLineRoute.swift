import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel

extension Routes {
    /// A page of what the handlers of a task have written.
    static func logLines(_ call: Call) throws -> HTTPResponse {
        try call.allowOnly("step", "limit", "cursor")
        let limit = try call.integer("limit", in: 1...10_000) ?? 1000
        let after = try call.request.queried("cursor").map { cursor in
            guard let place = LogLinePosition(cursor: cursor) else {
                throw Problem.malformed("'\(cursor)' is no cursor", cure: "take the 'next' of the page before")
            }
            return place
        }
        let id = try call.task()
        let names = try call.service.store.stepNames(of: id)
        let step = try call.request.queried("step").map { step in
            guard let index = names.firstIndex(of: step) else {
                throw UnknownStepError(step: step, task: id, known: names)
            }
            return index
        }
        var lines: [JSON] = []
        var next: LogLinePosition?
        try call.service.store.logLines(of: id, after: after) { line in
            guard step == nil || step == line.step else { return true }
            lines.append(line.json(names))
            guard lines.count == limit else { return true }
            next = LogLinePosition(lease: line.lease, number: line.number)
            return false
        }
        return HTTPResponse(
            json: ["lines": .array(lines), "next": next.map { .string($0.cursor) } ?? .null])
    }
}

extension LogLinePosition {
    /// For a client, who only gives it back.
    fileprivate var cursor: String { "\(lease.rawValue)-\(number)" }

    fileprivate init?(cursor: String) {
        let parts = cursor.split(separator: "-")
        guard parts.count == 2, let lease = UInt64(parts[0]), let number = UInt32(parts[1]) else { return nil }
        self.init(lease: Lease(lease), number: number)
    }
}
