import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellModel

/// `stepwell limit`
struct LimitCommand: Command {
    private static let concurrency = Option(
        name: "--concurrency", value: "N", help: "at most so many attempts at once; 0: nothing starts")
    private static let rate = Option(
        name: "--rate", value: "N/TIME", help: "at most so many starts in a time: 10/s, 100/min, 3/h, 1/day, 3/1500ms")
    private static let burst = Option(
        name: "--burst", value: "N", help: "how many may start at once after a quiet time (as many as the rate says)")

    static let help = CommandHelp(
        name: "limit", summary: "Set, list and remove limits of namespaces and handlers.",
        operands: "set|list|remove [namespace|handler NAME]", operandCount: 1...3,
        details: """
            A limit holds for all attempts of a namespace's steps, or of a handler in all namespaces, until it is removed; 'set'
            replaces the one before as a whole. What lies behind a limit waits, and nothing else does. A server that has the store
            is asked to do it; no other engine may be running on it.
            """,
        options: [concurrency, rate, burst, .reason, .store, .server, .tokenFile, .output],
        examples: [
            "stepwell limit set handler mail.send --rate 100/min --burst 20 --reason 'the provider asks for it'",
            "stepwell limit set namespace billing --concurrency 4", "stepwell limit list",
            "stepwell limit remove handler mail.send",
        ])

    private enum Action {
        case set(LimitSetting)
        case list
        case remove(LimitTarget)
    }

    private let site: Site
    private let format: OutputFormat
    private let reason: String?
    private let action: Action

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        reason = arguments[.reason]
        let words = arguments.operands
        switch (words[0], words.count) {
        case ("list", 1): action = .list
        case ("set", 3): action = .set(try Self.setting(try Self.target(words), arguments))
        case ("remove", 3): action = .remove(try Self.target(words))
        case ("set", _), ("remove", _):
            throw UsageError("'limit \(words[0])' needs 'namespace NAME' or 'handler NAME'", command: "limit")
        default: throw UsageError("'limit' knows set, list and remove", command: "limit")
        }
    }

    private static func target(_ words: [String]) throws -> LimitTarget {
        guard let scope = LimitTarget.Scope(name: words[1]) else {
            throw UsageError("a limit is for a namespace or a handler, not for a '\(words[1])'", command: "limit")
        }
        return LimitTarget(scope, words[2])
    }

    private static func setting(_ target: LimitTarget, _ arguments: Arguments) throws -> LimitSetting {
        var setting = LimitSetting(
            target, concurrencyMax: try arguments.integer(concurrency, in: 0...StartRate.countMax))
        let burst = try arguments.integer(Self.burst, in: 1...StartRate.countMax)
        if let text = arguments[rate] {
            guard let rate = StartRate(text, burst: burst) else {
                throw UsageError("'--rate' takes starts in a time such as 10/s, 100/min or 3/h, not '\(text)'")
            }
            setting.rate = rate
        } else if burst != nil {
            throw UsageError("'--burst' has no meaning without '--rate'", command: "limit")
        }
        if let fault = setting.fault { throw EngineError.rejected(.invalidLimit(target, fault)) }
        return setting
    }

    func run() async throws -> ExitCode {
        switch action {
        case .list: try list()
        case .set(let setting):
            try await site.write(
                by: { try $0.connection.put(Self.path(setting.target), JSONText(setting.json(reason))) },
                alone: { store in
                    _ = try store.reader()
                    try await store.change { try await $0.setLimit(setting, reason: reason, by: Operator.actor()) }
                })
            try show(setting)
        case .remove(let target):
            try await site.write(
                by: { _ = try $0.connection.delete(Self.path(target), [("reason", reason)]) },
                alone: { store in
                    _ = try store.reader()
                    try await store.change {
                        try await $0.removeLimit(of: target, reason: reason, by: Operator.actor())
                    }
                })
            note("the limit of \(target) is removed")
        }
        return .success
    }

    private static func path(_ target: LimitTarget) -> [String] { ["limits", target.scope.name, target.name] }

    private func show(_ setting: LimitSetting) throws {
        guard format != .table else { return note("\(setting.target): \(setting.words)") }
        let limit = try site.backend.limits().first { limit in
            limit["scope"]?.string == setting.target.scope.name && limit["name"]?.string == setting.target.name
        }
        if let limit { format.print(limit, table: "") }
    }

    /// From a server, which knows who is at work; else what the store says.
    private func list() throws {
        format.print(
            list: try site.backend.limits(), of: "limits",
            "LIMIT", "NAME", "AT ONCE", "RATE", "BURST", "RUNNING", "WAITING", "SET BY", "REASON"
        ) { limit in
            ["scope", "name", "concurrency_max", "rate", "burst", "running", "waiting", "set_by", "reason"]
                .map { limit[$0]?.shown ?? "" }
        }
    }
}

extension LimitSetting {
    /// The body of a request that sets it.
    fileprivate func json(_ reason: String?) -> JSON {
        var members: [JSON.Member] = []
        if let most = concurrencyMax { members.append(.init("concurrency_max", .number(String(most)))) }
        if let rate {
            members.append(.init("rate", .string(rate.description)))
            members.append(.init("burst", .number(String(rate.burst))))
        }
        if let reason { members.append(.init("reason", .string(reason))) }
        return .object(members)
    }
}

extension JSON {
    /// In a table: words and numbers as they are, and nothing for null.
    fileprivate var shown: String? {
        switch self {
        case .number(let digits): digits
        default: string
        }
    }
}
