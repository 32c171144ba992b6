import Glibc
package import StepwellModel
import Synchronization

/// Runs the steps whose handler is a command: each attempt is a process of its own.
// `runs` is touched by the reactor's thread only.
package final class CommandRunner: AttemptRunner, @unchecked Sendable {
    package let worker: WorkerID
    let context: ProcessContext
    private var runs: [Lease: CommandRun] = [:]
    private var isDraining = false
    private var hasLeft = false

    /// Joins the engine as one worker with that many slots.
    package init(context: ProcessContext, slots: Int = CommandRunner.defaultSlots) {
        self.context = context
        worker = context.host.nextWorkerID()
        context.host.join(
            WorkerJoin(worker: worker, name: "commands", kind: .command, handlers: [], slots: slots), runner: self)
    }

    /// Twice the processors: commands wait for disks and networks as often as they compute.
    package static var defaultSlots: Int { 2 * max(1, Int(sysconf(Int32(_SC_NPROCESSORS_ONLN)))) }

    package func run(_ assignment: Assignment) {
        context.reactor.perform {
            let run = CommandRun(assignment, runner: self)
            self.runs[assignment.attempt.lease] = run
            run.start()
        }
    }

    package func stop(_ lease: Lease, because reason: StopReason) {
        context.reactor.perform { self.runs[lease]?.stop() }
    }

    /// A command hears nothing of it: it has ended.
    package func rejected(_ lease: Lease, because reason: RejectedResult.Reason) {}

    package func drain() {
        context.reactor.perform {
            self.isDraining = true
            self.leaveIfDone("drained")
        }
    }

    /// Kills all commands at once.
    package func kill() {
        context.reactor.perform {
            self.isDraining = true
            for run in self.runs.values { run.kill() }
            self.leaveIfDone("killed")
        }
    }

    /// On the reactor's thread.
    func ended(_ run: CommandRun, _ outcome: AttemptOutcome) {
        guard runs.removeValue(forKey: run.assignment.attempt.lease) != nil else { return }
        context.host.finish(run.assignment, outcome)
        leaveIfDone("drained")
    }

    private func leaveIfDone(_ reason: String) {
        guard isDraining, !hasLeft, runs.isEmpty else { return }
        hasLeft = true
        context.host.leave(worker, reason: reason)
    }
}
