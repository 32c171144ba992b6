import Foundation
import StepwellModel
import Testing

@testable import StepwellLog

struct HashChainTests {
    @Test("SHA-256 gives the standard's own answers, one after the other from the same context")
    func vectors() {
        var hasher = SHA256()
        hasher.update(Array("abc".utf8))
        #expect(hexadecimal(hasher.finish()) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(hexadecimal(hasher.finish()) == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        hasher.update(Array("a".utf8))
        hasher.update(Array("bc".utf8))
        #expect(hexadecimal(hasher.finish()) == hexadecimal(SHA256.hash(Array("abc".utf8))))
    }

    @Test("each commit's hash is that of the one before and of the bytes of its events")
    func recomputed() throws {
        let directory = TemporaryDirectory()
        let log = try LMDBLog(path: directory.store)
        var generator = SeededGenerator(seed: 1)
        var story = Story()
        var previous = HashChain.origin
        for size in [1, 5, 64, 2, 300] {
            for _ in 0..<size { story.add(generator.event(EventType.allCases.randomElement(using: &generator)!)) }
            let batch = story.take()
            try log.append(batch)
            previous = SHA256.hash(previous + runs(batch.events).flatMap { SHA256.hash($0.flatMap(encode)) })
            #expect(log.head.hash == previous)
        }
        #expect(try verified(log) == log.head)
    }

    private func runs(_ events: [EventRecord]) -> [[EventRecord]] {
        var runs: [[EventRecord]] = []
        for event in events {
            if runs.last?.last?.task == event.task, !runs.isEmpty {
                runs[runs.count - 1].append(event)
            } else {
                runs.append([event])
            }
        }
        return runs
    }

    @Test("a commit's hash can be had with a run's hash in place of its events, in either form of old and new")
    func withoutOneRun() throws {
        let (a, b) = (TaskID(high: 1, low: 1), TaskID(high: 1, low: 2))
        let events: [(TaskID?, [UInt8])] = [(nil, [1]), (a, [2]), (a, [3]), (b, [4]), (a, [5]), (nil, [6]), (nil, [7])]
        var hasher = CommitHasher()
        func whole(_ form: HashChain.Form) -> [UInt8] {
            hasher.begin(after: HashChain.origin, form: form)
            for (task, bytes) in events { bytes.withRawBytes { hasher.add($0, of: task) } }
            return hasher.finish()
        }
        #expect(whole(.flat) == SHA256.hash(HashChain.origin + [1, 2, 3, 4, 5, 6, 7]))
        let hash = whole(.runs)
        let hashes = [[1], [2, 3], [4], [5], [6, 7]].map { SHA256.hash($0) }
        #expect(hash == SHA256.hash(HashChain.origin + hashes.flatMap(\.self)))
        // All but the run of b, with another task's runs on both of its sides.
        hasher.begin(after: HashChain.origin, form: .runs)
        for (task, bytes) in events[..<3] { bytes.withRawBytes { hasher.add($0, of: task) } }
        hasher.add(run: hashes[2])
        for (task, bytes) in events[4...] { bytes.withRawBytes { hasher.add($0, of: task) } }
        #expect(hasher.finish() == hash)
    }
}

/// Walks a store's commits and computes every hash anew from the bytes that lie there.
func verified(_ log: some StoreQueries) throws -> LogHead {
    let tables = log.environment.tables
    return try log.environment.read { transaction throws(LogError) in
        let commits = try transaction.cursor(tables.commits)
        let events = try transaction.cursor(tables.events)
        var head = LogHead.empty
        var commit = try commits.move(.first)
        var event = try events.move(.first)
        var hasher = CommitHasher()
        while let (key, value) = commit {
            let last = SequenceNumber(key.bigEndian(at: 0))
            let record = try RowCodec.commit(last: last, from: value)
            hasher.begin(after: head.hash, form: record.form)
            guard record.first == head.number.next else { throw LogError.corrupt("a gap", at: record.first) }
            while let (key, value) = event, key.bigEndian(at: 0) <= last.rawValue {
                let number = SequenceNumber(key.bigEndian(at: 0))
                hasher.add(value, of: try EventCodec.decode(value, number: number, payloads: .skipped).task)
                event = try events.move(.next)
            }
            head = LogHead(number: last, time: record.time, hash: hasher.finish())
            guard head.hash == record.hash else { throw LogError.corrupt("another hash", at: last) }
            commit = try commits.move(.next)
        }
        guard event == nil else { throw LogError.corrupt("an event behind the last commit", at: nil) }
        return head
    }
}
