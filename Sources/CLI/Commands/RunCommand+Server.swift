import Stepwell
import StepwellHTTP
import StepwellHistory
import StepwellModel

extension RunCommand {
    /// Has a server run the task, or go on with that of the key.
    /// - Parameter fresh: the id that a dry run gives a new task.
    func run(_ template: Template, _ fresh: TaskID, on server: ServerBackend) async throws -> ExitCode {
        if let existing = try known(template, on: server) {
            // Nothing can be planned of a task that nobody takes further; it is shown.
            if isDryRun, !existing.state.isSettled {
                try server.plan(nil, for: existing.id)
                    .print(news(of: existing, template), task: existing.id, drive.format)
                return .success
            }
            note(news(of: existing, template))
            return try await drive.follow([existing.id], after: server.head(), on: server)
        }
        if isDryRun {
            try dryRunOfNew(template, fresh)
            return .success
        }
        let head = try server.head()
        try server.makeKnown(template, text: try Files.read(path), environment: environment)
        let answer = try server.connection.post(["tasks"], submit.body(template, input))
        guard let id = answer["task_id"]?.string.flatMap({ TaskID($0) }) else {
            throw ServerError.notStepwell(server.connection.address, reason: "it tells no id of the task")
        }
        note("task \(id.short) is run by the server")
        return try await drive.follow([id], after: head, on: server)
    }

    /// The task of an earlier run that the key names, if it is to be taken up again.
    private func known(_ template: Template, on server: ServerBackend) throws -> Existing? {
        guard let key = submit.key, !submit.replacing else { return nil }
        let query = [("namespace", template.namespace), ("name", template.name), ("key", key)]
        return try server.tasks(query, limit: 1).first.flatMap(Existing.init)
    }
}

extension ServerBackend {
    /// Makes a template known. One that the server knows already needs nobody who may add templates.
    func makeKnown(_ template: Template, text: [UInt8], environment: String?) throws {
        let digest = template.digest.description
        let isKnown = try templates().contains { known in
            known["digest"]?.string == digest && known["namespace"]?.string == template.namespace
                && known["name"]?.string == template.name && known["version"]?.string == template.version
        }
        if isKnown { return }
        try connection.ask(
            "PUT", ["templates"], [("environment", environment)], text, headers: [("Content-Type", "application/yaml")])
    }
}

extension RunCommand.Existing {
    fileprivate init?(_ json: JSON) {
        guard let id = json["task_id"]?.string.flatMap({ TaskID($0) }),
            let state = json["state"]?.string.flatMap(TaskState.init(name:))
        else { return nil }
        self.init(id: id, key: json["key"]?.string, state: state, template: json["digest"]?.string)
    }
}

extension SubmitOptions {
    /// The submission as a server is asked for it.
    fileprivate func body(_ template: Template, _ input: JSONText) -> JSONText {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("namespace", template.namespace)
        writer.member("name", template.name)
        writer.member("version", template.version)
        writer.member("context", input)
        writer.member("replace", .bool(replacing))
        writer.member("tags", .array(tags.map(JSON.string)))
        if let priority { writer.member("priority", priority) }
        for (name, text) in [
            ("idempotency_key", key), ("initiator", initiator), ("source_system", sourceSystem), ("reason", reason),
            ("traceparent", traceparent),
        ] {
            if let text { writer.member(name, text) }
        }
        writer.endObject()
        return JSONText(trusted: writer.bytes)
    }
}
