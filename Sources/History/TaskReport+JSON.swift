public import StepwellModel

extension TaskReport {
    /// The report as one JSON object; results and input stand in it byte for byte. `docs/cli.md` lists the members.
    public var json: JSONText {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("task_id", id.description)
        writer.member("namespace", submission.namespace)
        writer.member("name", submission.name)
        writer.member("version", submission.version)
        writer.member("key", submission.key.map(JSON.string) ?? .null)
        writer.member("state", state.name)
        writer.member("priority", submission.priority)
        writer.describe(template.description, template.details)
        writer.member("input", submission.input)
        if let origin = submission.forkedFrom { writer.member("forked_from", origin.description) }
        if !forks.isEmpty { writer.member("forks", .array(forks.map { .string($0.description) })) }
        writer.member("submitted_at", submitted.description)
        writer.member("submitted_by", ["type": .string(submitter.kind.name), "id": .string(submitter.id)])
        writer.member("completed_at", closed.map { .string($0.description) } ?? .null)
        if let pause { writer.member("paused", pause.json) }
        writer.name("steps")
        writer.beginObject()
        for (step, template) in zip(steps, template.steps) {
            writer.name(step.name)
            step.write(template, to: &writer)
        }
        writer.endObject()
        writer.endObject()
        return JSONText(trusted: writer.bytes)
    }
}

extension TaskReport.Pause {
    fileprivate var json: JSON {
        [
            "by": ["type": .string(actor.kind.name), "id": .string(actor.id)], "at": .string(time.description),
            "reason": reason.map(JSON.string) ?? .null,
        ]
    }
}

extension StepReport {
    fileprivate func write(_ template: StepTemplate, to writer: inout JSONWriter) {
        writer.beginObject()
        writer.describe(template.description, template.details)
        writer.member("state", state.name)
        writer.member("attempts", attempts)
        writer.member("max_attempts", attemptsMax)
        writer.member("lost", losses)
        if let handlerVersion { writer.member("handler_version", handlerVersion) }
        if let result, state.satisfiesDependents { writer.member("result", result) }
        if let failure, !state.satisfiesDependents { writer.member("error", failure.json) }
        if let adopted { writer.member("adopted_from", adopted == .zero ? .null : .number(String(adopted.rawValue))) }
        if let due { writer.member("due_at", due.description) }
        if !waitsFor.isEmpty { writer.member("waits_for", .array(waitsFor.map(JSON.string))) }
        writer.member("started_at", started.map { .string($0.description) } ?? .null)
        writer.member("completed_at", completed.map { .string($0.description) } ?? .null)
        writer.endObject()
    }
}

extension JSONWriter {
    /// What a template says of itself or a step and has no effect; members that it does not say are left out.
    fileprivate mutating func describe(_ description: String?, _ details: JSONText) {
        if let description { member("description", description) }
        if details != .emptyObject { member("details", details) }
    }
}

extension Failure {
    /// The failure as a JSON object.
    package var json: JSON {
        var members: [JSON.Member] = [
            .init("message", .string(message)), .init("error_type", .string(errorType)),
            .init("retryable", .bool(retryable)),
        ]
        if let errorCode { members.append(.init("error_code", .string(errorCode))) }
        if let retryAfter { members.append(.init("retry_after_ms", .number(String(retryAfter.rawValue)))) }
        if let backtrace { members.append(.init("backtrace", .string(backtrace))) }
        if let metadata { members.append(.init("metadata", metadata.json)) }
        return .object(members)
    }
}
