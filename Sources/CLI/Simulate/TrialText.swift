import StepwellHistory
import StepwellModel
import StepwellSimulation

/// The report of a template's lives, for people and for programs.
struct TrialText {
    let trial: Trial
    let report: TrialReport
    let lives: UInt64
    let faults: [Trial.Fault]
    let limit: Milliseconds?

    private var names: [String] { trial.template.steps.map(\.name) }

    var text: String {
        let template = trial.template
        let longest = report.duration(percentile: 100)
        let faults = faults.isEmpty ? "no faults" : faults.map(\.rawValue).joined(separator: ", ")
        var lines = [
            "\(template.namespace)/\(template.name) \(template.version): \(lives) lives with \(faults)",
            "\(report.completeCount) complete, \(report.blockedCount) blocked",
            "half of them took \(report.duration(percentile: 50).duration) at most, 99 of 100 "
                + "\(report.duration(percentile: 99).duration), the longest \(longest.duration) (seed \(longest.seed))",
        ]
        if let limit {
            lines.append(
                report.lateSeed.map { "\(report.lateCount) took longer than \(limit) (such as seed \($0))" }
                    ?? "none took longer than \(limit)")
        }
        return lines.joined(separator: "\n") + "\n\n" + table + "\n\n" + conclusion
    }

    private var table: String {
        var table = Table("STEP", "ATTEMPTS", "MOST RUNS", "SEED", "BLOCKS IN", "SEED", "BECAUSE OF")
        for (name, (step, template)) in zip(names, zip(report.steps, trial.template.steps)) {
            table.rows.append([
                name, "\(template.retry.retryable ? template.retry.attemptsMax : 1)", "\(step.runsMax)",
                step.runsMax == 0 ? "–" : "\(step.runsMaxSeed)", "\(step.blockCount)",
                step.blockSeed.map { "\($0)" } ?? "–", step.blocks.map(\.words).joined(separator: "; "),
            ])
        }
        return table.text
    }

    private var conclusion: String {
        let blocking = zip(names, report.steps).filter { $1.blockCount > 0 }.map(\.0)
        return blocking.isEmpty
            ? "no step can block the task, as far as these lives tell"
            : "these can block the task: \(blocking.joined(separator: ", "))"
    }

    var json: JSON {
        let template = trial.template
        let longest = report.duration(percentile: 100)
        return [
            "namespace": .string(template.namespace), "name": .string(template.name),
            "version": .string(template.version), "lives": .number(String(lives)),
            "faults": .array(faults.map { .string($0.rawValue) }),
            "complete": .number(String(report.completeCount)), "blocked": .number(String(report.blockedCount)),
            "late": limit == nil ? .null : .number(String(report.lateCount)), "late_seed": JSON(report.lateSeed),
            "p50_ms": .number(String(report.duration(percentile: 50).duration.rawValue)),
            "p99_ms": .number(String(report.duration(percentile: 99).duration.rawValue)),
            "max_ms": .number(String(longest.duration.rawValue)), "max_seed": .number(String(longest.seed)),
            "steps": .object(zip(names, report.steps).map { JSON.Member($0, json(of: $1)) }),
        ]
    }

    private func json(of step: TrialReport.Step) -> JSON {
        [
            "runs_max": .number(String(step.runsMax)), "runs_max_seed": .number(String(step.runsMaxSeed)),
            "blocks": .number(String(step.blockCount)), "blocks_seed": JSON(step.blockSeed),
            "because": .array(
                step.blocks.map { block in
                    [
                        "reason": .string(block.reason.name),
                        "faults": .array(block.faults.map { .string($0.rawValue) }),
                    ]
                }),
        ]
    }
}

extension JSON {
    fileprivate init(_ seed: UInt64?) {
        self = seed.map { .number(String($0)) } ?? .null
    }
}

extension TrialReport.Block {
    /// Such as `failures, timeouts (attempts_exhausted)`.
    fileprivate var words: String { faults.map(\.rawValue).joined(separator: ", ") + " (\(reason.name))" }
}
