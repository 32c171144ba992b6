import Glibc
import Stepwell
import StepwellEngine
import StepwellLog
import StepwellModel
import StepwellServer

/// A server from its start to its end, as its operator sees it: what it reads, what it says, and which signals it obeys.
struct Serving: Sendable {
    let settings: ServeSettings
    let manager = ServiceManager.current
    let journal: Journal
    private let writer: LineWriter

    init(_ settings: ServeSettings) {
        self.settings = settings
        let format = settings.logFormat
        let writer = LineWriter(STDERR_FILENO) { count in Journal.dropped(count, format) }
        self.writer = writer
        journal = Journal(format) { writer.write($0) }
    }

    func run() async -> ExitCode { await told { try await serve() } }

    /// Looks at all that a start would look at before it touches the store.
    func check() async -> ExitCode {
        await told {
            try readCertificate()?.check()
            try settings.checkDoors()
            try checkTemplates()
            return .success
        }
    }

    /// Tells also what ends it.
    private func told(_ body: () async throws -> ExitCode) async -> ExitCode {
        let code: ExitCode
        do {
            code = try await body()
        } catch {
            journal.tell(.error, error)
            code = (error as? any StepwellError).map { ExitCode($0) } ?? .failure
        }
        writer.flush(within: .seconds(2))
        return code
    }

    private func serve() async throws -> ExitCode {
        manager.status("opening the store")
        let tls = try readCertificate()
        try settings.checkDoors()
        // Watched before it is read, so that nothing falls between.
        let watch = watchTemplates()
        let templates = try settings.folder?.read() ?? []
        let interruption = Once<Void>()
        let failure = Once<LogError>()
        Signals.watch({ interruption.fire(()) }) { [journal, writer] news in
            journal.tell(.warning, "stopped_at_once", news)
            writer.flush(within: .seconds(2))
        }
        Descriptors.allowMany()
        Heaps.share()
        let host = try await ServiceHost.start(configuration(tls, failure))
        let watchdog = manager.watchdog.map { interval in
            Watchdog(host.service.engine.core, interval: interval) { [manager] in manager.alive() }
        }
        defer { watchdog?.end() }
        do {
            watchdog?.start()
            let files = settings.folder.map { folder in
                TemplateFiles(folder, faults: host.service.metrics.templateFaults) {
                    try await host.service.register($0, by: Operator.actor())
                }
            }
            for news in try await files?.add(templates) ?? [] { tell(news) }
            tellStart(host, isSecure: tls != nil)
            try await host.service.engine.startWorkers(settings.workers)
            if settings.isHeld {
                journal.tell(.warning, "held", "held: nothing is given to workers until 'stepwell release'")
            }
            host.service.enter(.ready)
            // From now on: a signal that came before waits, and is obeyed now.
            let (wishes, wish) = AsyncStream.makeStream(of: Wish.self)
            Signals.onHangup { wish.yield(.hangup) }
            watch?.start { result in
                switch result {
                case .success(let change): wish.yield(.change(change))
                case .failure(let error): wish.yield(.blind(error))
                }
            }
            Task { await obey(wishes, host, files) }
            manager.ready(status(host))
        } catch {
            await host.stop(grace: .zero)
            if interruption.hasFired { return .interrupted }
            throw error
        }
        let end = Once<LogError?>()
        interruption.then { end.fire(nil) }
        failure.then { end.fire($0) }
        if let error = await end.value {
            manager.stopping("the log has failed: \(error.message)")
            await host.stop(grace: .zero)
            throw error
        }
        let news = "stopping: running attempts may end within \(settings.grace) s"
        journal.tell(.info, "stopping", news + "; a second signal stops at once")
        manager.stopping(news)
        await host.stop(grace: .seconds(settings.grace))
        journal.tell(.info, "stopped", "stopped")
        return .success
    }

    private func configuration(_ tls: TLSFiles?, _ failure: Once<LogError>) -> ServiceHost.Configuration {
        var configuration = ServiceHost.Configuration(store: settings.store)
        configuration.listen = settings.address
        configuration.given = settings.given
        configuration.tls = tls
        configuration.isTokenNeeded = settings.isTokenNeeded
        configuration.lease = .seconds(Int64(settings.lease))
        configuration.engine.reason = settings.reason
        configuration.engine.secretsDirectory = settings.secretsDirectory
        configuration.engine.isHeld = settings.isHeld
        configuration.released = { [manager, journal] release in
            let name = release.by.isEmpty ? "somebody" : release.by
            let news = "released by \(name)" + (release.reason.map { ": \($0)" } ?? "")
            journal.tell(.info, "released", news)
            manager.status(news)
        }
        configuration.refused = { [journal] in journal.tell(refusal: $0) }
        if settings.isAccessLogged { configuration.answered = { [journal] in journal.tell(request: $0) } }
        configuration.traces = settings.traces
        configuration.delivered = { [journal] in journal.tell(.info, "delivery", $0) }
        configuration.engine.observers.notice = { [journal] in journal.tell(.info, "worker", $0) }
        configuration.engine.observers.storage = { [manager, journal] error in
            if let error {
                journal.tell(.error, error.code, "waiting: \(error.message)")
            } else {
                journal.tell(.info, "disk_space", "there is space again")
            }
            manager.status(error.map { "waiting: \($0.message)" } ?? "there is space again")
        }
        configuration.engine.observers.failure = { failure.fire($0) }
        return configuration
    }

    // MARK: The certificate

    private func readCertificate() throws -> TLSFiles? {
        try settings.certificate.flatMap { certificate in
            try settings.key.map { TLSFiles(certificate: try Files.read(certificate), key: try Files.read($0)) }
        }
    }

    /// Reads certificate and key again. Where they cannot be used, the present ones stay.
    func reloadCertificate(_ host: ServiceHost) {
        do {
            guard let tls = try readCertificate() else { return }
            let expires = try host.use(tls)
            journal.tell(
                .info, "certificate_read", "certificate read again" + (expires.map { ", good until \($0)" } ?? ""))
        } catch {
            journal.tell(
                .error, "certificate_refused", "the certificate was not read again, the present one stays",
                Journal.fields(of: error))
        }
    }

    // MARK: What it says of itself

    private func tellStart(_ host: ServiceHost, isSecure: Bool) {
        let recovery = host.service.engine.recovery
        if recovery.isNoteworthy {
            journal.tell(
                .info, "recovered", recovery.description,
                [
                    .init("events_folded", recovery.eventsFolded), .init("open_tasks", recovery.tasksOpen),
                    .init("attempts_lost", recovery.attemptsClosed),
                    .init("duration_ms", Int(recovery.duration.rawValue)),
                ])
        }
        let scheme = isSecure ? "https" : "http"
        let places = host.places.map { place in
            if case .network(let address) = place { "\(scheme)://\(address)" } else { "\(place)" }
        }
        let all = places + ["\(settings.store)/\(ServiceHost.socketName)"]
        journal.tell(
            .info, "listening", "listening on " + all.joined(separator: " and "),
            [.init("version", stepwellVersion), .init("pid", Int(getpid()))])
    }

    func status(_ host: ServiceHost) -> String {
        let places = host.places.map(\.description).joined(separator: ", ")
        let state = host.service.engine.core.heldWorkerCount == nil ? "ready" : "held"
        return state + ", listening on " + (places.isEmpty ? ServiceHost.socketName : places)
    }
}
