import StepwellKernel
package import StepwellLog
package import StepwellModel

extension Assignment {
    /// One JSON document with everything that the attempt is given, for running it elsewhere, such as in a debugger:
    /// the members of the worker protocol's `attempt`, the results of all ancestors, and how the attempt ended. `docs/cli.md`
    /// describes it.
    ///
    /// - Parameters:
    ///   - results: for each step the event with its result; zero where there is none.
    ///   - recorded: how the attempt ended.
    package func document(results: [SequenceNumber], recorded: JSON) throws(LogError) -> JSONText {
        var json = JSONWriter()
        json.beginObject()
        json.member("format", "stepwell-attempt")
        json.member("version", 1)
        json.attempt(self)
        switch step.handler.target {
        case .callable(let name, let method):
            json.member("handler", name)
            json.member("method", method)
        case .command(let words): json.member("command", .array(words.map(JSON.string)))
        }
        json.submission(try readSubmission(), self)
        json.dependencyNames(self)
        try json.results("dependencies", step.dependencies, of: self, results)
        try json.results("ancestors", plan.fartherAncestors(of: attempt.step, limit: .max), of: self, results)
        if let checkpoint = try readCheckpoint() { json.member("checkpoint", checkpoint.onOneLine) }
        json.member("recorded", recorded)
        json.endObject()
        return JSONText(trusted: json.bytes)
    }
}

extension JSONWriter {
    fileprivate mutating func results(
        _ member: String, _ steps: [StepIndex], of assignment: Assignment, _ results: [SequenceNumber]
    ) throws(LogError) {
        name(member)
        beginObject()
        for step in steps {
            let result = try assignment.log.result(at: results[step]) ?? .null
            self.member(assignment.template.steps[step].name, result.onOneLine)
        }
        endObject()
    }
}
