import StepwellModel

/// Why a secret cannot be had. It never holds the secret's value.
package enum SecretError: StepwellError, Hashable {
    /// Nobody has given it.
    case missing(String, directories: [String])
    /// What was given under its name cannot be used.
    case unusable(String, reason: String)

    package var code: String {
        switch self {
        case .missing: "secret_missing"
        case .unusable: "secret_unusable"
        }
    }

    package var message: String {
        switch self {
        case .missing(let name, _): "there is no secret '\(name)'"
        case .unusable(let name, let reason): "the secret '\(name)' cannot be used: \(reason)"
        }
    }

    package var cure: String? {
        switch self {
        case .missing(let name, let directories):
            "set \(SecretStore.variable(of: name)) where the engine runs, or "
                + (directories.first.map { "put it into the file '\($0)/\(name)'" }
                    ?? "name a folder that has the file '\(name)' with --secrets")
        case .unusable: nil
        }
    }
}

extension Failure {
    /// Another attempt may find what somebody has put there meanwhile.
    init(_ error: SecretError, step: String, of template: Template) {
        self.init(
            message: "\(error.message), which step '\(step)' of \(template.namespace)/\(template.name) "
                + "\(template.version) needs" + (error.cure.map { ": \($0)" } ?? ""),
            errorType: error.code)
    }
}
