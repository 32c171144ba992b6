import StepwellHistory
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

    /// Prints a list: as one document, an element a line, or in a table with these headings. Of an empty one people are told.
    /// - Parameters:
    ///   - noun: what is listed, such as `tasks`.
    func print(
        list: [JSON], of noun: String, _ headings: String..., row: (JSON) -> [String]
    ) {
        switch self {
        case .json: output(JSON.array(list).pretty)
        case .jsonl: for element in list { output(JSONText(element).description) }
        case .table where list.isEmpty: note("no \(noun)")
        case .table:
            var table = Table(headings)
            table.rows = list.map(row)
            output(table.text)
        }
    }
}
