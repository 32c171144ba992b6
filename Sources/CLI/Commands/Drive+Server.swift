import Glibc
import StepwellEngine
import StepwellHTTP
import StepwellHistory
import StepwellLog
import StepwellModel

extension Drive {
    /// Tells how tasks that a server runs go on, until they are settled, and shows them. An interruption ends the wait alone.
    /// - Parameter after: the events after this number are told.
    func follow(_ tasks: [TaskID], after: SequenceNumber, on server: ServerBackend) throws -> ExitCode {
        Signals.watch {
            note("the server goes on with it")
            _exit(ExitCode.interrupted.rawValue)
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
        do {
            for task in tasks { try follow(task, after: after, server) }
        } catch HTTPError.interrupted {
            _ = try show(tasks, on: server)
            note("the wait is over; the server goes on with the task")
            return .timedOut
        }
        return try show(tasks, on: server)
    }

    private func follow(_ task: TaskID, after: SequenceNumber, _ server: ServerBackend) throws {
        var following = Following(server.connection, task: task, after: after, as: .text, isKnown: true)
        while true {
            let isSettled = try server.state(of: task).isSettled
            try following.run(follows: !isSettled, patience: Following.patience) { event in
                let type = EventType.allCases.first { $0.name == event.type }
                if type?.isTransition ?? true { note(event.data) }
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
            let reports = try tasks.map { try server.connection.get(["tasks", $0.description]) }
            output(JSON.array(reports).pretty)
        } else {
            for task in tasks { try server.show(.report(task: task.description, details: false), format) }
        }
        return try tasks.map { ExitCode(try server.state(of: $0)) }.first { $0 != .success } ?? .success
    }
}

extension TaskState {
    /// Nothing of the task runs before somebody does something.
    var isSettled: Bool { isClosed || self == .blockedByFailures || self == .paused }
}
