package import StepwellLog
package import StepwellModel

extension StoreQueries {
    /// The task that somebody means by a word: a whole id, or the beginning of one that no other shares; else the
    /// newest with that identity key; or `last`, the newest of all.
    /// - Parameter namespaces: the tasks of others are not there; nil: all are.
    package func findTask(_ word: String, in namespaces: [String]? = nil) throws -> TaskID {
        let prefix = word.lowercased()
        let isID = !prefix.isEmpty && prefix.allSatisfy { $0.isHexDigit || $0 == "-" }
        func isThere(_ task: TaskSummary) -> Bool { namespaces?.contains(task.namespace) ?? true }
        // Those of others may stand before; of more than so many the beginning of an id says nothing.
        var found = isID ? try tasks(idPrefix: prefix, limit: namespaces == nil ? 3 : 10_000).filter(isThere) : []
        found = Array(found.prefix(3))
        if found.isEmpty { found = try word == "last" ? newest(in: namespaces) : tasks(key: word).filter(isThere) }
        guard let first = found.first else { throw TaskNameError.unknown(word) }
        guard found.count == 1 || first.id.description == prefix else {
            throw TaskNameError.ambiguous(word, found.map(\.id))
        }
        return first.id
    }

    private func newest(in namespaces: [String]?) throws -> [TaskSummary] {
        guard let namespaces else { return try tasks(matching: TaskFilter(), limit: 1) }
        let newest = try namespaces.flatMap { try tasks(matching: TaskFilter(namespace: $0), limit: 1) }
        return newest.max { ($0.submitted, $0.id) < ($1.submitted, $1.id) }.map { [$0] } ?? []
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
