import StepwellKernel
import StepwellLog
import StepwellModel

/// What a command reads on its standard input: one JSON document with everything about the attempt, and the results of all
/// ancestors, since a command cannot ask for them. The results are read one by one as the command takes them, so that the
/// engine never holds them all.
// Lives on the reactor's thread; the sending only carries it through the answers of the host.
final class CommandInput: @unchecked Sendable {
    /// Bytes on their way to the command; beyond that, nothing is read for it.
    private static let waitingMax = 256 << 10
    /// Results that are asked for ahead.
    private static let askedMax = 8

    private let assignment: Assignment
    private let context: ProcessContext
    private var head: [UInt8]
    /// For the environment.
    let traceparent: String
    /// Direct dependencies first, in the template's order; then the farther ones, nearest first.
    private let ancestors: [StepIndex]
    private let directCount: Int
    private var written = 0
    private var asked: Int
    private var arrived: [Int: JSONText] = [:]
    private var writer: PipeWriter?
    private var fail: ((Failure) -> Void)?

    init(_ assignment: Assignment, context: ProcessContext) throws(LogError) {
        self.assignment = assignment
        self.context = context
        let submission = try assignment.readSubmission()
        traceparent = assignment.traceparent(submission)
        head = try Self.head(assignment, submission)
        let direct = assignment.step.dependencies
        directCount = direct.count
        asked = direct.count
        ancestors = direct + assignment.plan.fartherAncestors(of: assignment.attempt.step, limit: .max)
    }

    /// Writes the document and closes the pipe. `fail` is called when a result cannot be had.
    func send(to writer: PipeWriter, fail: @escaping (Failure) -> Void) {
        self.writer = writer
        self.fail = fail
        writer.whenEmpty = { [weak self] in self?.go() }
        writer.write(head)
        head = []
        go()
    }

    func cancel() {
        writer?.whenEmpty = nil
        writer = nil
        fail = nil
        arrived = [:]
    }

    /// The document up to the first of the results.
    private static func head(_ assignment: Assignment, _ submission: Submission) throws(LogError) -> [UInt8] {
        var json = JSONWriter()
        json.beginObject()
        json.attempt(assignment)
        json.submission(submission, assignment)
        json.dependencyNames(assignment)
        if let checkpoint = try assignment.readCheckpoint() { json.member("checkpoint", checkpoint) }
        json.name("dependencies")
        json.beginObject()
        return json.bytes
    }

    private func go() {
        guard let writer, writer.isOpen else { return }
        while written < ancestors.count {
            guard writer.waiting <= Self.waitingMax else { return }
            guard let result = next() else { return }
            var json = JSONWriter()
            json.string(assignment.template.steps[ancestors[written]].name)
            writer.write((written == 0 ? [] : [UInt8(ascii: ",")]) + json.bytes + [UInt8(ascii: ":")])
            writer.write(result.bytes)
            written += 1
        }
        writer.write(Array("}}\n".utf8))
        writer.closeWhenEmpty()
        cancel()
    }

    /// The result that is written next; nil when it has not come yet.
    private func next() -> JSONText? {
        if written < directCount {
            do throws(LogError) {
                return try assignment.readDependencyResult(written) ?? .null
            } catch {
                fail?(Failure(message: error.message, errorType: error.code))
                return nil
            }
        }
        while asked < min(ancestors.count, written + Self.askedMax) {
            ask(asked)
            asked += 1
        }
        return arrived.removeValue(forKey: written)
    }

    private func ask(_ place: Int) {
        let name = assignment.template.steps[ancestors[place]].name
        let reactor = context.reactor
        context.host.result(of: name, for: assignment) { result in
            reactor.perform { self.came(result, place) }
        }
    }

    private func came(_ result: Result<JSONText, FetchError>, _ place: Int) {
        switch result {
        case .success(let text): arrived[place] = text
        case .failure(.noResult): arrived[place] = .null
        case .failure(let error):
            let name = assignment.template.steps[ancestors[place]].name
            fail?(Failure(message: "the result of '\(name)' cannot be read: \(error)", errorType: "engine_error"))
            return cancel()
        }
        go()
    }
}

extension JSONWriter {
    /// The members that name an attempt, the same for commands and workers.
    mutating func attempt(_ assignment: Assignment) {
        let attempt = assignment.attempt
        let template = assignment.template
        member("task_id", assignment.task.description)
        member("step_id", assignment.task.step(attempt.step).description)
        member("step", assignment.step.name)
        member("namespace", template.namespace)
        member("task_name", template.name)
        member("task_version", template.version)
        member("attempt", attempt.attempt)
        member("max_attempts", assignment.step.retry.attemptsMax)
        member("idempotency_key", assignment.idempotencyKey)
        if let deadline = assignment.deadline {
            member("deadline", deadline.milliseconds)
        } else {
            member("deadline", JSONText.null)
        }
    }

    /// What the task was submitted with, and the step's own configuration.
    mutating func submission(_ submission: Submission, _ assignment: Assignment) {
        member("correlation_id", submission.correlationID)
        member("traceparent", assignment.traceparent(submission))
        member("input", submission.input.onOneLine)
        member("config", assignment.configuration.onOneLine)
    }

    mutating func dependencyNames(_ assignment: Assignment) {
        name("dependency_names")
        beginArray()
        for dependency in assignment.step.dependencies { string(assignment.template.steps[dependency].name) }
        endArray()
    }
}
