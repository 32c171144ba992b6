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
}
