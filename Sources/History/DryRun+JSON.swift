package import StepwellLog
package import StepwellModel

extension DryRun {
    private static let lists: [(name: String, path: any WritableKeyPath<DryRun, [String]> & Sendable)] = [
        ("reused", \.reused), ("replaced", \.replaced), ("next", \.next), ("later", \.later), ("held", \.held),
    ]

    /// The run as a JSON object.
    /// - Parameters:
    ///   - task: nil when it would be a new one.
    ///   - input: of a fork: where its input differs from the old one.
    package func json(task: TaskID?, input: [JSONChange]? = nil) -> JSON {
        var members: [JSON.Member] = [.init("dry_run", .bool(true))]
        if let task { members.append(.init("task_id", .string(task.description))) }
        members += Self.lists.map { .init($0.name, .array(self[keyPath: $0.path].map(JSON.string))) }
        if let input { members.append(.init("input", .array(input.map(\.json)))) }
        return .object(members)
    }

    /// Reads what ``json(task:input:)`` has written.
    package init(_ json: JSON) {
        self.init()
        for list in Self.lists { self[keyPath: list.path] = json[list.name]?.array?.compactMap(\.string) ?? [] }
    }
}

extension EventReader {
    /// The places of steps in a task's template.
    package func stepIndexes(of names: [String], in task: TaskID) throws -> [StepIndex] {
        guard let report = try TaskReport.read(task, from: self) else { throw TaskNameError.unknown(task.description) }
        return try names.map { name in
            guard let index = report.steps.firstIndex(where: { $0.name == name }) else {
                throw ForkError.unknownStep(name, report.steps.map(\.name))
            }
            return index
        }
    }
}
