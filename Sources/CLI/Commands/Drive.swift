import Glibc
import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel
import Synchronization

/// Runs an engine in this process until tasks are settled: what `run`, `resume` and `retry` have in common.
struct Drive {
    static let timeout = Option(
        name: "--timeout", value: "SECONDS", help: "give up waiting after so long (exit 6); the task can be resumed")
    static let options: [Option] = [.worker, .secrets, timeout, .grace, .store, .server, .tokenFile, .output]

    let site: Site
    let format: OutputFormat
    let workers: [String]
    let timeout: Int?
    private let grace: Int
    private let secretsDirectory: String?

    init(_ arguments: Arguments, command: String) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        workers = arguments.all(.worker)
        timeout = try arguments.integer(Self.timeout, in: 1...Int(Int32.max))
        grace = try arguments.integer(.grace, in: 0...86_400) ?? 10
        secretsDirectory = try arguments.secretsDirectory(command: command)
    }

    /// How the wait for the tasks ended.
    private enum End: Sendable {
        case settled
        case interrupted
        case timedOut
        case failed(EngineError)
    }

    /// Opens the store, starts the workers, lets `begin` submit or name tasks, waits for them, and stops.
    ///
    /// - Parameters:
    ///   - reason: why the engine is started, when nothing else in the log says it.
    ///   - focus: the only task that the engine is to work on; nil for all that are open.
    ///   - templates: whose handlers must be offered before `begin` is called.
    func run(
        on store: StoreLocation, reason: String? = nil, focus: @escaping @Sendable (any EventReader) throws -> TaskID?,
        templates: (Engine) throws -> [Template],
        begin: (Engine, Progress) async throws -> [TaskHandle]
    ) async throws -> ExitCode {
        let progress = Progress()
        let interruption = Once<Void>()
        Signals.watch { interruption.fire(()) }
        var options = EngineOptions()
        options.observers = progress.observers
        options.focus = focus
        options.reason = reason
        options.secretsDirectory = secretsDirectory
        let failure = Once<EngineError>()
        let tellFailure = options.observers.failure
        options.observers.failure = { error in
            tellFailure(error)
            failure.fire(.log(error))
        }
        let engine: Engine
        do {
            engine = try await Engine.open(store.path, options: options)
        } catch {
            await progress.end()
            throw error
        }
        do {
            if engine.recovery.isNoteworthy { progress.notice(engine.recovery.description) }
            let isStarting = Mutex(true)
            // Nothing runs yet that could end in good order, and a worker may be long in starting.
            interruption.then { if isStarting.withLock({ $0 }) { Task { await engine.stop(grace: .zero) } } }
            try await engine.startWorkers(workers)
            isStarting.withLock { $0 = false }
            try await engine.requireHandlers(of: templates(engine))
            let tasks = try await begin(engine, progress)
            var moving: [TaskHandle] = []
            for task in tasks {
                let report = try await task.report()
                progress.show(.task(WatchedTask(report)))
                // Nobody else can end the pause while this engine has the store.
                if report.state != .paused { moving.append(task) }
            }
            let end = await wait(for: moving, interruption, failure)
            return try await finish(tasks, end, failure, engine, progress)
        } catch {
            await engine.stop(grace: .zero)
            await progress.end()
            if interruption.hasFired { return .interrupted }
            throw error
        }
    }

    private func wait(
        for tasks: [TaskHandle], _ interruption: Once<Void>, _ failure: Once<EngineError>
    ) async -> End {
        let end = Once<End>()
        interruption.then { end.fire(.interrupted) }
        failure.then { end.fire(.failed($0)) }
        let remaining = Mutex(tasks.count)
        if tasks.isEmpty { end.fire(.settled) }
        for task in tasks {
            task.whenSettled { result in
                if case .failure(let error) = result { return end.fire(.failed(error)) }
                if remaining.withLock({ count in
                    count -= 1
                    return count == 0
                }) {
                    end.fire(.settled)
                }
            }
        }
        let timer = timeout.map { timeout in
            Task {
                try await Task.sleep(for: .seconds(timeout))
                end.fire(.timedOut)
            }
        }
        defer { timer?.cancel() }
        return await end.value
    }

    private func finish(
        _ tasks: [TaskHandle], _ end: End, _ failure: Once<EngineError>, _ engine: Engine, _ progress: Progress
    ) async throws -> ExitCode {
        if case .interrupted = end {
            progress.notice("stopping: running attempts may end within \(grace) s; a second signal stops at once")
        }
        await engine.stop(grace: .seconds(grace))
        await progress.end()
        if case .failed(let error) = end { throw error }
        let code = show(try tasks.compactMap { try TaskReport.read($0.id, from: engine.store) })
        // The log may fail when the tasks are settled already, in the engine's last commits.
        if let error = failure.present { throw error }
        switch end {
        case .interrupted: return .interrupted
        case .timedOut:
            note("the wait is over; 'stepwell resume' goes on with the task")
            return .timedOut
        default: return code
        }
    }

    /// Prints what came of tasks. The code is that of the first that is not complete.
    func show(_ reports: [TaskReport]) -> ExitCode {
        let printer = ReportPrinter(format: format)
        if format == .json, reports.count != 1 {
            output(JSON.array(reports.map(\.json.json)).pretty)
        } else {
            for report in reports { printer.print(report) }
        }
        return reports.lazy.map { ExitCode($0.state) }.first { $0 != .success } ?? .success
    }
}
