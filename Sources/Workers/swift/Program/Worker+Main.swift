import Glibc
import StepwellHTTP
import StepwellModel

extension Worker {
    /// Runs the program that the command line asks for, and ends the process; `--help` explains it.
    ///
    /// With STEPWELL_WORKER=1, which the engine sets, the worker speaks with the engine on standard input and output. Otherwise
    /// it works for the server that `--server` or STEPWELL_URL names. What handlers print goes to their steps' logs. SIGTERM
    /// and SIGINT let the attempts at hand end; a second one ends the process at once.
    public func main(_ words: [String] = Array(CommandLine.arguments.dropFirst())) async -> Never {
        do {
            exit(try await perform(try WorkerCommand(words)))
        } catch {
            let text = (error as? any StepwellError)?.message ?? "\(error)"
            complain(text)
            exit((error as? WorkerError)?.exitStatus ?? 2)
        }
    }

    private func perform(_ command: WorkerCommand) async throws -> Int32 {
        switch command {
        case .help: print(WorkerCommand.helpText)
        case .list:
            for handler in handlers.sorted(by: { $0.name < $1.name }) { print("\(handler.name)  \(handler.version)") }
        case .work(let options):
            try configure { settings in
                options.apply(to: &settings)
                settings.logsPrints = true
                if settings.token == nil { settings.token = environmentVariable("STEPWELL_TOKEN") }
                do { try settings.check() } catch { throw UsageError(error) }
            }
            drainAtSignals()
            try await run()
        }
        return 0
    }
}

/// What the words after a worker's name ask for.
enum WorkerCommand: Equatable {
    case help
    case list
    case work(Options)

    struct Options: Equatable {
        var concurrency: Int?
        var server: String?
        var name: String?
        var namespaces: [String] = []
        var labels: [String: String] = [:]

        func apply(to settings: inout WorkerSettings) {
            settings.concurrency = concurrency ?? settings.concurrency
            settings.carrier = server.map { .server($0) } ?? settings.carrier
            settings.name = name ?? settings.name
            settings.namespaces += namespaces
            settings.labels.merge(labels) { $1 }
        }
    }

    static let helpText = """
        Runs step handlers written in Swift for the Stepwell engine.

        Usage: WORKER [worker] [OPTIONS]
               WORKER list

        The engine starts it (stepwell run TEMPLATE --worker WORKER); by hand it needs a server.

        Options:
          --concurrency N    attempts at the same time, 1 to 1000 (64, or the worker's own)
          --server URL       the server to work for: http://HOST:PORT, https://HOST:PORT or unix:PATH (else STEPWELL_URL)
          --name NAME        what the log calls the worker
          --namespace NAME   run steps of this namespace only; may be given several times
          --label KEY=VALUE  shown with the worker; may be given several times
          --help             show this help

        STEPWELL_TOKEN holds the token, where the server wants one.

        Example:
          WORKER --server http://127.0.0.1:7420 --concurrency 64 --label host=etl-box
        """

    init(_ words: [String]) throws(UsageError) {
        var words = words[...]
        var isList = false
        if let first = words.first, ["worker", "list"].contains(first) {
            isList = first == "list"
            words = words.dropFirst()
        }
        var options = Options()
        while let word = words.popFirst() {
            let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            let name = word.hasPrefix("--") ? parts[0] : word
            if ["--help", "-h"].contains(name) {
                self = .help
                return
            }
            guard ["--concurrency", "--server", "--name", "--namespace", "--label"].contains(name) else {
                throw UsageError("'\(name)' is no option; --help shows them all")
            }
            let joined = word.hasPrefix("--") && parts.count > 1 ? parts[1] : nil
            guard let value = joined ?? words.popFirst(), !value.isEmpty else {
                throw UsageError("'\(name)' wants a value")
            }
            try options.take(name, value)
        }
        self = isList ? .list : .work(options)
    }
}

extension WorkerCommand.Options {
    fileprivate mutating func take(_ name: String, _ value: String) throws(UsageError) {
        switch name {
        case "--server": server = value
        case "--name": self.name = value
        case "--namespace": namespaces.append(value)
        case "--concurrency":
            guard let number = Int(value), 1...1000 ~= number else {
                throw UsageError("'\(value)' is not a number from 1 to 1000")
            }
            concurrency = number
        default:
            let pair = value.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            guard pair.count == 2, !pair[0].isEmpty else { throw UsageError("'\(value)' is no KEY=VALUE") }
            labels[pair[0]] = pair[1]
        }
    }
}

/// A command line that makes no sense.
struct UsageError: Error, CustomStringConvertible {
    let description: String

    init(_ text: String) { description = text }

    init(_ error: any Error) { description = (error as? any StepwellError)?.message ?? "\(error)" }
}
