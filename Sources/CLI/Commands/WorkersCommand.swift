import StepwellHistory
import StepwellModel

/// `stepwell workers`
struct WorkersCommand: Command {
    static let help = CommandHelp(
        name: "workers", summary: "List who works for the engine now, and what it can run.",
        details: "Of a store without an engine at work there are none.",
        options: [.store, .server, .tokenFile, .output],
        examples: ["stepwell workers", "stepwell workers --server http://127.0.0.1:7420 -o jsonl"])

    private let site: Site
    private let format: OutputFormat

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
    }

    func run() async throws -> ExitCode {
        format.print(
            list: try site.backend.workers(), of: "workers", "WORKER", "KIND", "BUSY", "HANDLERS"
        ) { worker in
            let handlers = (worker["handlers"]?.array ?? []).compactMap { $0["name"]?.string }
            return [
                (worker["name"]?.string ?? "").printable, worker["kind"]?.string ?? "",
                "\(worker["running"]?.int ?? 0)/\(worker["concurrency"]?.int ?? 0)", handlers.listed,
            ]
        }
        return .success
    }
}
