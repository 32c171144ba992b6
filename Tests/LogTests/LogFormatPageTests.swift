import Foundation
import StepwellModel
import Testing

@testable import StepwellLog

/// `docs/log-format.md` says what is so.
struct LogFormatPageTests {
    private let page: String

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        page = try String(contentsOf: root.appendingPathComponent("docs/log-format.md"), encoding: .utf8)
    }

    @Test("every type of event has its row, with its number and name")
    func types() throws {
        let written = try rows(of: "Types").map { "\($0[0]) \(word($0[1]))" }
        #expect(written == EventType.allCases.map { "\($0.number) \($0.name)" })
    }

    @Test("the row of an event names the keys of its data", arguments: EventType.allCases)
    func keys(_ type: EventType) throws {
        let names = try Dictionary(
            uniqueKeysWithValues: rows(of: "Data").map { (try #require(UInt64($0[0])), word($0[1])) })
        let row = try #require(try rows(of: "Types").first { word($0[1]) == type.name })
        // What stands before a list of reasons, or a sentence.
        var expected = row[2].split(separator: "`", omittingEmptySubsequences: false).enumerated()
            .filter { $0.offset % 2 == 1 }.map { String($0.element) }
        if row[2].hasPrefix("attempt") { expected += ["step_index", "attempt", "lease", "worker"] }
        let found = try dataKeys(of: type).map { try #require(names[$0]) }
        // The frozen engine.started is one of an engine that works on all tasks, for no told reason; the frozen task.submitted is
        // no fork. Some keys came later.
        let absent: [EventType: [String]] = [
            .engineStarted: ["focus", "note", "rules"], .workerJoined: ["namespaces", "labels"],
            .attemptStarted: ["handler_version"], .taskSubmitted: ["forked_from", "adopted", "traceparent"],
        ]
        #expect(Set(found + absent[type, default: []]) == Set(expected))
    }

    @Test("the example is the frozen event")
    func example() throws {
        let hex = try #require(Golden.events[.attemptStarted])
        let lines = try #require(page.components(separatedBy: "An event, the `attempt.started`").last)
            .split(separator: "\n").filter { $0.hasPrefix("    ") }.prefix(14)
        // A line is its bytes, then what they say; only the bytes are hexadecimal throughout.
        let written = lines.map { line in
            line.split(separator: " ").prefix { $0.count.isMultiple(of: 2) && $0.allSatisfy(\.isHexDigit) }.joined()
        }
        #expect(written.joined() == hex)
    }

    /// The keys of the data that the frozen event of that type holds; every optional one but the absent ones is there.
    private func dataKeys(of type: EventType) throws -> [UInt64] {
        let hex = try #require(Golden.events[type])
        return try bytes(hex).withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            var found: [UInt64] = []
            var envelope = try reader.map()
            while let key = try reader.key(&envelope) {
                guard key == EventCodec.Envelope.data else {
                    try reader.skip()
                    continue
                }
                var data = try reader.map()
                while let key = try reader.key(&data) {
                    found.append(key)
                    try reader.skip()
                }
            }
            return found
        }
    }

    /// The cells of the first table under a heading.
    private func rows(of heading: String) throws -> [[String]] {
        let section = try #require(page.components(separatedBy: "# \(heading)\n").dropFirst().first)
        return section.components(separatedBy: "\n").drop { !$0.hasPrefix("|") }.prefix { $0.hasPrefix("|") }
            .dropFirst(2).map { row in
                row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
            }
    }

    private func word(_ cell: String) -> String { cell.replacingOccurrences(of: "`", with: "") }
}
