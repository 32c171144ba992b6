import Glibc
import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel

/// `stepwell export`
struct ExportCommand: Command {
    private static let redact = Option(
        name: "--redact", value: "POINTER",
        help:
            "take out the value at this JSON pointer, such as /user/password, in inputs and results; may be given several times",
        isRepeatable: true)

    static let help = CommandHelp(
        name: "export", summary: "Write one task, with its log lines and hashes, to standard output.", operands: "TASK",
        operandCount: 1...1,
        details: """
            The file holds the task's events and template, the hashes that tie them to the store's log, and the log lines, which
            no hash of the log binds. 'stepwell import' reads it on another machine. Standard error tells the file's SHA-256: sent
            on another way, it shows with 'import --against' that the file is this one. The template, error messages and log
            lines are not redacted.
            """,
        options: [redact, .store, .server, .tokenFile],
        examples: [
            "stepwell export 0197c3e2 > run.stepwell",
            "stepwell export 0197c3e2 --redact /customer/email --redact /token > run.stepwell",
        ])

    private let site: Site
    private let task: String
    private let pointers: [String]

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        task = arguments.operands[0]
        pointers = arguments.all(Self.redact)
    }

    func run() async throws -> ExitCode {
        let text = try site.backend.export(task, redacting: pointers)
        Terminal.write(String(decoding: text, as: UTF8.self), to: STDOUT_FILENO)
        guard let bundle = try RunBundle.read(text).first else { throw BundleError.notABundle }
        note("\(bundle.line)\nsha256 \(hexadecimal(SHA256.hash(text)))")
        return .success
    }
}

/// `stepwell import`
struct ImportCommand: Command {
    private static let against = Option(
        name: "--against", value: "HASH",
        help: "the file's SHA-256 that 'stepwell export' has told; a file with another is refused")

    static let help = CommandHelp(
        name: "import", summary: "Put tasks that were exported or archived into a store for reading.",
        operands: "FILE", operandCount: 1...1,
        details: """
            Everything is checked first. But whoever forges a file can make its hashes anew: that it is the one that was exported,
            --against tells. The store is made where there is none; no engine works on it, but 'show', 'events',
            'logs' and the like read it. Tasks go into a store that holds others of the same origin, or back into the store that
            they were pruned from.
            """,
        options: [against, .store, .output],
        examples: [
            "stepwell import run.stepwell --store imported",
            "stepwell import run.stepwell --store imported --against 6f1c9ab2…",
            "stepwell import - --store imported < run.stepwell",
        ])

    private let store: StoreLocation
    private let format: OutputFormat
    private let file: String
    private let noted: [UInt8]?

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        file = arguments.operands[0]
        noted = try arguments.hash(Self.against, for: "import")
    }

    func run() async throws -> ExitCode {
        let bytes = try Files.read(file, bytesMax: .max)
        let bundles = try BundleImport(try Archive.content(of: bytes), file: bytes, against: noted)
        var outcomes: [BundleImport.Outcome]
        do {
            // Whether there is a store is asked as a reader asks it, which makes nothing.
            _ = try store.reader()
            outcomes = try bundles.add(to: StoreEditor(path: store.path), path: store.path)
        } catch LogError.notFound {
            outcomes = try bundles.make(NewStore(at: store.path))
        }
        switch format {
        case .table:
            for outcome in outcomes {
                output("\(outcome.wasThere ? "already there" : "imported") \(outcome.bundle.line)")
                if let unbound = outcome.bundle.unbound {
                    note("\(unbound): as the file has them, since no hash of the log binds them")
                }
                if outcome.unproven > 0 {
                    note("\(outcome.unproven) of its commits are too old to be proven by one task's events")
                }
            }
        case .json: output(JSON.array(outcomes.map(\.json)).pretty)
        case .jsonl: for outcome in outcomes { output(JSONText(outcome.json).description) }
        }
        return .success
    }
}

extension RunBundle {
    fileprivate var redactedCount: Int { events.count(where: \.isRedacted) }

    /// What could have been changed without any hash of the log telling; nil when there is nothing.
    fileprivate var unbound: String? {
        var parts: [String] = []
        if !logLines.isEmpty { parts.append(counted(logLines.count, "log line")) }
        if redactedCount > 0 { parts.append(counted(redactedCount, "redacted event")) }
        return parts.isEmpty ? nil : parts.joined(separator: " and ")
    }

    fileprivate var line: String {
        "\(task)  \(state.name)  state \(hexadecimal(stateHash)), \(counted(events.count, "event"))"
    }
}

extension BundleImport.Outcome {
    fileprivate var json: JSON {
        [
            "task_id": .string(bundle.task.description), "state": .string(bundle.state.name),
            "state_hash": .string(hexadecimal(bundle.stateHash)), "events": .number(String(bundle.events.count)),
            "unproven_commits": .number(String(unproven)), "redacted": .array(bundle.redacted.map(JSON.string)),
            "log_lines": .number(String(bundle.logLines.count)),
            "redacted_events": .number(String(bundle.redactedCount)), "already_there": .bool(wasThere),
        ]
    }
}
