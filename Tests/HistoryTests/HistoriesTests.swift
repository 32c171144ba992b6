import Foundation
import StepwellEngine
import StepwellHistory
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

/// Logs that each released format has written, and what was read from them then: `Tests/Histories/make.py` has made them.
@Suite("Histories of earlier formats")
struct HistoriesTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("../Histories")

    /// What `expected.json` says.
    private struct Expected: Decodable {
        struct Task: Decodable {
            var task_id: String
            var state: String
            var state_hash: String
            var events: Int
            var steps: [String: String]
        }

        var events: Int
        var commits: Int
        var head_hash: String
        var types: [String]
        var tasks: [Task]

        var openCount: Int { tasks.count { !["complete", "cancelled"].contains($0.state) } }
    }

    private let scratch = ScratchStore()

    /// A copy of the history, since even a reader writes beside it.
    private func copy(_ name: String) throws -> Expected {
        let history = Self.folder.appendingPathComponent(name)
        try FileManager.default.createDirectory(atPath: scratch.path, withIntermediateDirectories: true)
        try FileManager.default.copyItem(
            atPath: history.appendingPathComponent("data.mdb").path, toPath: scratch.path + "/data.mdb")
        return try JSONDecoder().decode(
            Expected.self, from: Data(contentsOf: history.appendingPathComponent("expected.json")))
    }

    @Test("there is a history of every format")
    func all() throws {
        let found = try FileManager.default.contentsOfDirectory(atPath: Self.folder.path)
            .filter { $0.hasPrefix("format-") }.sorted()
        #expect(found == (1...StoreInfo.format).map { "format-\($0)" })
    }

    @Test("verifies, folds, and says what it said then", arguments: ["format-1", "format-2"])
    func reads(_ name: String) throws {
        let expected = try copy(name)
        let reader = try LMDBReader(path: scratch.path)
        let report = try Verification.run(reader)
        #expect(report.hash == expected.head_hash)
        #expect((report.events, report.commits) == (expected.events, expected.commits))
        #expect((report.tasks, report.tasksOpen) == (expected.tasks.count, expected.openCount))
        #expect(try Replay.fold(store: scratch.path).tasksOpen == expected.openCount)
        var types: Set<String> = []
        try reader.events(after: .zero, payloads: .included) {
            types.insert($0.event.type.name)
            return true
        }
        #expect(types.sorted() == expected.types)
        for task in expected.tasks {
            let id = try #require(TaskID(task.task_id))
            let summary = try #require(try reader.task(id))
            let report = try #require(try TaskReport.read(id, from: reader))
            #expect((summary.state.name, Int(summary.eventCount)) == (task.state, task.events))
            #expect(Dictionary(uniqueKeysWithValues: report.steps.map { ($0.name, $0.state.name) }) == task.steps)
            let bundle = try #require(try RunBundle.export(id, from: reader, version: "later"))
            #expect(hexadecimal(bundle.stateHash) == task.state_hash)
        }
    }

    @Test(
        "is taken up by the present engine, and becomes a store of the present format",
        arguments: ["format-1", "format-2"])
    func continues(_ name: String) throws {
        let expected = try copy(name)
        do {
            let log = try LMDBLog(path: scratch.path)
            let (state, _) = try Recovery.fold(log)
            #expect(state.openTaskCount == expected.openCount)
            let loop = Loop(state: state, log: log, at: .zero)
            let start = EngineStart(version: "later", processID: 1, host: "here")
            let reading = ClockReading(wall: log.head.time, monotonic: .zero)
            try loop.turn([.command(.startEngine(start), by: .engine, answer: nil)], at: reading)
            #expect(log.head.number.rawValue > UInt64(expected.events))
            log.endWriting()
        }
        let report = try Verification.run(LMDBReader(path: scratch.path))
        #expect(report.tasksOpen == expected.openCount)
        // CBOR of a small number is the number.
        #expect(try scratch.rows("meta").first { $0.key == Array("format".utf8) }?.value == [UInt8(StoreInfo.format)])
    }
}
