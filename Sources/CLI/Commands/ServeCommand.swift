import Glibc
import Stepwell
import StepwellHTTP
import StepwellModel
import StepwellServer

/// `stepwell serve`
struct ServeCommand: Command {
    private static let listen = Option(
        name: "--listen", value: "HOST:PORT",
        help: "where to listen (127.0.0.1:7420, or the sockets that systemd gives); port 0 takes a free one")
    private static let templates = Option(
        name: "--templates", value: "DIR",
        help: "make known the templates of all *.yaml files in this folder, now and when they change")
    private static let lease = Option(
        name: "--lease", value: "SECONDS", help: "a worker elsewhere that was not heard of for so long is gone (30)")
    private static let certificate = Option(
        name: "--tls-cert", value: "FILE", help: "serve HTTPS with this certificate chain, in PEM")
    private static let key = Option(name: "--tls-key", value: "FILE", help: "the certificate's key, in PEM")
    private static let insecure = Option(
        name: "--insecure", help: "listen beyond this machine although there are no tokens or no TLS")

    private static let hold = Option(
        name: "--hold", help: "take tasks and answer, but give nothing to workers until 'stepwell release'")

    private static let logFormat = Option(
        name: "--log-format", value: "FORMAT", help: "the server's own log on standard error: text, or json")
    private static let accessLog = Option(name: "--access-log", help: "a line in that log for each request")

    private static let config = Option(
        name: "--config", value: "FILE", help: "settings in YAML, by the names of these options; those given here win")
    private static let check = Option(
        name: "--check", help: "print the settings that are in effect, look at the files that they name, and end")

    private static let otlp = Option(
        name: "--otlp", value: "URL",
        help: "send traces of finished tasks to this collector, over OTLP (else OTEL_EXPORTER_OTLP_ENDPOINT)")

    static let help = CommandHelp(
        name: "serve", summary: "Serve a store: tasks over HTTP, workers anywhere, live events.",
        details: """
            Goes on with whatever was open. Workers elsewhere connect by themselves (docs/worker-protocol.md); --worker starts one
            here. GET /v1/openapi.json describes the API. On this machine no token is needed until there is one; see 'stepwell token'.
            SIGHUP reads the certificate and the templates again; SIGTERM lets running attempts end, and stops.
            """,
        options: [
            listen, templates, .environment, .worker, .secrets, lease, certificate, key, insecure, hold, logFormat,
            accessLog,
            config, check, otlp,
            .grace, .reason, .store,
        ],
        examples: [
            "stepwell serve --templates templates --worker 'python3 -m stepwell worker handlers.py'",
            "curl -s 127.0.0.1:7420/v1/tasks -d '{\"name\": \"nightly\"}'",
        ])

    static let handlesSignals = true

    private let settings: ServeSettings
    private let checked: String?

    static func completed(_ arguments: Arguments) throws -> Arguments {
        guard let path = arguments[config] else { return arguments }
        return try ServeConfig.complete(arguments, from: path)
    }

    init(_ arguments: Arguments) throws {
        var settings = ServeSettings(store: StoreLocation(arguments).path)
        settings.given = try GivenSocket.current.get()
        let text = arguments[Self.listen] ?? (settings.given.isEmpty ? "127.0.0.1:7420" : nil)
        if let text {
            guard let address = ListenAddress(text) else {
                throw UsageError(
                    "'--listen' takes HOST:PORT, such as 127.0.0.1:7420 or [::1]:7420, not '\(text)'", command: "serve")
            }
            settings.address = address
        }
        settings.folder = arguments[Self.templates].map {
            TemplateFolder(path: $0, environment: arguments[.environment])
        }
        settings.workers = arguments.all(.worker)
        settings.lease = try arguments.integer(Self.lease, in: ServeConfig.leases) ?? 30
        settings.certificate = arguments[Self.certificate]
        settings.key = arguments[Self.key]
        settings.isInsecure = arguments.has(Self.insecure)
        settings.grace = try arguments.integer(.grace, in: ServeConfig.graces) ?? 10
        settings.isHeld = arguments.has(Self.hold)
        settings.isAccessLogged = arguments.has(Self.accessLog)
        if let word = arguments[Self.logFormat] {
            guard let format = Journal.Format(rawValue: word) else {
                throw UsageError("'--log-format' takes text or json, not '\(word)'", command: "serve")
            }
            settings.logFormat = format
        }
        settings.reason = arguments[.reason]
        settings.secretsDirectory = try arguments.secretsDirectory(command: "serve")
        do throws(HTTPError) {
            settings.traces = try TraceReceiver(base: arguments[Self.otlp]) { getenv($0).map { String(cString: $0) } }
        } catch { throw UsageError("'--otlp': \(error.message)", command: "serve") }
        guard (settings.certificate == nil) == (settings.key == nil) else {
            throw UsageError("'--tls-cert' and '--tls-key' go together", command: "serve")
        }
        self.settings = settings
        checked =
            arguments.has(Self.check)
            ? ServeConfig.text(arguments, settings, store: StoreLocation(arguments)) : nil
    }

    /// Takes what is for this process alone out of the environment, while there is no other thread.
    static func takeEnvironment() {
        _ = ServiceManager.current
        _ = GivenSocket.current
    }

    func run() async throws -> ExitCode {
        guard let checked else { return await Serving(settings).run() }
        Signals.watch({ _exit(ExitCode.interrupted.rawValue) })
        output(checked)
        return await Serving(settings).check()
    }
}
