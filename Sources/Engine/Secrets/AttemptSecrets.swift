import StepwellModel
import Synchronization

/// The secrets of one attempt: named by its template, known from when it is handed to a worker until it has ended.
final class AttemptSecrets: Sendable {
    private struct Resolved {
        var configuration: JSONText
        var environment: [EnvironmentVariable]
        var redaction = Redaction.nothing
    }

    private let store: SecretStore
    private let handler: HandlerTemplate
    private let resolved: Mutex<Resolved>

    /// Nil when the handler names no secrets, as nearly all do.
    init?(_ handler: HandlerTemplate, from store: SecretStore) {
        guard handler.mentionsSecrets else { return nil }
        self.store = store
        self.handler = handler
        resolved = Mutex(Resolved(configuration: handler.configuration, environment: handler.environment))
    }

    var configuration: JSONText { resolved.withLock { $0.configuration } }
    var environment: [EnvironmentVariable] { resolved.withLock { $0.environment } }
    var redaction: Redaction { resolved.withLock { $0.redaction } }

    /// Looks all of them up. Those that were found are hidden from now on, also when another one is missing.
    func resolve() throws(SecretError) {
        var values: [(name: String, value: String)] = []
        defer {
            let redaction = Redaction(values.map { ($0.name, $0.value) })
            resolved.withLock { $0.redaction = redaction }
        }
        func text(_ text: String) throws(SecretError) -> String {
            switch SettingText(text) {
            case .literal(let text): return text
            case .badName(let name): throw .unusable(name, reason: "no secret can have that name")
            case .secret(let name):
                if let known = values.first(where: { $0.name == name }) { return known.value }
                let value = try store.value(of: name)
                values.append((name, value))
                return value
            }
        }
        let configuration = JSONText(try handler.configuration.json.mapTexts(text))
        var environment: [EnvironmentVariable] = []
        for variable in handler.environment {
            environment.append(EnvironmentVariable(variable.name, try text(variable.value)))
        }
        resolved.withLock { [environment] resolved in
            resolved.configuration = configuration
            resolved.environment = environment
        }
    }
}

extension HandlerTemplate {
    /// Whether a text of it may begin with `secret:`. Said of every attempt, so it must cost next to nothing.
    fileprivate var mentionsSecrets: Bool {
        (configuration.bytes.count > SettingText.prefix.utf8.count + 8
            && Redaction.contains(configuration.bytes, Array("\"\(SettingText.prefix)".utf8)))
            || environment.contains { $0.value.hasPrefix(SettingText.prefix) }
    }
}
