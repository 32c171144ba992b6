import StepwellModel

extension Findings {
    /// Reports every `secret:NAME` among the values that names no secret.
    func checkSecrets(_ members: [JSON.Member], at place: Place?) {
        guard let place else { return }
        _ = JSON.object(members).mapTexts { text in
            checkSecret(text, at: place)
            return text
        }
    }

    func checkSecret(_ text: String, at place: Place) {
        guard case .badName(let name) = SettingText(text) else { return }
        error(
            .badSecret, at: place, "'\(name)' cannot be the name of a secret",
            cure: "a name has letters, digits, '_', '-' and '.'; 'secret::…' is the text 'secret:…' itself")
    }

    /// Everybody on the machine can read the arguments of a program.
    func warnOfSecretArgument(_ text: String, at place: Place) {
        guard case .secret(let name) = SettingText(text) else { return }
        warn(
            .secretArgument, at: place, "'\(text)' in a command is just that text, not the secret",
            cure: "write 'env: {\(SettingText.variable(for: name)): \(text)}', and let the program read the variable")
    }
}

extension SettingText {
    /// A variable for a secret: what a shell can set.
    fileprivate static func variable(for name: String) -> String {
        String(name.map { $0 == "-" || $0 == "." ? "_" : $0 }).uppercased()
    }
}
