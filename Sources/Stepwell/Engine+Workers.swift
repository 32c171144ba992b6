import StepwellEngine
import StepwellKernel
public import StepwellModel
import Synchronization

extension Engine {
    /// Starts a worker process, and waits until it has said which handlers it offers. It is started again when it dies.
    ///
    /// - Parameter command: split into words as a shell would, such as `python3 -m stepwell worker handlers.py`.
    /// - Throws: ``WorkerError`` when it cannot be started or does not say hello.
    public func startWorker(_ command: String) async throws {
        let supervisor: WorkerSupervisor
        do {
            supervisor = try WorkerSupervisor(command, context: processes)
        } catch {
            throw WorkerError(command: command, reason: error.description)
        }
        // From now on a stop of the engine ends it, also while its hello is awaited.
        supervisors.withLock { $0.append(supervisor) }
        let readiness = await withCheckedContinuation { continuation in
            supervisor.start { continuation.resume(returning: $0) }
        }
        guard case .failed(let reason) = readiness else { return }
        await withCheckedContinuation { continuation in supervisor.kill { continuation.resume() } }
        throw WorkerError(command: command, reason: reason)
    }

    /// Starts workers side by side.
    package func startWorkers(_ commands: [String]) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for command in commands { group.addTask { try await self.startWorker(command) } }
            try await group.waitForAll()
        }
    }

    /// Throws unless every handler that a template names is offered by somebody.
    package func requireHandlers(of templates: [Template]) async throws {
        var missing: [String] = []
        for template in templates {
            for name in try await core.ask({ state in
                template.steps.map(\.handler).filter { !state.isServed($0, in: template.namespace) }
            })
            .compactMap(\.callableName) where !missing.contains(name) {
                missing.append(name)
            }
        }
        guard missing.isEmpty else {
            throw NoHandlerError(
                missing: missing, offered: try await core.ask { $0.offeredHandlers(in: templates.map(\.namespace)) })
        }
    }

    /// Lets worker processes finish, and ends those that do not.
    func endWorkers() async {
        let supervisors = supervisors.withLock { supervisors in
            defer { supervisors = [] }
            return supervisors
        }
        await withTaskGroup(of: Void.self) { group in
            for supervisor in supervisors {
                group.addTask {
                    await withCheckedContinuation { continuation in
                        supervisor.drain(within: .seconds(5)) { continuation.resume() }
                    }
                }
            }
        }
    }
}

extension HandlerTemplate {
    fileprivate var callableName: String? {
        if case .callable(let name, _) = target { name } else { nil }
    }
}

/// A worker that cannot be used.
public struct WorkerError: StepwellError {
    public var command: String
    public var reason: String

    package init(command: String, reason: String) {
        self.command = command
        self.reason = reason
    }

    public var code: String { "worker_failed" }
    public var message: String { "the worker '\(command)' did not start: \(reason)" }
    public var cure: String? { "try the command by itself: it should wait, saying nothing but its hello" }
}

/// Handlers that no worker offers.
public struct NoHandlerError: StepwellError {
    public var missing: [String]
    public var offered: [String]

    package init(missing: [String], offered: [String]) {
        self.missing = missing
        self.offered = offered
    }

    public var code: String { "no_handler" }

    public var message: String {
        "no worker offers " + missing.prefix(20).map { "'\($0)'" }.joined(separator: ", ")
            + (missing.count > 20 ? " and \(missing.count - 20) more" : "")
    }

    public var cure: String? {
        offered.isEmpty
            ? "start one with --worker, such as --worker 'python3 -m stepwell worker handlers.py'"
            : "offered are: " + offered.prefix(20).joined(separator: ", ")
    }
}
