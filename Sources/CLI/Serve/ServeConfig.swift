import Stepwell
import StepwellModel
import StepwellServer
import StepwellTemplates

/// The file of `serve --config`: the options by their names, without the dashes.
enum ServeConfig {
    static let leases = 1...3600
    static let graces = 0...86_400

    /// What may stand there: all options but those that say where the settings are.
    static let names: [SettingsFile.Name] = [
        .init("store", .text),
        .init("listen", .form("HOST:PORT, such as 127.0.0.1:7420 or [::1]:7420") { ListenAddress($0) != nil }),
        .init("templates", .text), .init("environment", .text), .init("worker", .texts),
        .init("secrets", .text),
        .init("lease", .integer(leases)), .init("tls-cert", .text), .init("tls-key", .text), .init("insecure", .flag),
        .init("hold", .flag), .init("log-format", .choice(Journal.Format.allCases.map(\.rawValue))),
        .init("access-log", .flag), .init("otlp", .text), .init("grace", .integer(graces)), .init("reason", .text),
    ]

    /// The arguments with what the file says wherever the command line says nothing.
    static func complete(_ arguments: Arguments, from path: String) throws -> Arguments {
        var arguments = arguments
        for setting in try SettingsFile.read(try Files.read(path, bytesMax: 1 << 20), file: path, names: names) {
            // A flag that is false is one that is not given.
            if case .flag = names.first(where: { $0.name == setting.name })?.kind, setting.values == ["false"] {
                continue
            }
            arguments.add("--" + setting.name, setting.values, from: "\(path):\(setting.line)")
        }
        return arguments
    }

    /// All settings as they are in effect, as a file of settings, each with where it comes from.
    static func text(_ arguments: Arguments, _ settings: ServeSettings, store: StoreLocation) -> String {
        let defaults: [String: (String?, String)] = [
            "store": (store.path, store.isFromEnvironment ? "STEPWELL_STORE" : "default"),
            "listen": settings.given.isEmpty
                ? (settings.address.map { "\($0)" }, "default") : (nil, "sockets are given"),
            "lease": ("\(settings.lease)", "default"), "grace": ("\(settings.grace)", "default"),
            "log-format": (settings.logFormat.rawValue, "default"),
        ]
        var lines: [(String, String)] = []
        for known in names {
            let given = arguments.values(of: "--" + known.name)
            let place = arguments.place(of: "--" + known.name)
            if !given.isEmpty, let place {
                lines.append(("\(known.name): \(value(given, known.kind))", place))
            } else if let (text, source) = defaults[known.name] {
                lines.append((text.map { "\(known.name): \(value([$0], known.kind))" } ?? "# \(known.name)", source))
            } else if case .flag = known.kind {
                lines.append(("\(known.name): false", "default"))
            } else {
                lines.append(("# \(known.name)", "not set"))
            }
        }
        let width = min(60, lines.map(\.0.count).max() ?? 0)
        return lines.map { "\($0.padded(to: width))  # \($1)" }.joined(separator: "\n")
    }

    private static func value(_ values: [String], _ kind: SettingsFile.Kind) -> String {
        switch kind {
        case .flag, .integer: values[0]
        // JSON is YAML.
        case .texts: JSONText(.array(values.map(JSON.string))).description
        default: JSONText(.string(values[0])).description
        }
    }
}
