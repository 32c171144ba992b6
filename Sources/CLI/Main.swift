import Glibc
import Stepwell
import StepwellModel

@main
enum Main {
    /// Not `async`: then the main thread would wait in libdispatch, which unblocks all signals there.
    static func main() {
        Terminal.holdStandardStreams()
        // Before all else that runs, so that every thread to come has the signals blocked and only the watcher receives them.
        let words = Array(CommandLine.arguments.dropFirst())
        Signals.block(hangup: words.first == ServeCommand.help.name)
        if words.first == ServeCommand.help.name { ServeCommand.takeEnvironment() }
        Task.detached { exit(await code(of: words).rawValue) }
        while true { pause() }
    }

    private static func code(of words: [String]) async -> ExitCode {
        do {
            return try await perform(words)
        } catch let error as any StepwellError {
            note("error: \(error)".colored(.red, if: Terminal.stderrIsColored))
            return ExitCode(error)
        } catch {
            note("error: \(error)".colored(.red, if: Terminal.stderrIsColored))
            return .failure
        }
    }

    private static func perform(_ words: [String]) async throws -> ExitCode {
        if let code = try FaultReport.code(for: words) { return code }
        guard let name = words.first, name != "help" || words.count > 1 else {
            output(overview)
            return words.isEmpty ? .usage : .success
        }
        switch name {
        case "--version", "-V", "version":
            output("stepwell \(stepwellVersion)")
            return .success
        case "--help", "-h":
            output(overview)
            return .success
        default: break
        }
        let wanted = name == "help" ? words[1] : name
        guard let command = allCommands.first(where: { $0.help.name == wanted }) else {
            let near = nearest(to: wanted, in: allCommands.map { $0.help.name })
            throw UsageError("there is no command '\(wanted)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
        }
        var arguments = try Arguments(name == "help" ? ["--help"] : Array(words.dropFirst()), for: command.help)
        if arguments.wantsHelp {
            output(command.help.text)
            return .success
        }
        // Who means a server must not get an answer from some store. A server itself is started where its clients are too.
        if Site.environmentURL != nil, command.help.needsStore, !command.help.isRemote, !arguments.has(.store),
            command.help.name != ServeCommand.help.name
        {
            throw NotRemote(command: command.help.name, needsStore: true, option: "STEPWELL_URL")
        }
        arguments = try command.completed(arguments)
        FaultReport.prepare(store: StoreLocation(arguments).path)
        if !command.handlesSignals { Signals.watch { _exit(ExitCode.interrupted.rawValue) } }
        return try await command.init(arguments).run()
    }

    private static var overview: String {
        let width = allCommands.map { $0.help.name.count }.max() ?? 0
        let commands = allCommands.map { "  \($0.help.name.padded(to: width))  \($0.help.summary)" }
        return """
            Stepwell runs workflows that survive crashes: a DAG of steps in YAML, every transition in a log on disk.

            Usage: stepwell COMMAND [OPTIONS]

            Commands:
            \(commands.joined(separator: "\n"))

            'stepwell COMMAND --help' explains a command and shows an example; 'stepwell --version' prints the version.
            Begin with 'stepwell init hello && cd hello', then do what it says.
            """
    }
}
