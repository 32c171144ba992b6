import Foundation

/// What a user might take instead, with the same work, on the same disk, in the same run: DBOS, in Python.
struct DBOSPipeline: Benchmark {
    enum Database: String { case sqlite, postgresql }

    let database: Database

    var name: String { "dbos_\(database)" }
    var summary: String { "8-step workflows of DBOS on \(database), Python; needs STEPWELL_PEERS_PYTHON" }

    private struct Figures: Decodable { var rate, p50, p99: Double }

    /// A Python that has DBOS; tools/benchmark makes one.
    static var python: String? { ProcessInfo.processInfo.environment["STEPWELL_PEERS_PYTHON"] }

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        guard let python = Self.python else {
            throw OptionError(message: "STEPWELL_PEERS_PYTHON names no Python with DBOS; tools/benchmark makes one")
        }
        let peers =
            "/" + URL(fileURLWithPath: #filePath).pathComponents.dropFirst().dropLast(4).joined(separator: "/")
            + "/peers"
        let script = [python, peers + "/dbos_pipeline.py"]
        let command =
            switch database {
            case .sqlite: script + ["sqlite:///\(scratch.path)/dbos.sqlite"]
            case .postgresql: [peers + "/postgresql", scratch.path] + script
            }
        let sizes = [size(500, quick: 10), size(100, quick: 5), 16].map(String.init)
        let child = try Child(command + sizes, in: scratch.path, reads: 1)
        var text = Data()
        let output = FileHandle(fileDescriptor: child.output, closeOnDealloc: true)
        while case let bytes = output.availableData, !bytes.isEmpty { text += bytes }
        child.wait()
        guard let line = text.split(separator: UInt8(ascii: "\n")).last else {
            throw OptionError(message: "DBOS on \(database) has printed nothing")
        }
        let figures = try JSONDecoder().decode(Figures.self, from: Data(line))
        return [
            Sample("rate", "steps/s", figures.rate, moreIsBetter: true),
            Sample("one workflow alone, p50", "ms", figures.p50, moreIsBetter: false),
            Sample("one workflow alone, p99", "ms", figures.p99, moreIsBetter: false),
        ]
    }
}
