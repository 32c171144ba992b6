import StepwellLog
import StepwellModel

/// One attempt of a step whose handler is a command. Lives on the reactor's thread.
final class CommandRun: ChildProcessOwner {
    let assignment: Assignment
    private let runner: CommandRunner
    private var child: ChildProcess?
    private var input: CommandInput?
    private var output: [UInt8] = []
    private var errorLines: LogLines
    private var lastErrorLine: String?
    private var isTooLarge = false
    private var wasStopped = false
    /// What the engine itself found wrong, such as a log that it could not read.
    private var fault: Failure?

    init(_ assignment: Assignment, runner: CommandRunner) {
        self.assignment = assignment
        self.runner = runner
        errorLines = LogLines(bytesMax: runner.context.host.limits.logLineBytesMax)
    }

    private var context: ProcessContext { runner.context }
    private var limits: Limits { context.host.limits }

    func start() {
        guard case .command(let arguments) = assignment.step.handler.target else {
            return end(.failed(Failure(message: "the step's handler is no command", retryable: false)))
        }
        if let failure = assignment.resolveSecrets() { return end(.failed(failure)) }
        do throws(LogError) {
            let input = try CommandInput(assignment, context: context)
            let launch = Launch(
                arguments: arguments, environment: environment(traceparent: input.traceparent),
                workingDirectory: assignment.step.handler.workingDirectory)
            do throws(SpawnError) {
                let child = try ChildProcess(launch, reactor: context.reactor, owner: self)
                self.child = child
                self.input = input
                input.send(to: child.input) { [weak self] failure in self?.fail(failure) }
            } catch {
                end(.failed(Failure(error)))
            }
        } catch {
            end(.failed(Failure(message: error.message, errorType: error.code)))
        }
    }

    private func environment(traceparent: String) -> ProcessEnvironment {
        let attempt = assignment.attempt
        var result = context.environment.adding(assignment.environment)
        result["STEPWELL_TASK_ID"] = assignment.task.description
        result["STEPWELL_STEP"] = assignment.step.name
        result["STEPWELL_ATTEMPT"] = String(attempt.attempt)
        result["STEPWELL_MAX_ATTEMPTS"] = String(assignment.step.retry.attemptsMax)
        result["STEPWELL_IDEMPOTENCY_KEY"] = assignment.idempotencyKey
        result["STEPWELL_DEADLINE"] = assignment.deadline.map { String($0.milliseconds) }
        result[ProcessContext.traceVariable] = traceparent
        return result
    }

    // MARK: Ending it

    func stop() {
        wasStopped = true
        child?.terminate(grace: limits.stopGrace)
    }

    func kill() {
        wasStopped = true
        child?.kill()
    }

    private func fail(_ failure: Failure) {
        fault = failure
        child?.kill()
    }

    private func end(_ outcome: AttemptOutcome) {
        input?.cancel()
        runner.ended(self, outcome)
    }

    // MARK: What it does

    func child(_ stream: ChildProcess.Stream, wrote bytes: inout ByteQueue, isEnd: Bool) {
        switch stream {
        case .error:
            errorLines.take(from: &bytes, isEnd: isEnd) { line in
                lastErrorLine = line.allSatisfy(\.isWhitespace) ? lastErrorLine : line
                context.host.log(assignment, .info, line)
            }
        case .output:
            if isTooLarge || bytes.count > limits.resultBytesMax + CommandResult.spaceMax {
                bytes.removeAll()
                if !isTooLarge { child?.kill() }
                isTooLarge = true
            } else if isEnd {
                output = bytes.takeAll()
            }
        }
    }

    func childEnded(_ status: ExitStatus) {
        let result =
            isTooLarge
            ? CommandResult.tooLarge(limits)
            : CommandResult.outcome(
                status, output: output, lastErrorLine: lastErrorLine, limits: limits,
                redaction: assignment.redaction)
        end(settled(result))
        child = nil
    }

    /// A stopped command has no say any more. When it has succeeded all the same, the log should know.
    private func settled(_ result: AttemptOutcome) -> AttemptOutcome {
        if wasStopped {
            if case .succeeded = result { return result }
            return .stopped
        }
        if let fault { return .failed(fault) }
        return result
    }
}

extension Failure {
    /// A program that cannot be started stays so until somebody has changed something.
    fileprivate init(_ error: SpawnError) {
        self.init(
            message: error.message + (error.cure.map { ": \($0)" } ?? ""), errorType: error.code,
            retryable: error.isTransient)
    }
}
