import StepwellEngine
import StepwellHTTP
import StepwellLog
import StepwellModel

/// Somebody's wish to hear of events: where, of which, and how they are signed.
struct Webhook: Hashable, Sendable {
    var id: String
    var url: String
    /// Names of events, or `task.*` for all that begin so; none: all.
    var types: [String]
    /// None: all. With any, events of the engine itself are left out, as with `tasks`.
    var namespaces: [String]
    /// Names of tasks; none: all.
    var tasks: [String]
    /// The secret that signs; nil: nothing is signed.
    var secret: String?
    /// The event after which it begins.
    var after: SequenceNumber
    var created: Timestamp
    /// How long it may fail before it is given up.
    var disableAfter: Milliseconds

    static let disableAfterDefault = Milliseconds.seconds(5 * 86_400)
    private static let namesMax = 100

    /// Checks it.
    init(
        id: String, url: String, types: [String] = [], namespaces: [String] = [], tasks: [String] = [],
        secret: String? = nil, after: SequenceNumber, created: Timestamp, disableAfter: Milliseconds? = nil
    ) throws(WebhookError) {
        do throws(HTTPError) { _ = try OutwardURL(url) } catch {
            if case .badAddress(_, let reason) = error { throw .badURL(url, reason) }
            throw .badURL(url, error.message)
        }
        for type in types where !Self.isKnown(type) { throw .unknownType(type) }
        for names in [types, namespaces, tasks] where names.count > Self.namesMax { throw .tooManyNames(Self.namesMax) }
        if let secret {
            guard case .secret = SettingText(secret) else { throw .badSecret }
        }
        self.id = id
        self.url = url
        self.types = types
        self.namespaces = namespaces
        self.tasks = tasks
        self.secret = secret
        self.after = after
        self.created = created
        self.disableAfter = disableAfter ?? Self.disableAfterDefault
    }

    static func newID() -> String { hexadecimal((0..<6).map { _ in UInt8.random(in: .min ... .max) }) }

    /// The secret's name.
    var secretName: String? {
        if case .secret(let name)? = secret.map({ SettingText($0) }) { name } else { nil }
    }

    // MARK: What it wants

    private static func isKnown(_ type: String) -> Bool {
        EventType.allCases.contains { matches(type, $0.name) }
    }

    private static func matches(_ pattern: String, _ name: String) -> Bool {
        guard pattern.hasSuffix(".*") else { return pattern == name }
        return name.hasPrefix(pattern.dropLast())
    }

    func wants(_ type: EventType) -> Bool { types.isEmpty || types.contains { Self.matches($0, type.name) } }

    var isForSomeTasks: Bool { !namespaces.isEmpty || !tasks.isEmpty }

    func wants(namespace: String, task: String) -> Bool {
        (namespaces.isEmpty || namespaces.contains(namespace)) && (tasks.isEmpty || tasks.contains(task))
    }
}

extension Webhook {
    var json: JSON {
        [
            "id": .string(id), "url": .string(url), "types": .array(types.map(JSON.string)),
            "namespaces": .array(namespaces.map(JSON.string)), "tasks": .array(tasks.map(JSON.string)),
            "secret": secret.map(JSON.string) ?? .null, "begins_after": .number(String(after.rawValue)),
            "created_at": .string(created.description),
            "disable_after_s": .number(String(disableAfter.rawValue / 1000)),
        ]
    }

    /// As the file keeps it; nil when it is not that.
    init?(stored json: JSON) {
        func names(_ member: String) -> [String] { json[member]?.array?.compactMap(\.string) ?? [] }
        guard let id = json["id"]?.string, let url = json["url"]?.string, let after = json["begins_after"]?.int,
            after >= 0,
            let created = json["created_at"]?.string.flatMap(Timestamp.init),
            let seconds = json["disable_after_s"]?.int,
            let webhook = try? Webhook(
                id: id, url: url, types: names("types"), namespaces: names("namespaces"), tasks: names("tasks"),
                secret: json["secret"]?.string, after: SequenceNumber(UInt64(after)), created: created,
                disableAfter: .seconds(seconds))
        else { return nil }
        self = webhook
    }
}

/// Trouble with webhooks.
enum WebhookError: StepwellError, Hashable {
    case badURL(String, String)
    case unknownType(String)
    case tooManyNames(Int)
    case badSecret
    case tooMany(Int)
    case unknown(String)
    case unreadable(String)

    var code: String {
        switch self {
        case .badURL: "bad_webhook_url"
        case .unknownType: "unknown_event_type"
        case .badSecret: "bad_webhook_secret"
        case .tooMany, .tooManyNames: "too_many_webhooks"
        case .unknown: "unknown_webhook"
        case .unreadable: "webhook_file"
        }
    }

    var message: String {
        switch self {
        case .badURL(let url, let reason): "'\(url)' cannot be called: \(reason)"
        case .unknownType(let type): "there is no event '\(type)'"
        case .badSecret: "the secret of a webhook is given as 'secret:NAME', never by itself"
        case .tooMany(let count): "there are \(count) webhooks already"
        case .tooManyNames(let count): "a webhook's filter has at most \(count) names of a kind"
        case .unknown(let id): "there is no webhook '\(id)'"
        case .unreadable(let path): "'\(path)' is not what Stepwell has written"
        }
    }

    var cure: String? {
        switch self {
        case .badURL: "such as https://example.org/hooks/stepwell"
        case .unknownType: "such as task.completed, or 'task.*'; docs/log-format.md lists them"
        case .badSecret: "put the secret where the server finds it, and name it"
        case .tooMany: "remove one"
        case .tooManyNames: "make several webhooks"
        case .unknown: "'stepwell webhook list' shows them"
        case .unreadable: "take it from a backup, or remove it and add the webhooks again"
        }
    }
}
