import StepwellKernel
import StepwellLog
import StepwellModel

/// The whole engine at a moment, for people.
struct WorldText {
    let world: World
    let activity: StoreActivity

    /// More of a kind are counted, not listed.
    private static let rowsMax = 50

    var text: String {
        guard world.events != .zero else { return "at that moment nothing had happened yet" }
        let counts = world.counts.map { "\($0.count) \($0.state.name)" }
        return
            ([
                "after event \(world.events), \(world.time)", engine,
                "open tasks: " + (counts.isEmpty ? "none" : counts.joined(separator: ", ")),
            ] + tasks + workers + limits + attempts + queue + timers).joined(separator: "\n")
    }

    private var engine: String {
        if activity == .imported { return "engine: not known; its own events and its workers' are not exported" }
        guard world.engineStarted != .zero else { return "engine: none yet" }
        let focus = world.focus.map { ", for task \($0.short) alone" } ?? ""
        return "engine: started with event \(world.engineStarted)\(focus)"
            + (world.isStopping ? "; told to stop" : activity == .idle ? "; not at work any more" : "")
    }

    private func section(_ heading: String, _ table: Table, of count: Int) -> [String] {
        guard count > 0 else { return [] }
        let more = count > table.rows.count ? ["and \(count - table.rows.count) more"] : []
        return ["", "\(heading):", table.text] + more
    }

    private var tasks: [String] {
        let all = world.tasks
        var table = Table("TASK", "TEMPLATE", "KEY", "STATE", "DONE", "FAILED", "SUBMITTED")
        table.rows = all.prefix(Self.rowsMax).map { task in
            [
                task.id.short, "\(task.namespace)/\(task.name) \(task.version)", task.key ?? "", task.state.name,
                "\(task.stepsDone)/\(task.stepCount)", String(task.stepsFailed), task.submitted.description,
            ]
        }
        return section("tasks", table, of: all.count)
    }

    private var workers: [String] {
        let all = world.workers
        var table = Table("WORKER", "KIND", "BUSY", "HANDLERS")
        table.rows = all.prefix(Self.rowsMax).map { worker in
            [
                worker.join.worker.told(worker.join.name), worker.join.kind.name, "\(worker.busy)/\(worker.join.slots)",
                worker.join.handlers.map(\.name).listed,
            ]
        }
        return section("workers", table, of: all.count)
    }

    private var limits: [String] {
        let all = world.limits
        var table = Table("LIMIT", "WHAT", "RUNNING", "WAITING")
        table.rows = all.prefix(Self.rowsMax).map { limit in
            [limit.setting.target.description, limit.setting.words, String(limit.running), String(limit.waiting)]
        }
        return section("limits", table, of: all.count)
    }

    private var attempts: [String] {
        let all = world.attempts
        var table = Table("TASK", "STEP", "ATTEMPT", "SINCE", "WORKER", "UNTIL")
        table.rows = all.prefix(Self.rowsMax).map { attempt in
            [
                attempt.task.short, attempt.step, String(attempt.id.attempt), attempt.id.lease.description,
                attempt.id.worker.told(attempt.worker?.name),
                attempt.givenUp.map { "given up: \($0.name)" } ?? attempt.deadline?.description ?? "",
            ]
        }
        return section("running", table, of: all.count)
    }

    private var queue: [String] {
        let all = world.queue
        var table = Table("TASK", "STEP", "SINCE")
        table.rows = all.prefix(Self.rowsMax).map { [$0.task.short, $0.step, $0.number.description] }
        return section("queue", table, of: all.count)
    }

    private var timers: [String] {
        let all = world.timers
        var table = Table("DUE", "TASK", "STEP", "WHAT")
        table.rows = all.prefix(Self.rowsMax).map { timer in
            [timer.due.description, timer.task.short, timer.step, timer.isDeadline ? "timeout" : "next attempt"]
        }
        return section("due", table, of: all.count)
    }
}
