import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell state`
struct StateCommand: Command {
    static let help = CommandHelp(
        name: "state",
        summary: "Show the whole engine as it was at a moment: open tasks, attempts, workers, timers, queue.",
        details: """
            Without --at as the log says it is now. A time of day is one of the last event's day. The log is folded from its
            beginning. Works while an engine is writing the store.
            """,
        options: [.at, .store, .output],
        examples: ["stepwell state --at 02:00:31", "stepwell state --at 412 -o json"])

    private let store: StoreLocation
    private let format: OutputFormat
    private let at: MomentText?

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        at = try arguments.moment()
    }

    func run() async throws -> ExitCode {
        let reader = try store.reader()
        let last = try reader.currentHead().time
        let moment = at?.moment(first: last.startOfDay, last: last, now: SystemClock().now()) ?? .end
        let world = try World.read(reader, at: moment)
        let activity = try reader.activity()
        // Whether an engine is at work is known of the present alone.
        let then = at == nil || activity == .imported ? activity : .unknown
        format.print(world.json, table: WorldText(world: world, activity: then).text)
        return .success
    }
}
