import Foundation

/// The worker that Tests/WorkerConformance has of an SDK, as a process of its own.
final class RemoteWorker {
    private let child: Child

    private struct Entry: Decodable {
        var command: [String]
        var env: [String: String]?
        var build: String
    }

    init(_ sdk: String, port: Int, concurrency: Int, size: Size) throws {
        let root = "/" + URL(fileURLWithPath: #filePath).pathComponents.dropFirst().dropLast(5).joined(separator: "/")
        let table = try JSONDecoder().decode(
            [String: Entry].self,
            from: Data(contentsOf: URL(fileURLWithPath: root + "/Tests/WorkerConformance/sdks.json")))
        guard let entry = table[sdk] else { throw OptionError(message: "there is no SDK '\(sdk)'") }
        var command = entry.command
        // What only shows that it works may be built in any way.
        if size == .full { command[0] = command[0].replacing(".build/debug/", with: ".build/release/") }
        if command[0].contains("/"), access(root + "/" + command[0], X_OK) != 0 {
            throw OptionError(message: "there is no worker '\(command[0])'; tools/benchmark builds it")
        }
        child = try Child(
            command + ["--concurrency", "\(concurrency)"], in: root,
            environment: (entry.env ?? [:]).merging(["STEPWELL_URL": "http://127.0.0.1:\(port)"]) { $1 })
        let connection = try Connection(port: port)
        let deadline = ContinuousClock.now + .seconds(30)
        while try connection.workerCount() == 0 {
            guard child.isRunning, ContinuousClock.now < deadline else {
                throw OptionError(message: "the worker of \(sdk) does not come; \(entry.build)")
            }
            usleep(10_000)
        }
    }

    func stop() { child.stop() }
}
