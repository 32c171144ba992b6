import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell replay-step`
struct ReplayStepCommand: Command {
    private static let attempt = Option(
        name: "--attempt", value: "N", help: "the last attempt of this number; the last of all without it")
    private static let worker = Option(
        name: "--worker", value: "COMMAND",
        help: "the worker that runs it, such as 'python3 -m stepwell worker handlers.py'")
    private static let input = Option(
        name: "--input", value: "FILE",
        help: "give it the task input in this file, a JSON object, instead of the recorded one")
    private static let dump = Option(
        name: "--dump", value: "FILE",
        help: "run nothing; write all that the attempt was given to a new JSON file, for 'python3 -m stepwell replay'")

    static let help = CommandHelp(
        name: "replay-step", summary: "Run one attempt again with exactly what it was given, outside the log.",
        operands: "TASK STEP", operandCount: 2...2,
        details: """
            The handler gets the recorded input, dependency results, checkpoint and attempt number. The store is not changed; what
            the handler does elsewhere, it does again. A step with a command needs no --worker. The new result is compared with the
            recorded one: 0 when the attempt ends as it did, 1 when it does not.
            """,
        options: [attempt, worker, input, dump, .secrets, .store, .output],
        examples: [
            "stepwell replay-step 0197c3e2 extract_inventory_data --worker 'python3 -m stepwell worker handlers.py'",
            "stepwell replay-step last transform_sales --attempt 2 --dump attempt.json",
        ])

    static let handlesSignals = true

    private let store: StoreLocation
    private let format: OutputFormat
    private let task: String
    private let step: String
    private let attempt: Int?
    private let worker: String?
    private let input: JSONText?
    private let dumpPath: String?
    private let secretsDirectory: String?

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        task = arguments.operands[0]
        step = arguments.operands[1]
        attempt = try arguments.integer(Self.attempt, in: 1...Int(UInt16.max))
        worker = arguments[Self.worker]
        dumpPath = arguments[Self.dump]
        secretsDirectory = try arguments.secretsDirectory(command: "replay-step")
        input = try arguments[Self.input].map { path in
            let bytes = try Files.read(path)
            let text: JSONText
            do throws(JSONError) { text = try JSONText(bytes) } catch { throw Self.fault(path, "\(error)") }
            guard text.json.members != nil else { throw Self.fault(path, "no JSON object") }
            return text
        }
    }

    func run() async throws -> ExitCode {
        let interruption = Once<Void>()
        Signals.watch { interruption.fire(()) }
        let reader = try store.reader()
        let id = try reader.findTask(task)
        let index = try reader.stepNames(of: id).index(ofStep: step)
        let recorded = try RecordedAttempt.read(id, step: index, attempt: attempt, from: reader)
        let replay = StepReplay(
            recorded: recorded, log: reader, input: input, secrets: .here(directory: secretsDirectory))
        if let dumpPath {
            try Files.create(dumpPath, try replay.document().description + "\n")
            note(
                "wrote \(dumpPath); 'python3 -m stepwell replay \(dumpPath.shellWord) \(step.shellWord) HANDLERS' runs it"
            )
            return .success
        }
        let outcome: AttemptOutcome
        do {
            outcome = try await replay.run(worker: worker, interruption)
        } catch  where interruption.hasFired {
            return .interrupted
        }
        if interruption.hasFired { return .interrupted }
        let comparison = ReplayComparison(recorded: recorded, outcome: outcome)
        format.print(comparison.json, table: comparison.text)
        return comparison.isSame ? .success : .failure
    }

    private static func fault(_ path: String, _ reason: String) -> UsageError {
        UsageError("'--input': '\(path)' is \(reason)", command: "replay-step")
    }
}
