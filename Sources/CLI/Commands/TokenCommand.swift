import Glibc
import Stepwell
import StepwellEngine
import StepwellLog
import StepwellModel
import StepwellServer

/// `stepwell token`
struct TokenCommand: Command {
    private static let role = Option(
        name: "--role", value: "ROLE", help: "viewer, operator, worker or admin: what the token allows")
    private static let namespace = Option(
        name: "--namespace", value: "NAME", help: "only tasks and steps of this namespace", isRepeatable: true)
    private static let expires = Option(
        name: "--expires", value: "DAYS", help: "the token is good for so many days; without it for ever")

    static let help = CommandHelp(
        name: "token", summary: "Make, list and revoke the tokens that a server lets in.",
        operands: "create|list|revoke [NAME]", operandCount: 1...2,
        details: """
            A token's secret is shown once, and kept as a hash in the store's directory. A server that runs takes notice within a
            second. 'create' makes the store where it is missing. Roles: a viewer looks; an operator also submits tasks and acts
            on them; a worker runs steps; an admin may do all.
            """,
        options: [role, namespace, expires, .store, .output],
        examples: [
            "stepwell token create nightly-cron --role operator --namespace data_pipeline --expires 365",
            "stepwell token list", "stepwell token revoke nightly-cron",
        ])

    private enum Action {
        case create(name: String, role: Role, namespaces: [String], days: Int?)
        case list
        case revoke(String)
    }

    private let store: StoreLocation
    private let format: OutputFormat
    private let action: Action

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        format = try OutputFormat(arguments)
        let name = arguments.operand(1)
        switch (arguments.operands[0], name) {
        case ("create", let name?):
            let word = arguments[Self.role] ?? ""
            guard let role = Role(rawValue: word) else {
                throw UsageError(
                    "'token create' needs '--role' with viewer, operator, worker or admin", command: "token")
            }
            guard !name.isEmpty, name.utf8.count <= 100, name.printable == name else {
                throw UsageError("a token's name has 1 to 100 printable bytes", command: "token")
            }
            action = .create(
                name: name, role: role, namespaces: arguments.all(Self.namespace),
                days: try arguments.integer(Self.expires, in: 0...36_500))
        case ("revoke", let name?): action = .revoke(name)
        case ("list", nil): action = .list
        case ("create", nil), ("revoke", nil):
            throw UsageError("'token \(arguments.operands[0])' needs the token's NAME", command: "token")
        default:
            throw UsageError("'token' knows create NAME, list, and revoke NAME", command: "token")
        }
    }

    func run() async throws -> ExitCode {
        let file = TokenFile(store: store.path)
        switch action {
        case .create(let name, let role, let namespaces, let days):
            try makeStoreWhereMissing()
            let now = SystemClock().now()
            let expires = days.map { now.advanced(by: .seconds(Int64($0) * 86_400)) }
            let (token, secret) = Token.make(
                name: name, role: role, namespaces: namespaces, created: now, expires: expires)
            try file.add(token, now: now)
            guard format == .table else {
                output(JSONText(.object((token.json.members ?? []) + [.init("token", .string(secret))])).description)
                return .success
            }
            output(secret)
            note("token '\(name)': keep it now, it is not shown again")
        case .list:
            format.print(
                list: try file.read().map(\.json), of: "tokens",
                "NAME", "ROLE", "NAMESPACES", "CREATED", "EXPIRES"
            ) { token in
                func text(_ member: String) -> String { token[member]?.string ?? "" }
                let namespaces = token["namespaces"]?.array?.compactMap(\.string) ?? []
                return [
                    text("name"), text("role"), namespaces.isEmpty ? "all" : namespaces.joined(separator: " "),
                    text("created_at"), token["expires_at"]?.string ?? "never",
                ]
            }
        case .revoke(let name):
            try file.revoke(name)
            note("token '\(name)' is revoked")
        }
        return .success
    }

    /// So that a server beyond this machine can have its tokens before its first start.
    private func makeStoreWhereMissing() throws {
        do { _ = try store.reader() } catch LogError.notFound { _ = try LMDBLog(path: store.path) }
    }
}
