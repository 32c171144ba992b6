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
            previous = SHA256.hash(previous + batch.events.flatMap { encode($0) })
            #expect(log.head.hash == previous)
        }
        #expect(try verified(log) == log.head)
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
        while let (key, value) = commit {
            let last = SequenceNumber(key.bigEndian(at: 0))
            let record = try RowCodec.commit(last: last, from: value)
            var bytes = head.hash
            guard record.first == head.number.next else { throw LogError.corrupt("a gap", at: record.first) }
            while let (key, value) = event, key.bigEndian(at: 0) <= last.rawValue {
                bytes.append(contentsOf: value)
                event = try events.move(.next)
            }
            head = LogHead(number: last, time: record.time, hash: SHA256.hash(bytes))
            guard head.hash == record.hash else { throw LogError.corrupt("another hash", at: last) }
            commit = try commits.move(.next)
        }
        guard event == nil else { throw LogError.corrupt("an event behind the last commit", at: nil) }
        return head
    }
}
