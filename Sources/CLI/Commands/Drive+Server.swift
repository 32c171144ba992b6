import Glibc
import StepwellEngine
import StepwellHTTP
import StepwellHistory
import StepwellLog
import StepwellModel

extension Drive {
    /// Tells how tasks that a server runs go on, until they are settled, and shows them. An interruption ends the wait alone.
    /// - Parameter after: the events after this number are told.
    func follow(_ tasks: [TaskID], after: SequenceNumber, on server: ServerBackend) async throws -> ExitCode {
        let progress = Progress()
        Signals.watch {
            Task.detached {
                await progress.end()
                note("the server goes on with it")
                _exit(ExitCode.interrupted.rawValue)
            }
        }
        if !workers.isEmpty { note("the server runs the task; '--worker' is not needed") }
        server.tellHold()
        let timer = timeout.map { seconds in
            Task { [client = server.connection.client] in
                try await Task.sleep(for: .seconds(seconds))
                client.interrupt()
            }
        }
        defer { timer?.cancel() }
        let end = await onThreadOfItsOwn {
            for task in tasks { try follow(task, after: after, server, progress) }
        }
        await progress.end()
        do {
            try end.get()
        } catch HTTPError.interrupted {
            _ = try show(tasks, on: server)
            note("the wait is over; the server goes on with the task")
            return .timedOut
        }
        return try show(tasks, on: server)
    }

    private func follow(
        _ task: TaskID, after: SequenceNumber, _ server: ServerBackend, _ progress: Progress
    ) throws {
        // A tree begins with the task as it is; lines tell all that has happened.
        let watched = progress.isLive ? try server.patiently(tell: progress.notice) { try server.watched(task) } : nil
        if let watched { progress.show(.task(watched)) }
        var following = Following(
            server.connection, task: task, after: watched?.last ?? after, as: watched == nil ? .text : .json,
            isKnown: true, tell: progress.notice)
        while true {
            let isSettled = try server.patiently(tell: progress.notice) { try server.state(of: task).isSettled }
            try following.run(follows: !isSettled, patience: Absence.patience) { event in
                let type = EventType.allCases.first { $0.name == event.type }
                if watched != nil {
                    if let move = StepMove(told: event.data) { progress.show(.told(move)) }
                } else if type?.isTransition ?? true {
                    progress.notice(event.data)
                }
                guard !isSettled else { return true }
                switch type {
                case .taskCompleted, .taskCancelled, .taskBlocked, .operatorPaused: return false
                default: return true
                }
            }
            if isSettled { return }
        }
    }

    /// Shows what came of tasks. The code is that of the first that is not complete.
    func show(_ tasks: [TaskID], on server: ServerBackend) throws -> ExitCode {
        if format == .json, tasks.count != 1 {
            let reports = try tasks.map { task in
                try server.patiently { try server.connection.get(["tasks", task.description]) }
            }
            output(JSON.array(reports).pretty)
        } else {
            for task in tasks {
                try server.patiently { _ = try server.show(.report(task: task.description, details: false), format) }
            }
        }
        let states = try tasks.map { task in try server.patiently { try server.state(of: task) } }
        return states.map(ExitCode.init).first { $0 != .success } ?? .success
    }
}

extension TaskState {
    /// Nothing of the task runs before somebody does something.
    var isSettled: Bool { isClosed || self == .blockedByFailures || self == .paused }
}

/// Does what blocks a thread for long: tasks, whose threads are as few as the processors, go on meanwhile.
private func onThreadOfItsOwn<Value: Sendable>(
    _ body: @escaping @Sendable () throws -> Value
) async -> Result<Value, any Error> {
    await withCheckedContinuation { continuation in
        onThread { continuation.resume(returning: Result(catching: body)) }
    }
}
