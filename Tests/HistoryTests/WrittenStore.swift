import Foundation
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

/// A store with several tasks, written as an engine writes it: the kernel decides, and each turn is one commit. What happens is
/// the test's choice, or that of a seed. The directory is gone when the value is.
final class WrittenStore {
    static let begin = Timestamp(milliseconds: 1_700_000_000_000)

    static let diamond = Template(
        namespace: "tests", name: "raute-\u{25C7}", version: "1",
        steps: [
            .step("a"), .step("b", after: [0], retry: RetryPolicy(attemptsMax: 2, initialDelay: .seconds(1))),
            .step("c", after: [0]), .step("d", after: [1, 2]),
        ])
    static let single = Template(namespace: "tests", name: "single", version: "2", steps: [.step("only")])

    private let directory: String
    private(set) var log: LMDBLog
    private(set) var tasks: [TaskID] = []
    private var state = State()
    private var now = WrittenStore.begin
    private var workers: UInt32 = 0
    /// Attempts that were handed out, also those that are over.
    private(set) var attempts: [(task: TaskID, attempt: AttemptID)] = []
    private var lineCount: [Lease: UInt32] = [:]

    init() throws {
        directory = NSTemporaryDirectory() + "stepwell-history-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        log = try LMDBLog(path: directory + "/store")
        try start()
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    var path: String { directory + "/store" }
    func sibling(_ name: String) -> String { directory + "/" + name }

    // MARK: What happens

    /// A new engine with a worker.
    func start() throws {
        workers += 1
        let join = WorkerJoin(
            worker: WorkerID(workers), name: "python#\(workers)", kind: .process,
            handlers: [HandlerVersion(name: "h", version: "1")], slots: 5)
        try turn([
            (.startEngine(EngineStart(version: "1", processID: Int(workers), host: "here")), .engine),
            (.joinWorker(join), .engine),
        ])
    }

    @discardableResult
    func submit(_ template: Template, key: String? = nil, input: String = "{}") throws -> TaskID {
        let id = TaskID(time: now, random: (UInt64(tasks.count), UInt64(tasks.count)))
        tasks.append(id)
        try turn([submission(id, template, key: key, input: input)])
        return id
    }

    func submission(
        _ id: TaskID, _ template: Template, key: String? = nil, input: String = "{}"
    ) throws -> (Command, Actor.Kind) {
        let submission = Submission(
            template: template.digest, namespace: template.namespace, name: template.name, version: template.version,
            input: try JSONText(input), key: key, correlationID: id.description)
        return (.submitTask(id, submission, template, known: nil, replacing: true), .client)
    }

    /// Ends everything that runs, again and again until nothing does.
    func succeedAll(_ result: String = #"{"rows": 3}"#) throws {
        while let running = attempts.last(where: { state[$0.task]?.steps[$0.attempt.step].since == $0.attempt.lease }) {
            try succeed(running.task, running.attempt, result)
        }
    }

    func succeed(_ task: TaskID, _ attempt: AttemptID, _ result: String = "{}") throws {
        try turn([(.finishAttempt(task, attempt, .succeeded(try JSONText(result), metadata: nil)), .worker)])
    }

    func fail(_ task: TaskID, _ attempt: AttemptID) throws {
        let failure = Failure(message: "grüße \u{1F4A5}", errorType: "flaky")
        try turn([(.finishAttempt(task, attempt, .failed(failure)), .worker)])
    }

    func pass(_ milliseconds: Int64) { now = now.advanced(by: Milliseconds(milliseconds)) }

    func say(_ task: TaskID, _ attempt: AttemptID, _ text: String) throws {
        let number = lineCount[attempt.lease, default: 0]
        lineCount[attempt.lease] = number + 1
        var batch = LogBatch()
        batch.logLines = [
            LogLine(
                task: task, step: attempt.step, attempt: attempt.attempt, lease: attempt.lease, number: number,
                time: now, level: .info, text: text)
        ]
        try log.append(batch)
    }

    // MARK: Turns

    /// Takes all commands that are not refused, and writes one commit.
    func turn(_ commands: [(Command, Actor.Kind)]) throws {
        var turn = Turn(time: now)
        var batch = LogBatch()
        state.performDueTimers(in: &turn)
        for (command, actor) in commands {
            let closed = try command.task.flatMap { state[$0] == nil ? try log.task($0) : nil }
            do throws(Rejection) {
                try state.perform(command, by: Actor(actor), closed: closed, in: &turn)
            } catch { continue }
            if case .submitTask(_, _, let template, _, _) = command { batch.templates.append(template.encoded()) }
        }
        state.end(&turn)
        batch.events = turn.records
        batch.tasks = turn.summaries
        try log.append(batch)
        for case .deliver(let delivery) in turn.effects { attempts.append((delivery.task, delivery.attempt)) }
    }

    /// A long night by chance: several tasks side by side, retries, losses, late results, cancellations, engines that die.
    func live(turns: Int, seed: UInt64) throws {
        var chance = Chance(state: seed)
        for _ in 0..<turns {
            pass(Int64(chance.below(800)))
            var commands: [(Command, Actor.Kind)] = []
            for _ in 0...chance.below(4) {
                switch chance.below(20) {
                case 0...3:
                    let id = TaskID(time: now, random: (UInt64(tasks.count), chance.next()))
                    tasks.append(id)
                    let template = chance.below(3) == 0 ? Self.single : Self.diamond
                    commands.append(
                        try submission(id, template, key: chance.below(2) == 0 ? nil : "key-\(chance.below(4))"))
                case 4...13 where !attempts.isEmpty:
                    // Mostly the newest, which may still run.
                    let place = max(0, attempts.count - 1 - chance.below(8))
                    let (task, attempt) = attempts[place]
                    let outcomes: [AttemptOutcome] = [
                        .succeeded(try JSONText(#"{"n": \#(chance.below(100))}"#), metadata: nil),
                        .succeeded(.null, metadata: nil), .stopped,
                        .failed(Failure(message: "no", errorType: "flaky", retryable: chance.below(3) > 0)),
                    ]
                    commands.append((.finishAttempt(task, attempt, outcomes[chance.below(outcomes.count)]), .worker))
                case 14 where !attempts.isEmpty:
                    let (task, attempt) = attempts[attempts.count - 1]
                    commands.append((.checkpointAttempt(task, attempt, data: try JSONText("[1]")), .worker))
                    try say(task, attempt, "zeile \(chance.below(10))")
                case 15 where !tasks.isEmpty:
                    commands.append((.retryTask(tasks[chance.below(tasks.count)], steps: [], reason: nil), .operator))
                case 16 where !tasks.isEmpty && chance.below(3) == 0:
                    commands.append((.cancelTask(tasks[chance.below(tasks.count)], reason: "genug"), .operator))
                case 17 where chance.below(6) == 0: try start()
                default: break
                }
            }
            try turn(commands)
        }
    }
}

/// Follows the hash chain of a store from its first commit to its last, with the hashes of what is not there.
func proveChain(_ store: some StoreQueries) throws {
    try store.view { view in
        var hasher = CommitHasher()
        var hash = HashChain.origin
        try view.commits(after: .zero) { commit, events in
            let previous = commit.previous ?? hash
            let found = try hasher.hash(of: commit, after: previous, events)
            #expect(found == commit.hash, "\(commit)")
            hash = commit.hash
            return true
        }
        let head = try view.head()
        #expect(head.hash == hash)
    }
}

/// All events of a store.
func everything(_ store: some StoreQueries) throws -> [EventRecord] {
    var found: [EventRecord] = []
    try store.events(after: .zero, payloads: .included) { record in
        found.append(record)
        return true
    }
    return found
}

/// Numbers that are always the same for a seed.
private struct Chance {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

extension Command {
    fileprivate var task: TaskID? {
        switch self {
        case .submitTask(let id, _, _, _, _), .finishAttempt(let id, _, _), .checkpointAttempt(let id, _, _),
            .retryTask(let id, _, _), .cancelTask(let id, _), .pauseTask(let id, _), .resumeTask(let id, _),
            .resolveStep(let id, _, _, _):
            id
        default: nil
        }
    }
}
