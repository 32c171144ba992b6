import Foundation
import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel
import Testing

@testable import StepwellServer

/// What streams of the whole log share is what each would have read by itself.
@Suite struct EventWindowTests {
    /// Everything that follows a number, in as many pieces as it takes.
    private func all(after number: SequenceNumber, _ window: EventWindow) throws -> [UInt8]? {
        var (bytes, last) = ([UInt8](), number)
        while true {
            guard let next = try window.events(after: last) else { return nil }
            if next.bytes.isEmpty { return bytes }
            bytes += next.bytes
            last = next.last
        }
    }

    private func read(after number: SequenceNumber, _ store: LMDBLog) throws -> [UInt8] {
        var lines = try EventLines(.json, from: store)
        var (bytes, last) = ([UInt8](), number)
        while case let page = try EventPage(store, task: nil, after: last, .all, &lines), page.count > 0 {
            bytes += page.bytes
            last = page.last
        }
        return bytes
    }

    private func withStore(_ body: (Engine) async throws -> Void) async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "stepwell-window-\(UUID().uuidString)")
        defer { try? FileManager.default.removeItem(at: folder) }
        let engine = try await Engine.open(folder.path(percentEncoded: false))
        do { try await body(engine) } catch {
            await engine.stop()
            throw error
        }
        await engine.stop()
    }

    private let template = Template(
        namespace: "tests", name: "waits", version: "1",
        steps: (0..<40).map { StepTemplate(name: "s\($0)", handler: .callable("nobody")) })

    @Test func itIsWhatEachWouldRead() async throws {
        try await withStore { engine in
            let window = try EventWindow(engine.store)
            for _ in 0..<10 { _ = try await engine.submit(template) }
            let head = engine.store.head.number
            #expect(head.rawValue > 256)
            // The first who asks sets where it begins.
            for number in [1, 2, 255, 256, 257, head.rawValue - 1, head.rawValue] {
                let number = SequenceNumber(number)
                #expect(try all(after: number, window) == read(after: number, engine.store))
            }
            _ = try await engine.submit(template)
            #expect(try all(after: head, window) == read(after: head, engine.store))
        }
    }

    @Test func whoIsBehindReadsTheLog() async throws {
        try await withStore { engine in
            let window = try EventWindow(engine.store, bytesMax: 1)
            for _ in 0..<10 { _ = try await engine.submit(template) }
            let head = engine.store.head.number
            #expect(try all(after: SequenceNumber(0), window)?.isEmpty == false)
            // Of what it has read only the last page is kept.
            #expect(try window.events(after: SequenceNumber(0)) == nil)
            #expect(
                try all(after: SequenceNumber(head.rawValue - 1), window)
                    == read(after: SequenceNumber(head.rawValue - 1), engine.store))
        }
    }

    @Test func whoAsksForTheFutureTakesItFromNobody() async throws {
        try await withStore { engine in
            let window = try EventWindow(engine.store)
            _ = try await engine.submit(template)
            let head = engine.store.head.number
            #expect(try all(after: SequenceNumber(0), window)?.isEmpty == false)
            #expect(try window.events(after: SequenceNumber(head.rawValue + 1)) == nil)
            #expect(try all(after: SequenceNumber(0), window) == read(after: SequenceNumber(0), engine.store))
        }
    }
}
