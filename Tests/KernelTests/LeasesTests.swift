import StepwellModel
import Testing

@testable import StepwellKernel

@Suite("The table of leases")
struct LeasesTests {
    private func entry(_ lease: UInt64, worker: UInt32 = 1) -> Leases.Entry {
        .init(
            lease: SequenceNumber(lease), worker: WorkerID(worker), task: TaskID(high: 1, low: lease), step: 0,
            attempt: 1, lane: 0)
    }

    private func leases(_ numbers: [UInt64]) -> Leases {
        var leases = Leases()
        for number in numbers { leases.insert(entry(number)) }
        return leases
    }

    @Test("What is held comes oldest first, in whatever order recovery brought it")
    func order() {
        let leases = leases([5, 9, 2, 7, 30, 1])
        #expect(leases.held.map(\.lease.rawValue) == [1, 2, 5, 7, 9, 30])
        #expect(leases.count == 6)
        #expect(leases[SequenceNumber(7)] == entry(7))
        #expect(leases[SequenceNumber(8)] == nil)
    }

    @Test("A lease is given back once, and tells its worker")
    func remove() {
        var leases = Leases()
        leases.insert(entry(3, worker: 8))
        #expect(leases.remove(SequenceNumber(3))?.worker == WorkerID(8))
        #expect(leases.remove(SequenceNumber(3)) == nil)
        #expect(leases.remove(SequenceNumber(4)) == nil)
        #expect(leases.count == 0)
        #expect(leases[SequenceNumber(3)] == nil)
    }

    @Test("However many come and go, those that stay are found")
    func manyComeAndGo() {
        var leases = Leases()
        for number in 1...10_000 as ClosedRange<UInt64> {
            leases.insert(entry(number))
            if number % 100 != 0 { _ = leases.remove(SequenceNumber(number)) }
        }
        #expect(leases.count == 100)
        #expect(leases.held.map(\.lease.rawValue) == (1...100).map { $0 * 100 })
        #expect(leases[SequenceNumber(5000)] != nil)
        #expect(leases[SequenceNumber(5001)] == nil)
    }

    @Test("With a worker goes what it was told to give up, and nothing that still has its say")
    func givenUp() {
        var leases = Leases()
        for (number, worker) in [(1, 1), (2, 1), (3, 2)] as [(UInt64, UInt32)] {
            leases.insert(entry(number, worker: worker))
        }
        leases.giveUp(SequenceNumber(1), because: .timedOut)
        leases.giveUp(SequenceNumber(3), because: .cancelled)
        #expect(leases.removeGivenUp { $0.worker == WorkerID(1) }.map(\.lease.rawValue) == [1])
        #expect(leases.held.map(\.lease.rawValue) == [2, 3])
        #expect(leases.held.map(\.givenUp) == [nil, .cancelled])
        #expect(leases.count == 2)
    }
}
