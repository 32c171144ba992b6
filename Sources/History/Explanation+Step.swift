import StepwellKernel
import StepwellLog
package import StepwellModel

extension Explanation {
    /// One step of the task: its whole story.
    mutating func explainStep(_ step: StepIndex) {
        let narrator = narrator
        let report = report.steps[step]
        let template = story.template.steps[step]
        let name = template.name
        sentences += [head(step), pause].compactMap(\.self)
        sentences.append(
            Sentence("its handler is \(template.handler.target.told), with \(template.limits)", step: name))
        if !template.dependencies.isEmpty {
            let ready = story.ready[step]
            let when = ready.map { "; all were complete at \(narrator.time($0.time))" } ?? ""
            sentences.append(
                Sentence(
                    "it comes after \(narrator.names(template.dependencies))\(when)",
                    [ready?.number].compactMap(\.self), step: name))
        }
        if !context.given.isEmpty { sentences += given(step) }
        sentences += told(step)
        if let result = report.result, report.state.satisfiesDependents {
            let end = story.attempts(of: step).last?.endNumber ?? story.since[step]?.number
            sentences.append(Sentence("its result: \(result.told)", [end].compactMap(\.self), step: name))
        }
        let held = story.template.heldUp(by: step).filter { self.report.steps[$0].state == .pending }
        if !report.state.satisfiesDependents, !held.isEmpty {
            sentences.append(Sentence("it holds up \(narrator.names(held))", step: name))
        }
        offerActions(step, report)
    }

    /// The step's state, and what it waits for.
    private func head(_ step: StepIndex) -> Sentence {
        let (narrator, report) = (narrator, report.steps[step])
        let name = narrator.name(step)
        if let wait = narrator.wait(of: step) { return Sentence("\(name) \(wait.text)", wait.events, step: name) }
        let since = story.since[step]
        let end = report.completed.map { " since \(narrator.time($0))" } ?? ""
        let tries =
            report.state == .complete && report.attempts > 0
            ? ", at attempt \(report.attempts) of \(report.attemptsMax)" : ""
        return Sentence("\(name) is \(report.state.name)\(end)\(tries)", [since?.number].compactMap(\.self), step: name)
    }

    /// What its last attempt was given.
    private func given(_ step: StepIndex) -> [Sentence] {
        let template = story.template.steps[step]
        var all = [Sentence("input: \(report.submission.input.told)", [story.submitted.number], step: template.name)]
        for dependency in template.dependencies.prefix(Self.stepsMax) {
            let result = report.steps[dependency].result ?? .null
            all.append(
                Sentence(
                    "result of \(narrator.name(dependency)): \(result.told)", [context.given[dependency]],
                    step: template.name))
        }
        let more = template.dependencies.count - Self.stepsMax
        if more > 0 { all.append(Sentence("and \(counted(more, "more result"))", step: template.name)) }
        return all
    }

    private mutating func offerActions(_ step: StepIndex, _ report: StepReport) {
        if pause != nil { offerUnpause() }
        if report.state == .error, !story.report.state.isClosed { return offerRepairs(of: step, isAlone: true) }
        if report.starts > 0 { offerLooks(at: step) }
        if report.result?.isToldWhole == false {
            offer("stepwell show \(short) -o json", "all results in full")
        }
        if !story.report.state.isClosed, StepMachine.resolvable.contains(report.state) { offerResolution(of: step) }
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

extension StepTemplate {
    /// `up to 3 attempts of at most 1.0 s`.
    fileprivate var limits: String {
        let attempts = retry.retryable && retry.attemptsMax > 1 ? "up to \(retry.attemptsMax) attempts" : "one attempt"
        return attempts + (timeout.map { " of at most \($0)" } ?? " without a timeout")
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
