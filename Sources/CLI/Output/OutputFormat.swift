import StepwellModel

/// What `-o` asks for.
enum OutputFormat: String, CaseIterable {
    case table
    case json
    /// One JSON object a line.
    case jsonl

    init(_ arguments: Arguments) throws(UsageError) {
        guard let word = arguments[.output] else {
            self = .table
            return
        }
        guard let format = OutputFormat(rawValue: word) else {
            throw UsageError("'-o' takes table, json or jsonl, not '\(word)'")
        }
        self = format
    }

    /// Prints what a command has found, as JSON or as text for people.
    func print(_ json: @autoclosure () -> JSON, table: @autoclosure () -> String) {
        switch self {
        case .json: output(json().pretty)
        case .jsonl: output(JSONText(json()).description)
        case .table: output(table())
        }
    }
}
