import StepwellModel

/// Reads what runs a step: a handler that is registered under a name, or a program.
struct HandlerReader {
    private let fields: Fields
    private var findings: Findings { fields.findings }

    static func read(_ node: YAMLNode, _ findings: Findings) -> HandlerDraft? {
        Fields(node, .handler, findings, name: "handler").map { HandlerReader(fields: $0).read() }
    }

    private func read() -> HandlerDraft {
        let initialization = fields.object("initialization") ?? []
        findings.checkSecrets(initialization, at: fields.node("initialization")?.place)
        return HandlerDraft(
            target: target, initialization: initialization, environment: environment,
            workingDirectory: workingDirectory)
    }

    private var target: HandlerTemplate.Target? {
        switch (fields.node("callable"), fields.node("command")) {
        case (nil, nil):
            findings.error(
                .noHandler, at: fields.place, "the handler has neither 'callable' nor 'command'",
                cure: "write 'callable: my_handler' for a registered handler, or 'command: [program, argument]'")
            return nil
        case (.some, .some(let command)):
            findings.error(
                .conflictingKeys, at: command.place, "the handler has both 'callable' and 'command'",
                cure: "keep the one that is to run the step")
            return nil
        case (.some(let callable), nil):
            refuse(["env", "working_directory"], without: "command")
            return self.callable(callable)
        case (nil, .some(let command)):
            refuse(["method", "resolver"], without: "callable")
            return self.command(command).map { .command($0) }
        }
    }

    private func callable(_ node: YAMLNode) -> HandlerTemplate.Target? {
        let method = fields.text("method").flatMap { checked($0, "method") } ?? "call"
        guard let name = findings.text(node, "callable").flatMap({ checked($0, "callable") }) else { return nil }
        return .callable(name, method: method)
    }

    private func checked(_ name: String, _ key: String) -> String? {
        findings.checked(name, of: key, .callable, at: fields.node(key)?.place ?? fields.place)
    }

    /// A list of arguments, never a line for a shell: what is quoted in such a line is everybody's guess.
    private func command(_ node: YAMLNode) -> [String]? {
        if case .scalar(let line, _) = node.content {
            let script = String(decoding: JSON.string(line).encoded, as: UTF8.self)
            findings.wrong(
                node, "command", "a list of the program and its arguments",
                cure: "write 'command: [\"sh\", \"-c\", \(script)]' to have a shell read it")
            return nil
        }
        guard let elements = findings.elements(node, "command") else { return nil }
        let arguments = elements.compactMap { element in
            findings.textAsWritten(element, "command").flatMap { withoutNUL($0, "command", at: element.place) }
        }
        guard arguments.count == elements.count else { return nil }
        for (element, argument) in zip(elements, arguments) {
            findings.warnOfSecretArgument(argument, at: element.place)
        }
        guard let program = arguments.first, !program.isEmpty else {
            findings.error(
                .noHandler, at: node.place, "'command' names no program", cure: "write 'command: [program, argument]'")
            return nil
        }
        return arguments
    }

    private var environment: [EnvironmentVariable] {
        guard let node = fields.node("env"), let entries = findings.entries(node, "env") else { return [] }
        return entries.compactMap { entry in
            guard !entry.name.isEmpty, !entry.name.contains("="), !entry.name.utf8.contains(0) else {
                findings.error(.badName, at: entry.place, "'\(entry.name)' cannot be the name of a variable")
                return nil
            }
            return findings.textAsWritten(entry.value, entry.name)
                .flatMap { withoutNUL($0, entry.name, at: entry.value.place) }
                .map { value in
                    findings.checkSecret(value, at: entry.value.place)
                    return EnvironmentVariable(entry.name, value)
                }
        }
    }

    private var workingDirectory: String? {
        guard let node = fields.node("working_directory"), let path = findings.text(node, "working_directory") else {
            return nil
        }
        guard !path.isEmpty else {
            findings.error(
                .badName, at: node.place, "'working_directory' is empty", cure: "leave it out, or name a directory")
            return nil
        }
        return withoutNUL(path, "working_directory", at: node.place)
    }

    /// No program can be given a text that holds the character NUL.
    private func withoutNUL(_ text: String, _ key: String, at place: Place) -> String? {
        guard text.utf8.contains(0) else { return text }
        findings.error(.badName, at: place, "'\(key)' holds the control character U+0000", cure: "remove it")
        return nil
    }

    /// Keys that would have no effect are refused.
    private func refuse(_ keys: [String], without other: String) {
        for key in keys {
            guard let entry = fields.entry(key), !entry.value.isNull else { continue }
            findings.error(
                .conflictingKeys, at: entry.place, "'\(key)' has an effect with '\(other)' only", cure: "remove it")
        }
    }
}
