import StepwellKernel
import StepwellLog
import StepwellModel

/// What the engine says to a worker: lines of `docs/worker-protocol.md`, each with its end.
enum EngineMessage {
    /// - Parameter session: what a worker elsewhere needs besides: the session's name, the lease, the longest poll.
    static func welcome(
        worker: String, limits: Limits, session: (id: String, lease: Milliseconds, pollMax: Milliseconds)? = nil
    ) -> [UInt8] {
        line("welcome") { json in
            json.member("protocol", WorkerMessage.protocolVersion)
            json.member("worker", worker)
            json.member("result_bytes_max", limits.resultBytesMax)
            json.member("line_bytes_max", limits.lineBytesMax)
            guard let session else { return }
            json.member("worker_id", session.id)
            json.member("lease_ms", session.lease.rawValue)
            json.member("poll_ms_max", session.pollMax.rawValue)
        }
    }

    static func cancel(_ lease: Lease, because reason: StopReason) -> [UInt8] {
        line("cancel", lease) { $0.member("reason", reason.rawValue) }
    }

    static func fetched(_ lease: Lease, id: Int64, _ result: Result<JSONText, FetchError>) -> [UInt8] {
        line("fetched", lease) { json in
            json.member("id", id)
            switch result {
            case .success(let text): json.member("result", text.onOneLine)
            case .failure(let error): json.member("error", "\(error)")
            }
        }
    }

    static func fetched(_ lease: Lease, id: Int64, error: String) -> [UInt8] {
        line("fetched", lease) { json in
            json.member("id", id)
            json.member("error", error)
        }
    }

    static func checkpointed(_ lease: Lease, error: String?) -> [UInt8] {
        line("checkpointed", lease) { json in
            if let error { json.member("error", error) }
        }
    }

    static func rejected(_ lease: Lease, because reason: String) -> [UInt8] {
        line("rejected", lease) { $0.member("reason", reason) }
    }

    static let drain = line("drain") { _ in }

    /// The attempt itself, with what its worker is likely to need. Reads the log.
    static func attempt(_ assignment: Assignment, limits: Limits) throws(LogError) -> [UInt8] {
        let submission = try assignment.readSubmission()
        var json = JSONWriter(capacity: 1024 + submission.input.bytes.count)
        json.beginObject()
        json.member("type", "attempt")
        json.member("lease", assignment.attempt.lease.rawValue)
        json.attempt(assignment)
        if case .callable(let name, let method) = assignment.step.handler.target {
            json.member("handler", name)
            json.member("method", method)
        }
        json.submission(submission, assignment)
        json.dependencyNames(assignment)
        let larger = try json.dependencies(assignment, limits: limits)
        json.name("fetchable")
        json.beginArray()
        let farther = assignment.plan.fartherAncestors(of: assignment.attempt.step, limit: limits.fetchableMax)
        for step in larger + farther { json.string(assignment.template.steps[step].name) }
        json.endArray()
        if let checkpoint = try assignment.readCheckpoint() { json.member("checkpoint", checkpoint.onOneLine) }
        json.endObject()
        json.bytes.append(UInt8(ascii: "\n"))
        return json.bytes
    }

    private static func line(
        _ type: String, _ lease: Lease? = nil, _ members: (inout JSONWriter) -> Void
    ) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.member("type", type)
        if let lease { json.member("lease", lease.rawValue) }
        members(&json)
        json.endObject()
        json.bytes.append(UInt8(ascii: "\n"))
        return json.bytes
    }
}

extension JSONWriter {
    /// The results of direct dependencies, as far as they are small and the line does not grow too long. Returns the steps
    /// whose results were left out.
    fileprivate mutating func dependencies(
        _ assignment: Assignment, limits: Limits
    ) throws(LogError) -> [StepIndex] {
        var left: [StepIndex] = []
        // A part of a line for results: the input and a checkpoint may be large too.
        var room = limits.lineBytesMax / 4
        name("dependencies")
        beginObject()
        for (place, step) in assignment.step.dependencies.enumerated() {
            let result = try assignment.readDependencyResult(place) ?? .null
            guard result.bytes.count <= min(limits.inlineBytesMax, room) else {
                left.append(step)
                continue
            }
            room -= result.bytes.count
            member(assignment.template.steps[step].name, result.onOneLine)
        }
        endObject()
        return left
    }
}

extension JSONText {
    /// The same value without line breaks, which may stand between the tokens of JSON but would end a message.
    var onOneLine: JSONText {
        guard bytes.contains(where: { $0 == 0x0A || $0 == 0x0D }) else { return self }
        return JSONText(trusted: bytes.map { $0 == 0x0A || $0 == 0x0D ? 0x20 : $0 })
    }
}
