package import StepwellLog
package import StepwellModel

extension StoreQueries {
    /// The task that somebody means by a word: a whole id, or the beginning of one that no other shares; else the
    /// newest with that identity key; or `last`, the newest of all.
    package func findTask(_ word: String) throws -> TaskID {
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
    package func stepNames(of task: TaskID) throws -> [String] {
        guard let summary = try self.task(task), let template = try template(summary.template) else {
            throw TaskNameError.unknown(task.description)
        }
        return template.steps.map(\.name)
    }
}

/// A word that does not name a task.
package enum TaskNameError: StepwellError {
    case unknown(String)
    case ambiguous(String, [TaskID])

    package var code: String {
        switch self {
        case .unknown: "unknown_task"
        case .ambiguous: "ambiguous_task"
        }
    }

    package var message: String {
        switch self {
        case .unknown(let word): "there is no task '\(word)'"
        case .ambiguous(let word, let tasks):
            "'\(word)' could be " + tasks.map(\.description).joined(separator: " or ")
        }
    }

    package var cure: String? {
        switch self {
        case .unknown: "'stepwell list' shows the tasks of the store"
        case .ambiguous: "give more of the id"
        }
    }
}
