import StepwellKernel
package import StepwellLog
package import StepwellModel

extension Explanation {
    /// Explains one step of a task: its whole story.
    /// - Throws: as ``read(_:from:isEngineAtWork:)``; nil when there is no such task.
    package static func read(
        _ id: TaskID, step: StepIndex, from log: any EventReader, isEngineAtWork: Bool?
    ) throws -> Explanation? {
        guard var explanation = try read(id, from: log, isEngineAtWork: isEngineAtWork) else { return nil }
        explanation.step = step
        explanation.sentences = []
        explanation.actions = []
        explanation.explainStep(step, Narrator(explanation.story))
        return explanation
    }

    private mutating func explainStep(_ step: StepIndex, _ narrator: Narrator) {
        let report = story.report.steps[step]
        let template = story.template.steps[step]
        let name = template.name
        sentences.append(head(step, narrator))
        sentences.append(Sentence("its handler is \(template.handler.target.told)", step: name))
        if !template.dependencies.isEmpty {
            let ready = story.ready[step]
            let when = ready.map { "; all were complete at \(narrator.time($0.time))" } ?? ""
            sentences.append(
                Sentence(
                    "it comes after \(narrator.names(template.dependencies))\(when)",
                    [ready?.number].compactMap(\.self), step: name))
        }
        sentences += told(step, narrator)
        let held = story.template.heldUp(by: step).filter { story.report.steps[$0].state == .pending }
        if !report.state.satisfiesDependents, !held.isEmpty {
            sentences.append(Sentence("it holds up \(narrator.names(held))", step: name))
        }
        actions = stepActions(step, report)
    }

    /// The step's state, and what it waits for.
    private func head(_ step: StepIndex, _ narrator: Narrator) -> Sentence {
        let (report, name) = (story.report.steps[step], narrator.name(step))
        if let wait = narrator.wait(of: step) { return Sentence("\(name) \(wait.text)", wait.events, step: name) }
        let since = story.since[step]
        let end = report.completed.map { " since \(narrator.time($0))" } ?? ""
        let tries = report.state == .complete ? ", at attempt \(report.attempts) of \(report.attemptsMax)" : ""
        return Sentence("\(name) is \(report.state.name)\(end)\(tries)", [since?.number].compactMap(\.self), step: name)
    }

    /// Attempts, operators' actions and late results, in the order in which they happened.
    private func told(_ step: StepIndex, _ narrator: Narrator) -> [Sentence] {
        var all = story.attempts(of: step).map { (number: $0.lease, sentence: narrator.attempt($0)) }
        for record in story.actions where record.event.concerns(step) {
            all.append((record.number, narrator.action(record)))
        }
        for record in story.rejections where record.event.step == step {
            if let sentence = narrator.rejection(record) { all.append((record.number, sentence)) }
        }
        return all.sorted { $0.number < $1.number }.map(\.sentence)
    }

    private func stepActions(_ index: StepIndex, _ report: StepReport) -> [Action] {
        let (task, word) = (story.id.short, story.template.steps[index].name.shellWord)
        var actions: [Action] = []
        if report.starts > 0 {
            actions.append(Action(command: "stepwell logs \(task) \(word)", purpose: "what the handler wrote"))
            actions.append(
                Action(
                    command: "stepwell replay-step \(task) \(word)\(story.template.steps[index].workerOption)",
                    purpose: "run it again as it was, outside the log"))
        }
        if report.state == .error {
            actions.append(
                Action(
                    command: "stepwell retry \(task) --step \(word)\(story.template.workerOption)",
                    purpose: "when the cause is mended: it begins anew"))
        }
        if !story.report.state.isClosed, StepMachine.resolvable.contains(report.state) {
            actions.append(
                Action(
                    command: "stepwell resolve \(task) \(word) --result JSON",
                    purpose: "go on without it, with this result"))
        }
        return actions
    }
}

extension Explanation {
    /// The explanation as one JSON object. `docs/cli.md` lists the members.
    package var json: JSON {
        var members: [JSON.Member] = [
            .init("task_id", .string(story.id.description)), .init("state", .string(story.report.state.name)),
        ]
        if let step {
            members.append(.init("step", .string(story.template.steps[step].name)))
            members.append(.init("step_state", .string(story.report.steps[step].state.name)))
        }
        members.append(.init("sentences", .array(sentences.map(\.json))))
        members.append(.init("waits", story.report.waitsJSON))
        members.append(
            .init(
                "actions",
                .array(actions.map { ["command": .string($0.command), "purpose": .string($0.purpose)] })))
        return .object(members)
    }
}

extension Sentence {
    fileprivate var json: JSON {
        [
            "text": .string(text), "events": .array(events.map { .number(String($0.rawValue)) }),
            "step": step.map(JSON.string) ?? .null,
        ]
    }
}

extension Event {
    /// Whether an operator's action is about the step.
    fileprivate func concerns(_ step: StepIndex) -> Bool {
        switch self {
        case .operatorRetried(let steps, _): steps.contains(step)
        case .operatorCancelled: true
        default: self.step == step
        }
    }
}

extension HandlerTemplate.Target {
    /// `the callable shop.fetch`, or `the command sh -c …`.
    fileprivate var told: String {
        switch self {
        case .callable(let name, let method): "the callable \(name)" + (method == "call" ? "" : ", method \(method)")
        case .command(let words): "the command \(words.map(\.shellWord).joined(separator: " ").cut(to: 200))"
        }
    }
}
