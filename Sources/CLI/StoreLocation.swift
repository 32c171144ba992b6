import Glibc
import StepwellLog
import StepwellModel

/// Which store a command means: `--store`, else `STEPWELL_STORE`, else `./.stepwell`.
struct StoreLocation {
    let path: String

    init(_ arguments: Arguments) {
        let environment = getenv("STEPWELL_STORE").map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
        path = arguments[.store] ?? environment ?? ".stepwell"
    }

    /// Opens the store for reading, beside an engine that may be writing it.
    func reader() throws(LogError) -> LMDBReader {
        try LMDBReader(path: path)
    }

    /// Asks the store something and lets go of it again: an engine of this process may open it after.
    func ask<Answer>(_ question: (LMDBReader) throws -> Answer) throws -> Answer {
        try question(reader())
    }
}

extension StoreQueries {
    /// The task that a word on the command line means: a whole id, or the beginning of one that no other shares; else the
    /// newest with that identity key; or `last`, the newest of all.
    func findTask(_ word: String) throws -> TaskID {
        let prefix = word.lowercased()
        let isID = !prefix.isEmpty && prefix.allSatisfy { $0.isHexDigit || $0 == "-" }
        var found = isID ? try tasks(idPrefix: prefix, limit: 3) : []
        if found.isEmpty { found = try word == "last" ? tasks(matching: TaskFilter(), limit: 1) : tasks(key: word) }
        guard let first = found.first else { throw TaskNameError.unknown(word) }
        guard found.count == 1 || first.id.description == prefix else {
            throw TaskNameError.ambiguous(word, found.map(\.id))
        }
        return first.id
    }

    /// The names of a task's steps, in the template's order.
    func stepNames(of task: TaskID) throws -> [String] {
        guard let summary = try self.task(task), let template = try template(summary.template) else {
            throw TaskNameError.unknown(task.description)
        }
        return template.steps.map(\.name)
    }
}

/// A word that does not name a task.
enum TaskNameError: StepwellError {
    case unknown(String)
    case ambiguous(String, [TaskID])

    var code: String {
        switch self {
        case .unknown: "unknown_task"
        case .ambiguous: "ambiguous_task"
        }
    }

    var message: String {
        switch self {
        case .unknown(let word): "there is no task '\(word)'"
        case .ambiguous(let word, let tasks):
            "'\(word)' could be " + tasks.map(\.description).joined(separator: " or ")
        }
    }

    var cure: String? {
        switch self {
        case .unknown: "'stepwell list' shows the tasks of the store"
        case .ambiguous: "give more of the id"
        }
    }
}
