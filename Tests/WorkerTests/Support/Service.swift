import Foundation
import StepwellServer
import StepwellWorker

/// A server on a store in a temporary directory, in this process.
func withServer(_ body: (_ url: String) async throws -> Void) async throws {
    let folder = FileManager.default.temporaryDirectory.appending(path: "stepwell-worker-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    var configuration = ServiceHost.Configuration(store: folder.path(percentEncoded: false) + "/store")
    configuration.listen = ListenAddress("127.0.0.1:0")
    let host = try await ServiceHost.start(configuration)
    host.service.enter(.ready)
    do {
        try await body("http://\(host.places[0])")
        await host.stop(grace: .zero)
    } catch {
        await host.stop(grace: .zero)
        throw error
    }
}

/// The same with a worker for it, that drains at the end.
func withWorker(_ handlers: [HandlerFunction], _ body: (_ client: Client) async throws -> Void) async throws {
    try await withServer { url in
        let worker = try Worker(server: url, name: "tests", concurrency: 4)
        for handler in handlers { worker.register(handler) }
        async let work: Void = worker.run()
        do {
            try await body(try Client(url: url, initiator: "the tests"))
        } catch {
            worker.drain()
            try await work
            throw error
        }
        worker.drain()
        try await work
    }
}
