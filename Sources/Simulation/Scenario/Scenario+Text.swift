import StepwellModel

extension Scenario: CustomStringConvertible {
    /// For people: what stands in the templates, who works, and what happens when.
    package var description: String {
        var lines: [String] = []
        for (number, plot) in plots.enumerated() {
            lines.append("template \(number):")
            lines += plot.template.steps.map { "  " + line(of: $0, in: plot.template) }
        }
        lines.append("workers: " + workers.map(\.description).joined(separator: "; "))
        lines.append("of 100 attempts: \(conduct)")
        lines += acts.map { "at \($0.time) ms: \($0.deed)" }
        return lines.joined(separator: "\n")
    }

    private func line(of step: StepTemplate, in template: Template) -> String {
        var line = step.name
        if !step.dependencies.isEmpty {
            line += " < " + step.dependencies.map { template.steps[$0].name }.joined(separator: " ")
        }
        switch step.handler.target {
        case .callable(let name, _): line += ", \(name)"
        case .command: line += ", a command"
        }
        line += ", \(step.retry.retryable ? step.retry.attemptsMax : 1) attempts, \(step.retry.lossesMax) losses"
        if let timeout = step.timeout { line += ", timeout \(timeout)" }
        return line
    }
}

extension Helper: CustomStringConvertible {
    package var description: String {
        let kind =
            switch kind {
            case .inProcess: "in process"
            case .command: "commands"
            case .process: "a process"
            case .remote: "a process elsewhere"
            }
        let place = namespaces.isEmpty ? "" : " for " + namespaces.joined(separator: " ")
        return ([kind] + handlers).joined(separator: " ") + place + ", \(slots) at a time, after \(delay) ms"
    }
}

extension Conduct: CustomStringConvertible {
    package var description: String {
        let parts = [
            (fails, "fail"), (hangs, "hang"), (kills, "kill their worker"), (killsEngine, "kill the engine"),
            (repeats, "report twice or late"), (checkpoints, "save a checkpoint"), (logs, "write a log line"),
        ]
        let named = parts.filter { $0.0 > 0 }.map { "\($0.0) \($0.1)" }
        return (named + ["each takes up to \(duration) ms"]).joined(separator: ", ")
    }
}

extension Deed: CustomStringConvertible {
    package var description: String {
        switch self {
        case .submit(let task, let plot, let key, let priority, let replacing):
            "submit task \(task) of template \(plot)" + (key.map { ", key '\($0)'" } ?? "")
                + (replacing ? " (a new one)" : "") + (priority == 0 ? "" : ", priority \(priority)")
        case .fork(let task, let origin, let step): "submit task \(task), a fork of task \(origin) from step \(step) on"
        case .cancel(let task): "cancel task \(task)"
        case .pause(let task): "pause task \(task)"
        case .resume(let task): "end the pause of task \(task)"
        case .limit(let setting):
            "limit \(setting.target)" + (setting.concurrencyMax.map { " to \($0) at once" } ?? "")
                + (setting.rate.map { " to \($0) with a burst of \($0.burst)" } ?? "")
        case .unlimit(let target): "remove the limit of \(target)"
        case .retry(let task, let steps):
            "retry " + (steps.isEmpty ? "all failed steps" : "steps \(steps)") + " of task \(task)"
        case .resolve(let task, let step, let withResult):
            "resolve step \(step) of task \(task)" + (withResult ? " with a result" : "")
        case .help(let helper): "a worker comes: \(helper)"
        case .dismiss(let place): "worker \(place) leaves"
        case .setClock(let change): "the clock is set by \(change) ms"
        case .crash(let crash):
            (crash.powerFails ? "the power fails" : "the engine is killed") + " at write or sync \(crash.operations)"
                + " from now, or after \(crash.patience) ms; the next start comes \(crash.pause) ms later"
                + (crash.again.map { " and meets the same at \($0)" } ?? "")
        case .fillDisk(let duration): "the disk is full for \(duration) ms"
        case .stop(let grace, let pause, let focus):
            "the engine stops within \(grace) ms, and starts \(pause) ms later"
                + (focus.map { " for task \($0) alone" } ?? "")
        case .forge(let kind): "somebody reports what he does not hold (\(kind))"
        }
    }
}
