import StepwellHistory
import StepwellModel

/// How an attempt that was run again ended, beside how it ended the first time.
struct ReplayComparison {
    let recorded: RecordedAttempt
    let outcome: AttemptOutcome

    /// More changes are counted, not listed.
    private static let changesMax = 50

    /// Whether it ended as it did. What never ended, or was lost, can only be held against a success.
    var isSame: Bool {
        switch (recorded.story.end, outcome) {
        case (.succeeded, .succeeded): changes.isEmpty
        case (.failed(let before), .failed(let after)):
            before.message == after.message && before.errorType == after.errorType
                && before.errorCode == after.errorCode && before.retryable == after.retryable
        case (.timedOut, .failed(let failure)): failure.errorType == "timeout"
        case (.lost, .succeeded), (.cancelled, .succeeded), (nil, .succeeded): true
        default: false
        }
    }

    private var changes: [JSONChange] {
        guard case .succeeded(let before) = recorded.story.end, case .succeeded(let after, _) = outcome else {
            return []
        }
        return before == after ? [] : JSONDiff.changes(before.json, after.json)
    }

    var text: String {
        let number = recorded.story.endNumber.map { " (\($0))" } ?? ""
        var lines = [told]
        if isSame {
            lines.append(
                hadEnd ? "as recorded\(number)" : "recorded: \(recorded.story.outcome)\(number); nothing to compare")
            return lines.joined(separator: "\n")
        }
        lines.append("recorded\(number): \(recorded.story.outcome)")
        let changes = changes
        lines += changes.prefix(Self.changesMax).map { "  \($0.text)" }
        if changes.count > Self.changesMax { lines.append("  and \(changes.count - Self.changesMax) more") }
        return lines.joined(separator: "\n")
    }

    private var hadEnd: Bool {
        switch recorded.story.end {
        case .succeeded, .failed, .timedOut: true
        case .lost, .cancelled, nil: false
        }
    }

    private var told: String {
        switch outcome {
        case .succeeded(let result, _): "succeeded: \(result.description.cut(to: 2000))"
        case .failed(let failure): "failed: \(failure.sentence)"
        case .stopped: "stopped"
        }
    }

    var json: JSON {
        var members: [JSON.Member] = [
            .init("task_id", .string(recorded.task.description)), .init("step", .string(recorded.step.name)),
            .init("attempt", .number(String(recorded.attempt.attempt))),
            .init("lease", .number(String(recorded.attempt.lease.rawValue))), .init("same", .bool(isSame)),
        ]
        switch outcome {
        case .succeeded(let result, _):
            members += [.init("outcome", "succeeded"), .init("result", result.json)]
        case .failed(let failure): members += [.init("outcome", "failed"), .init("error", failure.json)]
        case .stopped: members.append(.init("outcome", "stopped"))
        }
        members += [.init("changes", .array(changes.map(\.json))), .init("recorded", recorded.json)]
        return .object(members)
    }
}
