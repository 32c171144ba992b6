import Glibc
import Stepwell
import StepwellEngine
import StepwellLog
import StepwellModel
import StepwellServer
import StepwellTemplates

/// `stepwell serve`
struct ServeCommand: Command {
    private static let listen = Option(
        name: "--listen", value: "HOST:PORT", help: "where to listen (127.0.0.1:7420); port 0 takes a free one")
    private static let templates = Option(
        name: "--templates", value: "DIR", help: "make known the templates of all *.yaml files in this folder")
    private static let lease = Option(
        name: "--lease", value: "SECONDS", help: "a worker elsewhere that was not heard of for so long is gone (30)")
    private static let certificate = Option(
        name: "--tls-cert", value: "FILE", help: "serve HTTPS with this certificate chain, in PEM")
    private static let key = Option(name: "--tls-key", value: "FILE", help: "the certificate's key, in PEM")
    private static let insecure = Option(
        name: "--insecure", help: "listen beyond this machine although there are no tokens or no TLS")

    static let help = CommandHelp(
        name: "serve", summary: "Serve a store: tasks over HTTP, workers anywhere, live events.",
        details: """
            Goes on with whatever was open. Workers elsewhere connect by themselves (docs/worker-protocol.md); --worker starts one
            here. GET /v1/openapi.json describes the API. On this machine no token is needed until there is one; see 'stepwell token'.
            SIGHUP reads the templates again; SIGTERM lets running attempts end, and stops.
            """,
        options: [
            listen, templates, .environment, .worker, lease, certificate, key, insecure, .grace, .reason, .store,
        ],
        examples: [
            "stepwell serve --templates templates --worker 'python3 -m stepwell worker handlers.py'",
            "curl -s 127.0.0.1:7420/v1/tasks -d '{\"name\": \"nightly\"}'",
        ])

    static let handlesSignals = true

    private let store: StoreLocation
    private let address: ListenAddress
    private let folder: TemplateFolder?
    private let workers: [String]
    private let lease: Int
    private let certificate: String?
    private let key: String?
    private let isInsecure: Bool
    private let grace: Int
    private let reason: String?

    init(_ arguments: Arguments) throws {
        store = StoreLocation(arguments)
        let text = arguments[Self.listen] ?? "127.0.0.1:7420"
        guard let address = ListenAddress(text) else {
            throw UsageError(
                "'--listen' takes HOST:PORT, such as 127.0.0.1:7420 or [::1]:7420, not '\(text)'", command: "serve")
        }
        self.address = address
        folder = arguments[Self.templates].map { TemplateFolder(path: $0, environment: arguments[.environment]) }
        workers = arguments.all(.worker)
        lease = try arguments.integer(Self.lease, in: 1...3600) ?? 30
        certificate = arguments[Self.certificate]
        key = arguments[Self.key]
        isInsecure = arguments.has(Self.insecure)
        grace = try arguments.integer(.grace, in: 0...86_400) ?? 10
        reason = arguments[.reason]
        guard (certificate == nil) == (key == nil) else {
            throw UsageError("'--tls-cert' and '--tls-key' go together", command: "serve")
        }
    }

    func run() async throws -> ExitCode {
        let tls = try certificate.flatMap { certificate in
            try key.map { TLSFiles(certificate: try Files.read(certificate), key: try Files.read($0)) }
        }
        if !address.isLoopback, !isInsecure {
            guard tls != nil, try !TokenFile(store: store.path).read().isEmpty else {
                throw OpenDoor(address: "\(address)")
            }
        }
        let templates = try readTemplates()
        let interruption = Once<Void>()
        let failure = Once<LogError>()
        Signals.watch { interruption.fire(()) }
        var configuration = ServiceHost.Configuration(store: store.path)
        configuration.listen = address
        configuration.tls = tls
        configuration.isTokenNeeded = address.isLoopback || isInsecure ? nil : true
        configuration.lease = .seconds(Int64(lease))
        configuration.engine.reason = reason
        configuration.engine.observers.notice = { note($0.printable) }
        configuration.engine.observers.storage = { note($0.map { "waiting: \($0.message)" } ?? "there is space again") }
        configuration.engine.observers.failure = { failure.fire($0) }
        Descriptors.allowMany()
        let host = try await ServiceHost.start(configuration) { note($0.printable) }
        do {
            for template in templates { _ = try await host.service.register(template, by: Operator.actor()) }
            Signals.onHangup { Task { await reload(host) } }
            if host.service.engine.recovery.isNoteworthy { note(host.service.engine.recovery.description) }
            let scheme = tls == nil ? "http" : "https"
            note("listening on \(scheme)://\(host.address ?? address) and \(store.path)/\(ServiceHost.socketName)")
            try await host.service.engine.startWorkers(workers)
            host.service.enter(.ready)
        } catch {
            await host.stop(grace: .zero)
            if interruption.hasFired { return .interrupted }
            throw error
        }
        let end = Once<LogError?>()
        interruption.then { end.fire(nil) }
        failure.then { end.fire($0) }
        if let error = await end.value {
            await host.stop(grace: .zero)
            throw error
        }
        note("stopping: running attempts may end within \(grace) s; a second signal stops at once")
        await host.stop(grace: .seconds(grace))
        return .success
    }

    /// The templates of the folder, before the store is touched.
    private func readTemplates() throws -> [Template] {
        guard let folder else { return [] }
        let findings = try folder.read()
        let faults = findings.compactMap { finding in finding.error.map { "\(finding.file): \($0)" } }
        for fault in faults { note(fault) }
        guard faults.isEmpty else { throw UnusableTemplates(count: faults.count, folder: folder.path) }
        return findings.compactMap(\.template)
    }

    /// Reads the folder again. What cannot be used is told, and the others count.
    private func reload(_ host: ServiceHost) async {
        guard let folder else { return }
        do {
            var added = 0
            for finding in try folder.read() {
                do {
                    if let error = finding.error { throw error }
                    if let template = finding.template,
                        try await host.service.register(template, by: Operator.actor())
                    {
                        added += 1
                    }
                } catch { note("\(finding.file): \(error)") }
            }
            note("templates read again: \(added) new, \(host.service.catalog.all.count) in all")
        } catch { note("the templates were not read again: \(error)") }
    }
}

/// A server that anybody on the network could use.
private struct OpenDoor: StepwellError {
    let address: String

    var code: String { "insecure" }
    var message: String { "\(address) can be reached from other machines, and there are no tokens, or there is no TLS" }
    var cure: String? {
        "make a token with 'stepwell token create', give --tls-cert and --tls-key, or say --insecure"
    }
}

/// Template files that cannot be used.
private struct UnusableTemplates: StepwellError {
    let count: Int
    let folder: String

    var code: String { "invalid_template" }
    var message: String { "\(counted(count, "file")) in '\(folder)' cannot be used" }
    var cure: String? { "'stepwell validate' tells more" }
}

/// How many files this process may hold open.
enum Descriptors {
    /// As many as the system allows: every connection takes one.
    static func allowMany() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}
