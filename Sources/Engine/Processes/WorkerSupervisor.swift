package import StepwellModel

/// Keeps one worker command running: starts it, starts it again when it dies, gives it up when that is no use, and ends it.
// Everything but `words` and `context` is touched by the reactor's thread only.
package final class WorkerSupervisor: @unchecked Sendable {
    /// What came of the first start.
    package enum Readiness: Hashable, Sendable {
        case ready(worker: String, handlers: [HandlerVersion])
        case failed(String)
    }

    private enum Phase: Equatable {
        case running
        /// The worker ends, or waits to be started again, and will not be.
        case ending
        case ended
    }

    private static let firstPause = Milliseconds(100)
    private static let longestPause = Milliseconds.seconds(10)
    /// A worker that lives this long after its hello is well.
    private static let healthyAfter = Milliseconds.seconds(10)
    /// Starts in a row without a hello, after which the worker is given up.
    private static let silentStartsMax = 5

    private let words: ShellWords
    private let context: ProcessContext
    private let workingDirectory: String?
    private var phase = Phase.running
    private var process: WorkerProcess?
    private var pause = WorkerSupervisor.firstPause
    private var silentStarts = 0
    private var restartTimer: TimerList.ID?
    private var healthTimer: TimerList.ID?
    private var drainTimer: TimerList.ID?
    private var whenReady: (@Sendable (Readiness) -> Void)?
    private var whenEnded: [@Sendable () -> Void] = []

    /// A supervisor for a worker's command; see ``ShellWords`` for how it is read.
    package init(
        _ command: String, context: ProcessContext, workingDirectory: String? = nil
    ) throws(ShellWords.Fault) {
        words = try ShellWords(command)
        self.context = context
        self.workingDirectory = workingDirectory
    }

    // MARK: From any thread

    /// Starts the worker. `ready` is called once, when the first start has said hello or has failed. After a failure the
    /// worker is tried again all the same; the caller may ``kill(done:)`` it.
    package func start(ready: @escaping @Sendable (Readiness) -> Void) {
        context.reactor.perform {
            self.whenReady = ready
            self.launch()
        }
    }

    /// No new attempts: the worker ends when those at hand have, and is killed if it has not by then. `done` is called when
    /// nothing of it is left.
    package func drain(within time: Milliseconds, done: @escaping @Sendable () -> Void) {
        context.reactor.perform {
            guard self.endSoon(done) else { return }
            self.drainTimer = self.context.reactor.after(time) { [weak self] in
                self?.process?.kill("it was not done within \(time) after it was told to finish")
            }
            self.process?.beginDrain()
        }
    }

    /// Kills the worker and what it has started.
    package func kill(done: @escaping @Sendable () -> Void) {
        context.reactor.perform {
            guard self.endSoon(done) else { return }
            self.process?.kill("it was killed with the engine")
        }
    }

    // MARK: On the reactor's thread

    private func launch() {
        restartTimer = nil
        guard phase == .running else { return }
        let name = context.nextWorkerName(words.baseName)
        let process = WorkerProcess(name: name, context: context)
        var environment = context.environment.adding(words.variables)
        environment["STEPWELL_WORKER"] = "1"
        process.whenReady = { [weak self] handlers in self?.saidHello(name, handlers) }
        process.whenGone = { [weak self] end in self?.gone(name, end) }
        do throws(SpawnError) {
            self.process = process
            try process.start(
                Launch(arguments: words.arguments, environment: environment, workingDirectory: workingDirectory))
        } catch {
            let reason = error.message + (error.cure.map { ": \($0)" } ?? "")
            gone(name, WorkerProcess.End(reason: reason, saidHello: false))
        }
    }

    private func saidHello(_ name: String, _ handlers: [HandlerVersion]) {
        silentStarts = 0
        healthTimer = context.reactor.after(Self.healthyAfter) { [weak self] in self?.pause = Self.firstPause }
        report(.ready(worker: name, handlers: handlers))
    }

    private func gone(_ name: String, _ end: WorkerProcess.End) {
        process = nil
        context.reactor.cancel(healthTimer)
        guard phase == .running, !end.wasDrained else { return ended() }
        silentStarts += end.saidHello ? 0 : 1
        if end.isForGood || silentStarts >= Self.silentStartsMax {
            let times = end.isForGood ? "" : " (\(silentStarts) starts in a row without a hello)"
            context.host.notice("\(name) is given up\(times): \(end.reason)")
            phase = .ending
            report(.failed("\(name): \(end.reason)"))
            return ended()
        }
        context.host.notice("\(name) is gone: \(end.reason); started again in \(pause)")
        restartTimer = context.reactor.after(pause) { [weak self] in self?.launch() }
        pause = min(Self.longestPause, Milliseconds(pause.rawValue * 2))
        report(.failed("\(name): \(end.reason)"))
    }

    private func report(_ readiness: Readiness) {
        whenReady?(readiness)
        whenReady = nil
    }

    /// Remembers whom to tell, and starts no more. False when nothing runs.
    private func endSoon(_ done: @escaping @Sendable () -> Void) -> Bool {
        whenEnded.append(done)
        if phase == .running { phase = .ending }
        context.reactor.cancel(restartTimer)
        restartTimer = nil
        guard process == nil else { return true }
        ended()
        return false
    }

    private func ended() {
        phase = .ended
        context.reactor.cancel(drainTimer)
        report(.failed("the engine ended it"))
        let listeners = whenEnded
        whenEnded = []
        for listener in listeners { listener() }
    }
}
