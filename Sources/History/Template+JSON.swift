import StepwellLog
package import StepwellModel

extension Template {
    /// What names the template, as a JSON object for lists.
    package var nameJSON: JSON {
        [
            "namespace": .string(namespace), "name": .string(name), "version": .string(version),
            "digest": .string(digest.description), "steps": .number(String(steps.count)),
            "description": description.map(JSON.string) ?? .null,
        ]
    }

    /// What the template says, as a JSON object: steps by their names, so that two templates can be compared. What is not set
    /// has no member.
    package var json: JSON {
        var members: [JSON.Member] = [
            .init("namespace", .string(namespace)), .init("name", .string(name)), .init("version", .string(version)),
            .init("priority", .number(String(priority))),
        ]
        if let description { members.append(.init("description", .string(description))) }
        if let environment { members.append(.init("environment", .string(environment))) }
        if let inputSchema { members.append(.init("input_schema", inputSchema.json)) }
        if details != .emptyObject { members.append(.init("details", details.json)) }
        members.append(
            .init("steps", .object(steps.map { step in JSON.Member(step.name, step.json { steps[$0].name }) })))
        return .object(members)
    }
}

extension StepTemplate {
    fileprivate func json(_ name: (StepIndex) -> String) -> JSON {
        var members: [JSON.Member] = []
        switch handler.target {
        case .callable(let name, let method):
            members.append(.init("callable", .string(name)))
            members.append(.init("method", .string(method)))
        case .command(let words): members.append(.init("command", .array(words.map(JSON.string))))
        }
        members += [
            .init("configuration", handler.configuration.json),
            .init("environment", .object(handler.environment.map { .init($0.name, .string($0.value)) })),
            .init("dependencies", .array(dependencies.map { .string(name($0)) })), .init("retry", retry.json),
        ]
        if let directory = handler.workingDirectory { members.append(.init("working_directory", .string(directory))) }
        if let timeout { members.append(.init("timeout_ms", .number(String(timeout.rawValue)))) }
        if let description { members.append(.init("description", .string(description))) }
        if let resultSchema { members.append(.init("result_schema", resultSchema.json)) }
        if details != .emptyObject { members.append(.init("details", details.json)) }
        return .object(members)
    }
}

extension RetryPolicy {
    fileprivate var json: JSON {
        [
            "retryable": .bool(retryable), "max_attempts": .number(String(attemptsMax)),
            "backoff": .string("\(backoff)"), "initial_delay_ms": .number(String(initialDelay.rawValue)),
            "max_delay_ms": .number(String(maximumDelay.rawValue)), "jitter": .bool(jitter),
            "max_lost_attempts": .number(String(lossesMax)),
        ]
    }
}
