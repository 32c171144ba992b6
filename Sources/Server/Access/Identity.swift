import StepwellHistory
import StepwellLog
import StepwellModel

/// What somebody may do.
package enum Role: String, Hashable, Sendable, CaseIterable {
    /// Look at everything.
    case viewer
    /// Look, submit tasks, and act on them.
    case `operator`
    /// Run steps.
    case worker
    /// Everything.
    case admin
}

/// What a route needs.
package enum Permission: Hashable, Sendable {
    /// Nothing: for those who ask whether the server lives.
    case none
    case view
    case operate
    case work
    case administer

    func isGranted(to role: Role) -> Bool {
        switch self {
        case .none: true
        case .view: role != .worker
        case .operate: role == .operator || role == .admin
        case .work: role == .worker || role == .admin
        case .administer: role == .admin
        }
    }
}

/// Who asks.
package struct Identity: Hashable, Sendable {
    /// For the log: a token's name, or a user of this machine.
    package var name: String
    package var role: Role
    package var namespaces: NamespaceScope
    /// The token's name and what it is for; empty without one. A worker's session belongs to whoever began it, and another token of
    /// that name may be for less.
    package var token: String

    package init(name: String, role: Role, namespaces: NamespaceScope = .all, token: String = "") {
        self.token = token
        self.name = name
        self.role = role
        self.namespaces = namespaces
    }

    func actor(_ kind: Actor.Kind = .operator) -> Actor { Actor(kind, id: name) }
}

/// The namespaces that somebody has to do with.
package enum NamespaceScope: Hashable, Sendable {
    case all
    case only([String])

    func includes(_ namespace: String) -> Bool {
        switch self {
        case .all: true
        case .only(let names): names.contains(namespace)
        }
    }

    /// Whether an event of that task may be seen. Events of the engine itself are for those who see everything.
    func includes(_ task: TaskID?, _ store: some StoreQueries) throws -> Bool {
        guard case .only(let names) = self else { return true }
        guard let task, let summary = try store.task(task) else { return false }
        return names.contains(summary.namespace)
    }
}
