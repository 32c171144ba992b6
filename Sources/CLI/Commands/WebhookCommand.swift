import StepwellHistory
import StepwellModel

/// `stepwell webhook`
struct WebhookCommand: Command {
    private static let type = Option(
        name: "--type", value: "EVENT", help: "only events of this type, such as task.completed or 'task.*'",
        isRepeatable: true)
    private static let namespace = Option(
        name: "--namespace", value: "NAME", help: "only events of tasks of this namespace", isRepeatable: true)
    private static let name = Option(
        name: "--name", value: "NAME", help: "only events of tasks of this name", isRepeatable: true)
    private static let secret = Option(
        name: "--secret", value: "NAME", help: "sign with the secret of this name, which the server must have")
    private static let after = Option(
        name: "--after", value: "SEQ", help: "begin behind this event; without it with what comes from now on")
    private static let days = Option(
        name: "--disable-after", value: "DAYS", help: "give up after so many days without a delivery (5)")

    static let help = CommandHelp(
        name: "webhook", summary: "Have a running server send events to an address.",
        operands: "add|list|enable|remove [URL|ID]", operandCount: 1...2,
        details: """
            Each event is one request, a CloudEvent in JSON, in the log's order and at least once: 'webhook-id' tells one that came
            twice. A receiver that does not answer 2xx gets it again, later and later. 'enable' has one that was given up try again.
            """,
        options: [type, namespace, name, secret, after, days, .store, .server, .tokenFile, .output],
        examples: [
            "stepwell webhook add https://example.org/hooks --type 'task.*' --secret hook-key", "stepwell webhook list",
            "stepwell webhook remove 3f1b02c4d5e6",
        ])

    private enum Action {
        case add(JSON)
        case list
        case enable(String, JSON)
        case remove(String)
    }

    private let site: Site
    private let format: OutputFormat
    private let action: Action

    init(_ arguments: Arguments) throws {
        site = try Site(arguments)
        format = try OutputFormat(arguments)
        let word = arguments.operand(1)
        let after =
            try arguments.integer(Self.after, in: 0...Int.max)
            .map { [JSON.Member("after", .number(String($0)))] } ?? []
        switch (arguments.operands[0], word) {
        case ("add", let url?):
            var members: [JSON.Member] = [.init("url", .string(url))] + after
            for (member, option) in [("types", Self.type), ("namespaces", Self.namespace), ("tasks", Self.name)] {
                members.append(.init(member, .array(arguments.all(option).map(JSON.string))))
            }
            if let name = arguments[Self.secret] { members.append(.init("secret", .string(SettingText.prefix + name))) }
            if let days = try arguments.integer(Self.days, in: 1...365) {
                members.append(.init("disable_after_s", .number(String(days * 86_400))))
            }
            action = .add(.object(members))
        case ("list", nil): action = .list
        case ("enable", let id?): action = .enable(id, .object(after))
        case ("remove", let id?): action = .remove(id)
        default:
            throw UsageError("'webhook' knows add URL, list, enable ID, and remove ID", command: "webhook")
        }
    }

    func run() async throws -> ExitCode {
        let server = try site.server().connection
        switch action {
        case .add(let body):
            let webhook = try server.post(["webhooks"], JSONText(body))
            format.print(webhook, table: webhook["id"]?.string ?? "")
        case .list:
            let webhooks = try server.get(["webhooks"])["webhooks"]?.array ?? []
            format.print(
                list: webhooks, of: "webhooks", "ID", "STATE", "LAG", "URL", "EVENTS", "LAST ERROR"
            ) { webhook in
                func text(_ member: String) -> String { webhook[member]?.string ?? "" }
                let types = webhook["types"]?.array?.compactMap(\.string) ?? []
                return [
                    text("id"), text("state"), "\(webhook["lag"]?.int ?? 0)", text("url"),
                    types.isEmpty ? "all" : types.joined(separator: " "), text("last_error"),
                ]
            }
        case .enable(let id, let body):
            let webhook = try server.post(["webhooks", id, "enable"], JSONText(body))
            format.print(webhook, table: webhook["state"]?.string ?? "")
        case .remove(let id):
            let webhook = try server.delete(["webhooks", id])
            if format == .table { note("webhook '\(id)' is removed") } else { format.print(webhook, table: "") }
        }
        return .success
    }
}
