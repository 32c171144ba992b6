import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import Synchronization

/// The engine's loop without its thread, at times that the test names.
final class LoopBench {
    let log: any EventLog
    let loop: Loop
    let runner = ScriptedRunner()
    var reading: ClockReading
    private let heard = Heard()

    /// What was answered, from whichever closure.
    private final class Heard: Sendable {
        let answers = Mutex<[EngineError?]>([])
    }

    /// Comes back from what the log holds, and starts.
    init(_ log: any EventLog, now: Timestamp? = nil) throws {
        self.log = log
        reading = ClockReading(
            wall: now ?? max(Timestamp(milliseconds: 1_700_000_000_000), log.head.time), monotonic: .zero)
        loop = Loop(state: try Recovery.fold(log).state, log: log, at: reading.monotonic)
        try turn([.command(.startEngine(.tests), by: .engine, answer: nil)])
    }

    /// The time of day. Setting it is setting the machine's clock.
    var now: Timestamp {
        get { reading.wall }
        set { reading.wall = newValue }
    }

    func turn(_ letters: [Letter] = []) throws { try loop.turn(letters, at: reading) }

    func pass(_ milliseconds: Int64) throws {
        reading.pass(Milliseconds(milliseconds))
        try turn()
    }

    func join(_ worker: UInt32 = 1, slots: Int = 10) throws { try turn([joining(worker, slots: slots)]) }

    func joining(_ worker: UInt32 = 1, slots: Int = 10) -> Letter {
        .join(
            WorkerJoin(
                worker: WorkerID(worker), name: "worker#\(worker)", kind: .process,
                handlers: [HandlerVersion(name: "h", version: "1")], slots: slots),
            runner)
    }

    func submission(_ number: UInt64, _ template: Template = .chain(1), key: String? = nil, replacing: Bool = false)
        -> Letter
    {
        let submission = Submission(
            template: template.digest, namespace: template.namespace, name: template.name, version: template.version,
            input: .emptyObject, key: key, correlationID: "c")
        return command(
            .submitTask(.numbered(number), submission, template, known: nil, replacing: replacing), by: .client)
    }

    /// A command whose answer ends up in ``answers``.
    func command(_ command: Command, by kind: Actor.Kind) -> Letter {
        .command(command, by: Actor(kind)) { [heard] error in heard.answers.withLock { $0.append(error) } }
    }

    /// `accepted`, or the code of the refusal, for each command that was answered.
    var answers: [String] { heard.answers.withLock { $0 }.map { $0?.code ?? "accepted" } }

    /// Why a turn with that letter alone refuses it.
    func refusal(_ letter: Letter) throws -> Rejection? {
        try turn([letter])
        guard case .rejected(let rejection) = heard.answers.withLock({ $0.last }) ?? nil else { return nil }
        return rejection
    }

    func end(_ assignment: Assignment, _ outcome: AttemptOutcome = .succeeded(.emptyObject, metadata: nil)) -> Letter {
        .command(.finishAttempt(assignment.task, assignment.attempt, outcome), by: Actor(.worker), answer: nil)
    }

    var events: [EventRecord] {
        get throws {
            var found: [EventRecord] = []
            try log.events(after: .zero, payloads: .included) { record in
                found.append(record)
                return true
            }
            return found
        }
    }
}

extension EngineStart {
    static let tests = EngineStart(version: "1", processID: 1, host: "here")
}

extension TaskID {
    static func numbered(_ number: UInt64) -> TaskID { TaskID(high: 0x7000, low: 0x8000_0000_0000_0000 | number) }
}

extension Template {
    /// Steps one after the other.
    static func chain(_ count: Int, retry: RetryPolicy = RetryPolicy()) -> Template {
        Template(
            namespace: "tests", name: "chain", version: "1",
            steps: (0..<count).map {
                StepTemplate(
                    name: "s\($0)", handler: .callable("h"), dependencies: $0 == 0 ? [] : [$0 - 1], retry: retry)
            })
    }
}
