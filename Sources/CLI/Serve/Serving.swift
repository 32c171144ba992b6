import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel
import StepwellServer

/// A server from its start to its end, as its operator sees it: what it reads, what it says, and which signals it obeys.
struct Serving: Sendable {
    let settings: ServeSettings
    let manager = ServiceManager.current

    init(_ settings: ServeSettings) { self.settings = settings }

    func run() async throws -> ExitCode {
        manager.status("opening the store")
        let tls = try readCertificate()
        try settings.checkDoors()
        // Watched before it is read, so that nothing falls between.
        let watch = watchTemplates()
        let templates = try readTemplates()
        let interruption = Once<Void>()
        let failure = Once<LogError>()
        Signals.watch { interruption.fire(()) }
        Descriptors.allowMany()
        let host = try await ServiceHost.start(configuration(tls, failure)) { note($0.printable) }
        let watchdog = manager.watchdog.map { interval in
            Watchdog(host.service.engine.core, interval: interval) { [manager] in manager.alive() }
        }
        do {
            watchdog?.start()
            let files = settings.folder.map { folder in
                TemplateFiles(folder) { try await host.service.register($0, by: Operator.actor()) }
            }
            try await files?.add(templates)
            if host.service.engine.recovery.isNoteworthy { note(host.service.engine.recovery.description) }
            note(listening(host, isSecure: tls != nil))
            try await host.service.engine.startWorkers(settings.workers)
            host.service.enter(.ready)
            if settings.isHeld { note("held: nothing is given to workers until 'stepwell release'") }
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
            watchdog?.end()
            if interruption.hasFired { return .interrupted }
            throw error
        }
        let end = Once<LogError?>()
        interruption.then { end.fire(nil) }
        failure.then { end.fire($0) }
        if let error = await end.value {
            manager.stopping("the log has failed: \(error.message)")
            await host.stop(grace: .zero)
            watchdog?.end()
            throw error
        }
        let news = "stopping: running attempts may end within \(settings.grace) s"
        note(news + "; a second signal stops at once")
        manager.stopping(news)
        await host.stop(grace: .seconds(settings.grace))
        watchdog?.end()
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
        configuration.engine.isHeld = settings.isHeld
        configuration.released = { [manager] release in
            let reason = release.reason.map { ": \($0)" } ?? ""
            let news = "released by \(release.by.isEmpty ? "somebody" : release.by)\(reason)".printable
            note(news)
            manager.status(news)
        }
        configuration.engine.observers.notice = { note($0.printable) }
        configuration.engine.observers.storage = { [manager] error in
            note(error.map { "waiting: \($0.message)" } ?? "there is space again")
            manager.status(error.map { "waiting: \($0.message)" } ?? "there is space again")
        }
        configuration.engine.observers.failure = { failure.fire($0) }
        return configuration
    }

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
            note("certificate read again" + (expires.map { ", good until \($0)" } ?? ""))
        } catch { note("the certificate was not read again, the present one stays: \(error)") }
    }

    // MARK: What it says of itself

    private func listening(_ host: ServiceHost, isSecure: Bool) -> String {
        let scheme = isSecure ? "https" : "http"
        let places = host.places.map { place in
            if case .network(let address) = place { "\(scheme)://\(address)" } else { "\(place)" }
        }
        return "listening on " + (places + ["\(settings.store)/\(ServiceHost.socketName)"]).joined(separator: " and ")
    }

    func status(_ host: ServiceHost) -> String {
        let places = host.places.map(\.description).joined(separator: ", ")
        let state = host.service.engine.core.heldWorkerCount == nil ? "ready" : "held"
        return state + ", listening on " + (places.isEmpty ? ServiceHost.socketName : places)
    }
}
