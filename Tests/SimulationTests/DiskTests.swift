import StepwellLog
import StepwellModel
import Testing

@testable import StepwellSimulation

@Suite("The simulated disk and the log on it")
struct DiskTests {
    private let disk = SimulatedDisk()

    private func powerFailure(_ seed: UInt64 = 1) {
        var random = SplitMix64(seed: seed)
        disk.restart(after: .power, &random)
    }

    @Test("What was synced is kept, also when a write over it is lost")
    func synced() throws {
        try disk.write([1, 2, 3, 4], at: 2)
        try disk.sync()
        powerFailure()
        #expect(disk.seen == [0, 0, 1, 2, 3, 4])
    }

    @Test("An unsynced write is kept by some failures, lost by some, torn by some")
    func fates() throws {
        var outcomes = Set<[UInt8]>()
        for seed in 0..<60 as Range<UInt64> {
            let disk = SimulatedDisk()
            try disk.write([UInt8](repeating: 1, count: 1024), at: 0)
            try disk.sync()
            try disk.write([UInt8](repeating: 2, count: 1024), at: 0)
            var random = SplitMix64(seed: seed)
            disk.restart(after: .power, &random)
            #expect(disk.seen.count == 1024)
            outcomes.insert([disk.seen[0], disk.seen[511], disk.seen[512], disk.seen[1023]])
        }
        #expect(outcomes.isSuperset(of: [[1, 1, 1, 1], [2, 2, 2, 2], [2, 2, 1, 1], [1, 1, 2, 2], [2, 1, 1, 1]]))
    }

    @Test("Of two writes to one place either may reach the disk last")
    func reordered() throws {
        var last = Set<UInt8>()
        for seed in 0..<60 as Range<UInt64> {
            let disk = SimulatedDisk()
            try disk.write([1], at: 0)
            try disk.write([2], at: 0)
            var random = SplitMix64(seed: seed)
            disk.restart(after: .power, &random)
            if let byte = disk.seen.first { last.insert(byte) }
        }
        #expect(last.isSuperset(of: [1, 2]))
    }

    @Test("When only the process dies nothing is lost")
    func process() throws {
        try disk.write([1], at: 0)
        var random = SplitMix64(seed: 1)
        disk.restart(after: .process, &random)
        #expect(disk.seen == [1])
    }

    @Test("The machine stops at the operation that was named, and stays so until it is started")
    func stops() throws {
        disk.stop(after: 2)
        try disk.write([1], at: 0)
        try disk.sync()
        #expect(throws: SimulatedDisk.Fault.stopped) { try disk.write([2], at: 0) }
        #expect(throws: SimulatedDisk.Fault.stopped) { try disk.sync() }
        powerFailure()
        try disk.write([3], at: 0)
        #expect(disk.seen == [3])
    }

    // MARK: The log

    private func batch(_ log: SimulatedLog, _ text: String) -> LogBatch {
        var batch = LogBatch()
        batch.events = [
            EventRecord(
                number: log.head.number.next, task: nil, taskNumber: 0, previous: .zero, time: .zero, actor: .engine,
                cause: .zero, event: .workerLeft(WorkerID(1), reason: text))
        ]
        return batch
    }

    private func reasons(_ log: SimulatedLog) throws -> [String] {
        var reasons: [String] = []
        try log.events(after: .zero, payloads: .included) { record in
            if case .workerLeft(_, let reason) = record.event { reasons.append(reason) }
            return true
        }
        return reasons
    }

    @Test("An empty disk is an empty log; what was appended is read back")
    func readBack() throws {
        let log = try SimulatedLog(disk)
        #expect(log.head == .empty)
        for text in ["a", String(repeating: "long ", count: 900), "c"] { try log.append(batch(log, text)) }
        powerFailure()
        let again = try SimulatedLog(disk)
        #expect(again.head == log.head)
        #expect(again.commits == log.commits)
        #expect(try reasons(again).map(\.count) == [1, 4500, 1])
    }

    @Test("Wherever the power fails in a commit, the log is the one before it or the one after it")
    func everyMoment() throws {
        for moment in 0..<12 {
            for seed in 0..<20 as Range<UInt64> {
                let disk = SimulatedDisk()
                let log = try SimulatedLog(disk)
                try log.append(batch(log, "first"))
                try log.append(batch(log, "second"))
                disk.stop(after: moment)
                let isWritten = (try? log.append(batch(log, String(repeating: "third", count: 500)))) != nil
                var random = SplitMix64(seed: seed)
                disk.restart(after: .power, &random)
                let count = try reasons(try SimulatedLog(disk)).count
                #expect(count == 3 || !isWritten && count == 2)
            }
        }
    }

    @Test("A commit that does not fit is not there, and can be written when there is space")
    func full() throws {
        let log = try SimulatedLog(disk)
        try log.append(batch(log, "first"))
        disk.isFull = true
        let second = batch(log, String(repeating: "second", count: 500))
        #expect(throws: LogError.diskFull(path: "simulated")) { try log.append(second) }
        #expect(try reasons(try SimulatedLog(disk)) == ["first"])
        disk.isFull = false
        try log.append(second)
        #expect(try reasons(try SimulatedLog(disk)).count == 2)
    }

    @Test("A changed byte is noticed")
    func damage() throws {
        let log = try SimulatedLog(disk)
        try log.append(batch(log, "first"))
        let place = HeadPage.framesStart + 40
        try disk.write([disk.seen[place] ^ 1], at: place)
        #expect(throws: LogError.self) { try SimulatedLog(disk) }
    }
}
