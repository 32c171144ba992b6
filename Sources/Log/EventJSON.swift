package import StepwellModel

/// Events for people and programs: one JSON object an event, with names in place of the log's numbers.
package enum EventJSON {
    /// Appends the record as one object. `stepName` names the steps of the record's task, where they are known.
    package static func write(
        _ record: EventRecord, to writer: inout JSONWriter, stepName: ((StepIndex) -> String?)? = nil
    ) {
        writer.beginObject()
        writer.member("seq", record.number.rawValue)
        writer.member("type", record.event.type.name)
        if let task = record.task { writer.member("task_id", task.description) } else { writer.null("task_id") }
        writer.member("task_seq", record.taskNumber)
        writer.sequenceNumber("prev", record.previous)
        writer.member("time", record.time.description)
        writer.member("time_ms", record.time.milliseconds)
        writer.name("actor")
        writer.beginObject()
        writer.member("type", record.actor.kind.name)
        writer.member("id", record.actor.id)
        writer.endObject()
        writer.sequenceNumber("cause", record.cause)
        writer.name("data")
        writeData(record.event, to: &writer, stepName: stepName)
        writer.endObject()
    }

    /// Appends what the event says, as an object.
    static func writeData(_ event: Event, to writer: inout JSONWriter, stepName: ((StepIndex) -> String?)?) {
        writer.beginObject()
        DataWriter(stepName: stepName).write(event, to: &writer)
        writer.endObject()
    }

    /// The record as one line, without its end.
    package static func line(_ record: EventRecord, stepName: ((StepIndex) -> String?)? = nil) -> [UInt8] {
        var writer = JSONWriter()
        write(record, to: &writer, stepName: stepName)
        return writer.bytes
    }
}

extension WorkerJoin.Kind {
    /// The word used in JSON and documents.
    package var name: String {
        switch self {
        case .inProcess: "in_process"
        case .command: "command"
        case .process: "process"
        case .remote: "remote"
        }
    }
}

extension WorkerJoin {
    /// The labels as an object.
    package var labelsJSON: JSON { .object(labels.map { .init($0.name, .string($0.value)) }) }
}

/// Writes the members of `data`: each key of the log by its name.
private struct DataWriter {
    var stepName: ((StepIndex) -> String?)?

    func write(_ event: Event, to json: inout JSONWriter) {
        switch event {
        case .engineDraining, .engineStopped, .taskWaiting, .taskBlocked, .taskCompleted, .taskCancelled: break
        case .engineStarted(let start):
            json.member("version", start.version)
            json.member("process_id", start.processID)
            json.member("host", start.host)
            json.optional("focus", start.focus?.description)
            json.optional("reason", start.reason)
            if start.rules != 0 { json.member("rules", start.rules) }
        case .workerJoined(let join): write(join, to: &json)
        case .workerLeft(let worker, let reason):
            json.member("worker", worker.rawValue)
            json.member("reason", reason)
        case .clockClamped(let observed, let used):
            json.member("observed_ms", observed.milliseconds)
            json.member("used_ms", used.milliseconds)
        case .templateRegistered(let registration):
            json.member("template", hexadecimal(registration.template.bytes))
            json.member("namespace", registration.namespace)
            json.member("name", registration.name)
            json.member("version", registration.version)
        case .storePruned(let pruning):
            json.member("task_count", pruning.taskCount)
            json.member("event_count", pruning.eventCount)
            json.member("before_ms", pruning.before.milliseconds)
            json.optional("reason", pruning.reason)
        case .limitSet(let change): write(change, to: &json)
        case .limitRemoved(let removal):
            write(removal.target, to: &json)
            json.member("limit", removal.limit.rawValue)
            json.optional("reason", removal.reason)
        case .limitDue(let limit): json.member("limit", limit.rawValue)
        case .taskSubmitted(let submission): write(submission, to: &json)
        case .attemptSucceeded(let attempt, let result, let metadata):
            write(attempt, to: &json)
            json.payload("result", result)
            json.optional("metadata", metadata)
        case .attemptFailed(let attempt, let failure):
            write(attempt, to: &json)
            write(failure, to: &json)
        case .attemptTimedOut(let attempt), .attemptStopped(let attempt): write(attempt, to: &json)
        case .attemptLost(let attempt, let reason):
            write(attempt, to: &json)
            json.member("reason", reason.name)
        case .attemptCheckpointed(let attempt, let data):
            write(attempt, to: &json)
            json.payload("checkpoint", data)
        case .resultRejected(let attempt, let rejected):
            write(attempt, to: &json)
            json.member("reason", rejected.reason.name)
            json.member("succeeded", rejected.succeeded)
        case .resultAdopted(let adopted):
            write(adopted.step, to: &json)
            json.payload("result", adopted.result)
            if adopted.origin != .zero { json.member("origin", adopted.origin.rawValue) }
        case .operatorRetried(let steps, let reason):
            write(steps, to: &json)
            json.optional("reason", reason)
        case .operatorCancelled(let reason), .operatorPaused(let reason), .operatorResumed(let reason):
            json.optional("reason", reason)
        case .operatorResolved(let step, let result, let reason):
            write(step, to: &json)
            json.optional("result", result)
            json.optional("reason", reason)
        case .retryDue(let step), .stepEnqueued(let step), .stepCompleted(let step), .stepReset(let step),
            .stepResolved(let step), .stepAdopted(let step):
            write(step, to: &json)
        case .attemptStarted(let start):
            write(start.step, to: &json)
            json.member("attempt", start.attempt)
            json.member("worker", start.worker.rawValue)
            json.member("worker_kind", start.workerKind.name)
            if let deadline = start.deadline { json.member("deadline_ms", deadline.milliseconds) }
            json.optional("handler_version", start.handlerVersion)
        case .retryScheduled(let step, let due):
            write(step, to: &json)
            json.member("due_ms", due.milliseconds)
        case .stepFailed(let step, let reason):
            write(step, to: &json)
            json.member("reason", reason.name)
        }
    }

    private func write(_ step: StepIndex, to json: inout JSONWriter) {
        if let name = stepName?(step) { json.member("step", name) }
        json.member("step_index", step)
    }

    private func write(_ steps: [StepIndex], to json: inout JSONWriter) {
        let names = steps.compactMap { stepName?($0) }
        if names.count == steps.count, stepName != nil { json.strings("steps", names) }
        json.name("step_indexes")
        json.beginArray()
        for step in steps { json.raw(String(step).utf8) }
        json.endArray()
    }

    private func write(_ attempt: AttemptID, to json: inout JSONWriter) {
        write(attempt.step, to: &json)
        json.member("attempt", attempt.attempt)
        json.member("lease", attempt.lease.rawValue)
        json.member("worker", attempt.worker.rawValue)
    }

    private func write(_ target: LimitTarget, to json: inout JSONWriter) {
        json.member("scope", target.scope.name)
        json.member("name", target.name)
    }

    private func write(_ change: LimitChange, to json: inout JSONWriter) {
        write(change.setting.target, to: &json)
        if let most = change.setting.concurrencyMax { json.member("concurrency_max", most) }
        if let rate = change.setting.rate {
            json.member("rate", rate.count)
            json.member("per_ms", rate.period.rawValue)
            json.member("burst", rate.burst)
        }
        if change.previous != .zero { json.member("limit", change.previous.rawValue) }
        json.optional("reason", change.reason)
    }

    private func write(_ failure: Failure, to json: inout JSONWriter) {
        json.member("message", failure.message)
        json.member("error_type", failure.errorType)
        json.optional("error_code", failure.errorCode)
        json.member("retryable", failure.retryable)
        if let wait = failure.retryAfter { json.member("retry_after_ms", wait.rawValue) }
        json.optional("backtrace", failure.backtrace)
        json.optional("metadata", failure.metadata)
    }

    private func write(_ join: WorkerJoin, to json: inout JSONWriter) {
        json.member("worker", join.worker.rawValue)
        json.member("name", join.name)
        json.member("worker_kind", join.kind.name)
        json.name("handlers")
        json.beginArray()
        for handler in join.handlers {
            json.beginObject()
            json.member("name", handler.name)
            json.member("version", handler.version)
            json.endObject()
        }
        json.endArray()
        json.member("slots", join.slots)
        if !join.namespaces.isEmpty { json.strings("namespaces", join.namespaces) }
        if !join.labels.isEmpty { json.member("labels", join.labelsJSON) }
    }

    private func write(_ submission: Submission, to json: inout JSONWriter) {
        json.member("template", hexadecimal(submission.template.bytes))
        json.member("namespace", submission.namespace)
        json.member("name", submission.name)
        json.member("version", submission.version)
        json.optional("environment", submission.environment)
        json.payload("input", submission.input)
        json.member("priority", submission.priority)
        json.optional("key", submission.key)
        json.member("correlation_id", submission.correlationID)
        json.optional("parent_correlation_id", submission.parentCorrelationID)
        json.optional("initiator", submission.initiator)
        json.optional("source_system", submission.sourceSystem)
        json.optional("reason", submission.reason)
        json.strings("tags", submission.tags)
        json.optional("traceparent", submission.traceparent)
        if let origin = submission.forkedFrom {
            json.member("forked_from", origin.description)
            json.name("adopted")
            json.beginArray()
            for step in submission.adopted { json.raw(String(step).utf8) }
            json.endArray()
        }
    }
}

/// Bytes as digits, two each.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    let digits = Array("0123456789abcdef".utf8)
    var text: [UInt8] = []
    for byte in bytes {
        text.append(digits[Int(byte >> 4)])
        text.append(digits[Int(byte & 15)])
    }
    return String(decoding: text, as: UTF8.self)
}

extension JSONWriter {
    fileprivate mutating func null(_ name: String) {
        self.name(name)
        raw("null".utf8)
    }

    /// Null stands for "none", which the log keeps as zero.
    fileprivate mutating func sequenceNumber(_ name: String, _ number: SequenceNumber) {
        if number == .zero { null(name) } else { member(name, number.rawValue) }
    }

    fileprivate mutating func optional(_ name: String, _ value: String?) {
        if let value { member(name, value) }
    }

    fileprivate mutating func optional(_ name: String, _ value: JSONText?) {
        if let value { payload(name, value) }
    }

    /// JSON as it was kept, but on one line. Within JSON a line break is never part of a string.
    fileprivate mutating func payload(_ name: String, _ value: JSONText) {
        self.name(name)
        raw(value.bytes.lazy.filter { $0 != 0x0A && $0 != 0x0D })
    }

    fileprivate mutating func strings(_ name: String, _ values: [String]) {
        self.name(name)
        beginArray()
        for value in values { string(value) }
        endArray()
    }
}
