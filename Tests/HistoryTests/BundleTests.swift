import Foundation
import StepwellKernel
import StepwellLog
import StepwellModel
import Testing

@testable import StepwellHistory

@Suite("A run in a file")
struct BundleTests {
    private func export(_ night: WrittenStore, _ task: TaskID, _ pointers: [String] = []) throws -> [UInt8] {
        try #require(try RunBundle.export(task, from: night.log, redacting: pointers, version: "1")).text()
    }

    private func take(_ text: [UInt8], into path: String) throws -> [BundleImport.Outcome] {
        let bundles = try BundleImport(text)
        if FileManager.default.fileExists(atPath: path) {
            return try bundles.add(to: StoreEditor(path: path), path: path)
        }
        return try bundles.make(NewStore(at: path))
    }

    private func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? any StepwellError)?.code ?? "\(error)"
        }
    }

    @Test("Every task of a night goes out and comes in again, in any order", arguments: [1, 2] as [UInt64])
    func everyTask(seed: UInt64) throws {
        let night = try WrittenStore()
        try night.live(turns: 100, seed: seed)
        let path = night.sibling("imported")
        var known: [TaskID] = []
        for task in night.tasks.reversed() {
            guard let summary = try night.log.task(task) else { continue }
            let outcomes = try take(export(night, task), into: path)
            #expect(outcomes.map(\.bundle.task) == [task])
            #expect(outcomes.map(\.wasThere) == [false] && outcomes.map(\.unproven) == [0])
            known.append(task)
            let imported = try LMDBReader(path: path)
            #expect(try imported.task(task) == summary)
            #expect(try TaskReport.read(task, from: imported)?.json == TaskReport.read(task, from: night.log)?.json)
        }
        #expect(known.count > 20)
        let imported = try LMDBReader(path: path)
        try proveChain(imported)
        _ = try Verification.run(imported)
        #expect(try everything(imported) == everything(night.log).filter { $0.task != nil })
        #expect(
            try imported.tasks(matching: TaskFilter(), limit: 1000)
                == night.log.tasks(matching: TaskFilter(), limit: 1000))
        for key in 0..<4 {
            for template in [WrittenStore.diamond, WrittenStore.single] {
                let (space, name) = (template.namespace, template.name)
                #expect(
                    try imported.task(namespace: space, name: name, key: "key-\(key)")
                        == night.log.task(namespace: space, name: name, key: "key-\(key)"))
            }
        }
        // What was imported can be exported: the same file, but for where the log ends.
        let again = try #require(try RunBundle.export(known[0], from: imported, version: "1"))
        let first = try #require(try RunBundle.export(known[0], from: night.log, version: "1"))
        #expect(again.events == first.events && again.commits == first.commits && again.storeID == first.storeID)
        #expect(again.logLines == first.logLines && again.stateHash == first.stateHash)
    }

    @Test("An imported store is for reading")
    func readOnly() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.diamond)
        let path = night.sibling("imported")
        _ = try take(export(night, task), into: path)
        #expect(code { _ = try LMDBLog(path: path) } == "store_imported")
        #expect(try LMDBReader(path: path).openTasks().map(\.id) == [task])
        #expect(try take(export(night, task), into: path).map(\.wasThere) == [true])
        // What has happened since comes with the next bundle.
        try night.succeedAll()
        #expect(try take(export(night, task), into: path).map(\.wasThere) == [false])
        #expect(try LMDBReader(path: path).task(task)?.state == .complete)
        #expect(try LMDBReader(path: path).openTasks().isEmpty)
        try proveChain(LMDBReader(path: path))
    }

    @Test("The state hash is that of the events, and not of where they are folded")
    func stateHash() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.diamond)
        let running = try #require(try RunBundle.export(task, from: night.log, version: "1"))
        let same = try #require(try RunBundle.export(task, from: night.log, version: "2"))
        #expect(running.stateHash == same.stateHash && running.state == .inProgress)
        try night.succeedAll()
        let complete = try #require(try RunBundle.export(task, from: night.log, version: "1"))
        #expect(complete.stateHash != running.stateHash && complete.state == .complete)
        #expect(try RunBundle.export(TaskID(high: 1, low: 1), from: night.log, version: "1") == nil)
    }

    @Test("Redacted values are nowhere in the file, and the rest is still proven")
    func redaction() throws {
        let night = try WrittenStore()
        let task = try night.submit(
            WrittenStore.diamond,
            input: #"{"user": {"pass/word": "gehe\u0069m-1", "id": 7.50}, "list": ["x", "geheim-2"]}"#)
        try night.succeedAll(#"{"token": "geheim-3", "token": "geheim-4", "rows": 1e2}"#)
        let pointers = ["/user/pass~1word", "/list/1", "/token"]
        let text = try export(night, task, pointers)
        for secret in ["geheim", "gehe\\u0069m"] {
            #expect(!String(decoding: text, as: UTF8.self).contains(secret))
        }
        let bundle = try #require(try RunBundle.read(text).first)
        for event in bundle.events { #expect(!String(decoding: event.bytes, as: UTF8.self).contains("gehe")) }
        let types: [EventType] = [.taskSubmitted, .attemptSucceeded]
        let withValues = bundle.events.filter { types.contains($0.record.event.type) }
        #expect(withValues.count == 5 && withValues.allSatisfy { $0.isRedacted })
        let path = night.sibling("imported")
        #expect(try take(text, into: path).map(\.bundle.redacted) == [pointers])
        let imported = try LMDBReader(path: path)
        try proveChain(imported)
        _ = try Verification.run(imported)
        let report = try #require(try TaskReport.read(task, from: imported))
        #expect(
            report.submission.input.description
                == #"{"user":{"pass/word":"[redacted]","id":7.50},"list":["x","[redacted]"]}"#)
        #expect(report["a"]?.result?.description == #"{"token":"[redacted]","token":"[redacted]","rows":1e2}"#)
        // Exported again they are still marked.
        let again = try #require(try RunBundle.export(task, from: imported, version: "1"))
        #expect(try again.check().unproven == 0)
        #expect(again.events == bundle.events && again.stateHash == bundle.stateHash)

        for pointer in ["/nothing", "/list/01", "/list/2", "/user/id/x"] {
            #expect(code { _ = try export(night, task, [pointer]) } == "nothing_redacted", "\(pointer)")
        }
        #expect(code { _ = try export(night, task, ["token"]) } == "bad_pointer")
    }

    @Test("A file that was changed anywhere, or cut off, makes nothing")
    func damage() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.diamond, input: #"{"näme": "\u1F600"}"#)
        try night.fail(night.attempts[0].task, night.attempts[0].attempt)
        if let attempt = night.attempts.last { try night.say(attempt.task, attempt.attempt, "zeile") }
        try night.succeedAll()
        let text = try export(night, task)
        let path = night.sibling("imported")
        for length in stride(from: 0, to: text.count - 1, by: 97) {
            let found = code { _ = try take(Array(text[..<length]), into: path) }
            #expect(["bundle_truncated", "not_a_bundle"].contains(found), "\(length)")
        }
        for place in stride(from: 3, to: text.count - 1, by: 61) {
            var changed = text
            changed[place] ^= 1
            #expect(code { _ = try take(changed, into: path) } != nil, "\(place)")
        }
        for (from, to, expected) in [
            (#""version":1"#, #""version":2"#, "bundle_version"),
            (#""stepwell":"run""#, #""stepwell":"x""#, "not_a_bundle"),
        ] {
            let changed = String(decoding: text, as: UTF8.self).replacing(from, with: to, maxReplacements: 1)
            #expect(code { _ = try take(Array(changed.utf8), into: path) } == expected)
        }
        #expect(code { _ = try take(Array("{}\n".utf8), into: path) } == "not_a_bundle")
        #expect(code { _ = try take(Array("null\n".utf8), into: path) } == "not_a_bundle")
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("A file whose lines were forged with a right end does not pass")
    func forged() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.diamond)
        try night.succeedAll(#"{"rows": 3}"#)
        let genuine = try #require(try RunBundle.export(task, from: night.log, version: "1"))
        #expect(try genuine.check().summary == night.log.task(task))
        let path = night.sibling("imported")
        var forgeries: [RunBundle] = []
        // Another result, with its checksum made right.
        var forged = genuine
        let place = try #require(forged.events.firstIndex { $0.record.event.type == .attemptSucceeded })
        if case .attemptSucceeded(let attempt, _, _) = forged.events[place].record.event {
            forged.events[place].record.event = .attemptSucceeded(attempt, result: .null, metadata: nil)
        }
        var writer = CBORWriter()
        EventCodec.encode(forged.events[place].record, into: &writer)
        forged.events[place].bytes = writer.bytes
        forgeries.append(forged)
        // The same, called redacted without the run's hash.
        forged.events[place].isRedacted = true
        forgeries.append(forged)
        forged = genuine
        forged.events.removeLast()
        forgeries.append(forged)
        forged = genuine
        forged.commits.removeLast()
        forgeries.append(forged)
        forged = genuine
        forged.commits[0].hash[0] ^= 1
        forgeries.append(forged)
        forged = genuine
        forged.stateHash[0] ^= 1
        forgeries.append(forged)
        forged = genuine
        forged.state = .cancelled
        forgeries.append(forged)
        forged = genuine
        forged.logLines = [
            LogLine(task: task, step: 0, attempt: 1, lease: Lease(1), number: 0, time: .zero, level: .info, text: "x")
        ]
        forgeries.append(forged)
        for (number, forged) in forgeries.enumerated() {
            #expect(code { _ = try take(forged.text(), into: path) } == "bundle_corrupt", "\(number)")
        }
        #expect(!FileManager.default.fileExists(atPath: path))
    }

    @Test("What a line tells in JSON must be what its CBOR says, or it is refused with the line")
    func toldAlike() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.diamond, input: #"{"rows": 3, "näme": "é"}"#)
        try night.succeedAll(#"{"rows": 3}"#)
        let lines = String(decoding: try export(night, task), as: UTF8.self).split(separator: "\n").map(String.init)
        let path = night.sibling("imported")
        /// The file with one line changed, and a right end.
        func forge(_ from: String, _ to: String) throws -> String? {
            var changed = Array(lines.dropLast())
            let place = try #require(changed.firstIndex { $0.contains(from) })
            changed[place].replace(from, with: to, maxReplacements: 1)
            let text = Array(changed.joined(separator: "\n").utf8) + [0x0A]
            let end = #"{"end":{"lines":\#(changed.count),"sha256":"\#(hexadecimal(SHA256.hash(text)))"}}"#
            do {
                _ = try take(text + Array("\(end)\n".utf8), into: path)
                return nil
            } catch let error as BundleError { return error.message }
        }
        let differs = "tells something else in JSON than in CBOR, at"
        #expect(
            try forge(#""result":{"rows": 3}"#, #""result":{"rows": 4}"#)?.contains("\(differs) 'data/result'") == true)
        #expect(try forge(#""result":{"rows": 3}"#, #""result":{"rows": 3,"x":1}"#)?.contains("'data/result'") == true)
        #expect(try forge(#""rows": 3, "näme""#, #""rows": 5, "näme""#)?.hasPrefix("line 3: event #") == true)
        #expect(try forge(#""type":"task.completed""#, #""type":"task.cancelled""#)?.contains("'type'") == true)
        #expect(
            try forge(#""type":"task.completed""#, #""type":"task.cancelled","type":"task.completed""#)?.contains(
                "'type'") == true)
        #expect(try forge(#""step":"b""#, #""step":"c""#)?.contains("'data/step'") == true)
        #expect(
            try forge(#""max_attempts":2"#, #""max_attempts":9"#)?.contains("the template's content \(differs)") == true
        )
        #expect(try forge(#"{"event":{"#, #"{"event":{},"event":{"#) == "line 3: a member stands twice")
        #expect(!FileManager.default.fileExists(atPath: path))
        // What this version does not know is passed over, as the page says.
        #expect(try forge(#""type":"task.completed""#, #""type":"task.completed","mood":"fine""#) == nil)
    }

    @Test("A file is the one whose hash was noted, or nothing is made of it")
    func noted() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.diamond)
        let text = try export(night, task)
        let bundle = try #require(try RunBundle.read(text).first)
        #expect(throws: Never.self) { try BundleImport(text, against: SHA256.hash(text)) }
        #expect(throws: Never.self) { try BundleImport(text, file: [1, 2], against: SHA256.hash([1, 2])) }
        let zeros = [UInt8](repeating: 0, count: 32)
        #expect(throws: BundleError.other(found: SHA256.hash(text), noted: zeros)) {
            try BundleImport(text, against: zeros)
        }
        #expect(throws: BundleError.stateHash(task)) { try BundleImport(text, against: bundle.stateHash) }
        #expect(code { _ = try BundleImport([], against: zeros) } == "other_bundle")
    }

    @Test("In a store of imports a noted hash is not found because the log is not there, and it is said what it is")
    func verifyAgainst() throws {
        let night = try WrittenStore()
        let task = try night.submit(WrittenStore.diamond)
        try night.succeedAll()
        try night.submit(WrittenStore.single)
        try night.succeedAll()
        let text = try export(night, task)
        let bundle = try #require(try RunBundle.read(text).first)
        let path = night.sibling("imported")
        _ = try take(text, into: path)
        let imported = try LMDBReader(path: path)
        let report = try Verification.run(imported, against: bundle.commits[0].hash)
        #expect(report.isImported && report.absent > 0 && report.notedAt?.last == bundle.commits[0].last)
        #expect(try !Verification.run(night.log).isImported)
        #expect(throws: VerificationError.headOfTheLog(bundle.head)) {
            try Verification.run(imported, against: bundle.headHash)
        }
        #expect(throws: VerificationError.stateHash(task)) { try Verification.run(imported, against: bundle.stateHash) }
        #expect(throws: VerificationError.notInThisPart) {
            try Verification.run(imported, against: [UInt8](repeating: 7, count: 32))
        }
        #expect(throws: VerificationError.unknownHash) { try Verification.run(night.log, against: bundle.stateHash) }
    }

    @Test("A run goes only where its numbers are free")
    func foreign() throws {
        let (one, other) = (try WrittenStore(), try WrittenStore())
        let (first, second) = (try one.submit(WrittenStore.single), try other.submit(WrittenStore.single))
        #expect(code { _ = try take(export(one, first), into: other.path) } == "store_locked")
        other.log.endWriting()
        #expect(code { _ = try take(export(one, first), into: other.path) } == "foreign_bundle")
        let path = one.sibling("imported")
        _ = try take(export(one, first), into: path)
        #expect(code { _ = try take(export(other, second), into: path) } == "foreign_bundle")
        let both = try export(one, first) + export(other, second)
        #expect(code { _ = try take(both, into: one.sibling("both")) } == "foreign_bundle")
        #expect(!FileManager.default.fileExists(atPath: one.sibling("both")))
        // The store that it is from has it.
        let text = try export(one, first)
        one.log.endWriting()
        #expect(try take(text, into: one.path).map(\.wasThere) == [true])
        // Two of one store in one file.
        let third = try WrittenStore()
        let tasks = [try third.submit(WrittenStore.single), try third.submit(WrittenStore.diamond)]
        let outcomes = try take(tasks.flatMap { try export(third, $0) }, into: third.sibling("imported"))
        #expect(outcomes.map(\.bundle.task) == tasks)
    }

    @Test("Bytes and base64 are each other's", arguments: 0...70)
    func base64(count: Int) throws {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 167 &+ 41) }
        let text = Base64.encode(bytes)
        #expect(text == Data(bytes).base64EncodedString())
        #expect(Base64.decode(text) == bytes)
        #expect(Base64.decode(text + "=") == nil)
        if count % 3 == 1 { #expect(Base64.decode(String(text.dropLast(3)) + "/==") == nil) }
    }
}
