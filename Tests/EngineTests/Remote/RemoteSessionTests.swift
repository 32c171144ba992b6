import StepwellEngine
import StepwellKernel
import StepwellLog
import StepwellModel
import StepwellSimulation
import Testing

/// Sessions of workers elsewhere over a carrier that loses, repeats and delays, with workers that are silent for longer than their lease
/// and engines that begin anew. Chance decides, by a seed; time passes when the test says so.
@Suite("Sessions of workers elsewhere", .timeLimit(.minutes(2)))
struct RemoteSessionTests {
    private static let tasks: UInt64 = 12
    static let lease = Milliseconds.seconds(10)

    /// The service, as far as workers know it.
    final class Place {
        let bench: EngineBench
        let reactor = Reactor(clock: .stepped)
        let workers: RemoteWorkers

        init(_ log: any EventLog) throws {
            bench = try EngineBench(log)
            workers = RemoteWorkers(host: bench.engine, reactor: reactor, lease: lease)
        }

        func pass(_ time: Milliseconds) {
            reactor.advance(by: time)
            bench.clock.pass(time)
        }

        func end() async {
            await bench.engine.stop()
            reactor.stop()
        }
    }

    @Test(
        "Nothing is given twice, lost, or told otherwise than the log has it", arguments: 1...60 as ClosedRange<UInt64>)
    func lossy(seed: UInt64) async throws {
        var dice = SplitMix64(seed: seed)
        let log = MemoryLog()
        var place = try Place(log)
        for number in 0..<Self.tasks { try await place.bench.submit(number, .chain(3)) }
        var workers = ["a", "b", "c"].map(LossyWorker.init)
        for _ in 0..<200 {
            let who = Int(dice.next() % 3)
            // Half of all goes well.
            let carrier = LossyWorker.Carrier.allCases.randomElement(using: &dice) ?? .carries
            let way = dice.next() % 2 == 0 ? .carries : carrier
            switch dice.next() % 20 {
            case 0..<9: try await workers[who].poll(place.workers, way)
            case 9..<16: try await workers[who].deliver(place.workers, way)
            case 16, 17: place.pass(Milliseconds(200))
            case 18: place.pass(Milliseconds(Self.lease.rawValue / 2))
            default:
                guard dice.next() % 4 == 0 else { continue }
                await place.end()
                place = try Place(log)
            }
            workers[who].work(&dice)
        }
        try await finish(&workers, place, &dice)
        await place.end()
        try check(workers, log)
    }

    /// From now on all goes well, until everything is done.
    private func finish(_ workers: inout [LossyWorker], _ place: Place, _ dice: inout SplitMix64) async throws {
        for _ in 0..<5000 {
            for who in workers.indices {
                try await workers[who].poll(place.workers, .carries)
                workers[who].work(&dice)
                try await workers[who].deliver(place.workers, .carries)
            }
            place.pass(Milliseconds(100))
            let open = try await place.bench.engine.ask { $0.openTaskCount }
            if open == 0, workers.allSatisfy(\.isIdle) { return }
            await Task.yield()
        }
        Issue.record("something waits for ever")
    }

    private func check(_ workers: [LossyWorker], _ log: MemoryLog) throws {
        var succeeded: Set<Int64> = []
        var refused: Set<Int64> = []
        var completed = 0
        try log.events(after: .zero, payloads: .included) { record in
            switch record.event {
            case .attemptSucceeded(let attempt, let result, _):
                #expect(result.description == "\(attempt.lease.rawValue)")
                #expect(succeeded.insert(Int64(attempt.lease.rawValue)).inserted)
            case .resultRejected(let attempt, _): refused.insert(Int64(attempt.lease.rawValue))
            case .taskCompleted: completed += 1
            default: break
            }
            return true
        }
        #expect(completed == Int(Self.tasks) && succeeded.count == Int(Self.tasks) * 3)
        for (lease, isTaken) in workers.flatMap(\.told) {
            // What was taken, and told once more since nobody had heard so, is refused as a duplicate.
            if isTaken { #expect(succeeded.contains(lease)) } else { #expect(refused.contains(lease)) }
        }
        #expect(succeeded.isSubset(of: workers.reduce([]) { $0.union($1.told.keys) }))
        #expect(
            workers.reduce(0) { $0 + $1.given.count } == workers.reduce(into: Set()) { $0.formUnion($1.given) }.count)
        #expect(workers.reduce(0) { $0 + $1.sessions } > 3 || refused.isEmpty)
    }
}
