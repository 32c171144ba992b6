import Stepwell
import StepwellModel
import StepwellTemplates

/// `stepwell validate`
struct ValidateCommand: Command {
    static let help = CommandHelp(
        name: "validate", summary: "Check templates: every fault with its line and column.", operands: "FILE…",
        operandCount: 1...10_000,
        details: """
            Prints everything that is wrong at once, and exits with 2 if anything is. Warnings do not make a template invalid.
            A key whose feature is not supported yet makes a warning here, and is refused by 'stepwell run'.
            """,
        options: [.environment, .output], examples: ["stepwell validate pipelines/*.yaml"])

    private let files: [String]
    private let environment: String?
    private let format: OutputFormat

    init(_ arguments: Arguments) throws {
        files = arguments.operands
        environment = arguments[.environment]
        format = try OutputFormat(arguments)
    }

    func run() async throws -> ExitCode {
        var isValid = true
        var all: [JSON] = []
        for file in files {
            let bytes: [UInt8]
            do throws(FileError) {
                bytes = try Files.read(file)
            } catch {
                // The other files are looked at all the same.
                note("error: \(error)")
                isValid = false
                continue
            }
            let load = TemplateLoader.load(bytes: bytes, file: file, environment: environment)
            isValid = isValid && load.errors.isEmpty
            switch format {
            case .json: all += load.diagnostics.map(\.json)
            case .jsonl: for diagnostic in load.diagnostics { output(JSONText(diagnostic.json).description) }
            case .table: printText(load, file)
            }
        }
        if format == .json { output(JSON.array(all).pretty) }
        return isValid ? .success : .usage
    }

    private func printText(_ load: TemplateLoad, _ file: String) {
        for diagnostic in load.diagnostics { output(diagnostic.description) }
        guard let template = load.template else {
            let count = load.errors.count
            return output("\(file): \(count) error\(count == 1 ? "" : "s")")
        }
        let count = template.steps.count
        let name = "\(template.namespace)/\(template.name) \(template.version)"
        output("\(file): valid: \(name), \(count) step\(count == 1 ? "" : "s")")
    }
}

extension Diagnostic {
    fileprivate var json: JSON {
        [
            "file": .string(file), "line": .number(String(line)), "column": .number(String(column)),
            "severity": .string(severity.rawValue), "code": .string(code.rawValue), "message": .string(message),
            "cure": cure.map(JSON.string) ?? .null,
        ]
    }
}
