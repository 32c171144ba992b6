import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel

/// Just the events that assignments read.
// Nothing changes after init.
final class FakeLog: EventLog, @unchecked Sendable {
    private let events: [SequenceNumber: EventRecord]

    init(_ events: [Event]) {
        var records: [SequenceNumber: EventRecord] = [:]
        for (place, event) in events.enumerated() {
            let number = SequenceNumber(UInt64(place + 1))
            records[number] = EventRecord(
                number: number, task: nil, taskNumber: 0, previous: .zero, time: .zero, actor: .engine, cause: .zero,
                event: event)
        }
        self.events = records
    }

    func event(_ number: SequenceNumber) throws(LogError) -> EventRecord? { events[number] }

    var head: LogHead { .empty }
    func append(_ batch: LogBatch) throws(LogError) {}
    func openTasks() throws(LogError) -> [TaskSummary] { [] }
    func snapshot(of task: TaskID) throws(LogError) -> TaskSnapshotBytes? { nil }
    func events(
        of task: TaskID, after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Void
    ) throws {}
    func events(after number: SequenceNumber, payloads: Payloads, _ body: (EventRecord) throws -> Bool) throws {}
    func task(_ id: TaskID) throws(LogError) -> TaskSummary? { nil }
    func task(namespace: String, name: String, key: String) throws(LogError) -> TaskID? { nil }
    func tasks(matching filter: TaskFilter, limit: Int) throws(LogError) -> [TaskSummary] { [] }
    func tasks(idPrefix: String, limit: Int) throws(LogError) -> [TaskSummary] { [] }
    func lastRegistration() throws(LogError) -> SequenceNumber { .zero }
    func limits() throws(LogError) -> [LimitRow] { [] }
    func template(_ digest: TemplateDigest) throws(LogError) -> Template? { nil }
    func logLines(of task: TaskID, after: LogLinePosition?, _ body: (LogLine) throws -> Bool) throws {}
}

/// A task whose last step is the one to run.
struct FakeTask {
    static let id = TaskID(high: 0x0190_0000_0000_7000, low: 0x8000_0000_0000_0001)

    var steps: [StepTemplate]
    var input: JSONText = .emptyObject
    /// By step; a direct dependency without one was resolved by hand.
    var results: [String: String] = [:]
    var checkpoint: String?

    init(_ handler: HandlerTemplate) {
        steps = [StepTemplate(name: "work", handler: handler)]
    }

    init(command: String...) { self.init(.command(command)) }

    init(shell script: String) { self.init(.command(["sh", "-c", script])) }

    /// The attempt of the last step with that lease.
    func assignment(lease: UInt64 = 100, worker: WorkerID = WorkerID(1), deadline: Timestamp? = nil) -> Assignment {
        let template = Template(namespace: "tests", name: "task", version: "1.2.3", steps: steps)
        let plan = Plan(template, digest: TemplateDigest([UInt8](repeating: 7, count: 32)))
        let attempt = AttemptID(step: steps.count - 1, attempt: 2, lease: Lease(lease), worker: worker)
        var events: [Event] = [
            .taskSubmitted(
                Submission(
                    template: plan.digest, namespace: "tests", name: "task", version: "1.2.3", input: input,
                    correlationID: "correlation"))
        ]
        var places: [SequenceNumber] = []
        for dependency in steps[steps.count - 1].dependencies {
            guard let result = results[steps[dependency].name] else {
                places.append(.zero)
                continue
            }
            events.append(.attemptSucceeded(attempt, result: JSONText(trusted: Array(result.utf8)), metadata: nil))
            places.append(SequenceNumber(UInt64(events.count)))
        }
        var checkpointNumber = SequenceNumber.zero
        if let checkpoint {
            events.append(.attemptCheckpointed(attempt, data: JSONText(trusted: Array(checkpoint.utf8))))
            checkpointNumber = SequenceNumber(UInt64(events.count))
        }
        return Assignment(
            task: Self.id, attempt: attempt, plan: plan, deadline: deadline, submission: SequenceNumber(1),
            checkpoint: checkpointNumber, dependencyResults: places, log: FakeLog(events))
    }
}
