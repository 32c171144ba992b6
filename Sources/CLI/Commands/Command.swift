import StepwellModel

/// A command of `stepwell`.
protocol Command: Sendable {
    static var help: CommandHelp { get }
    /// Whether the command stops in good order at SIGINT and SIGTERM by itself; any other ends at once.
    static var handlesSignals: Bool { get }

    /// Adds what stands elsewhere, such as in a file that the command line names.
    static func completed(_ arguments: Arguments) throws -> Arguments

    /// Reads the command line. Everything that can be wrong with it is found here, before any work starts.
    init(_ arguments: Arguments) throws

    func run() async throws -> ExitCode
}

extension Command {
    static var handlesSignals: Bool { false }

    static func completed(_ arguments: Arguments) throws -> Arguments { arguments }
}

/// All commands, in the order of the help.
let allCommands: [any Command.Type] = [
    RunCommand.self, ServeCommand.self, ReleaseCommand.self, ResumeCommand.self, RetryCommand.self, CancelCommand.self,
    PauseCommand.self,
    UnpauseCommand.self, ResolveCommand.self, ForkCommand.self, LimitCommand.self, ListCommand.self,
    ShowCommand.self, ExplainCommand.self, ReplayCommand.self, ReplayStepCommand.self, StateCommand.self,
    DiffCommand.self, EventsCommand.self, LogsCommand.self, TemplatesCommand.self, WorkersCommand.self,
    VerifyCommand.self, AuditCommand.self, BackupCommand.self,
    RestoreCommand.self, StatsCommand.self, RewindCommand.self, PruneCommand.self, ExportCommand.self,
    ImportCommand.self,
    ValidateCommand.self, TestCommand.self, GraphCommand.self, InitCommand.self, TokenCommand.self,
    WebhookCommand.self,
    SimulateCommand.self,
]
