import StepwellEngine
import StepwellLog
import StepwellModel
import Testing

/// A worker that was killed while it waited for attempts: its connection ends, and nothing more is heard of it.
@Suite("A poll that broke off", .timeLimit(.minutes(1)))
struct BrokenPollTests {
    private let log = MemoryLog()
    private let place: RemoteSessionTests.Place
    /// Long enough for whoever does not come back, and far from the end of a lease.
    private let grace = Milliseconds(RemoteSessionTests.lease.rawValue / 10)

    init() throws { place = try RemoteSessionTests.Place(log) }

    private func sessions() async -> [RemoteWorkerReport] {
        await withCheckedContinuation { continuation in place.workers.list { continuation.resume(returning: $0) } }
    }

    /// Polls until the worker has been given so many attempts, as long as nobody's lease runs out.
    private func give(_ count: Int, to worker: inout LossyWorker) async throws {
        for _ in 0..<2000 where worker.given.count < count {
            try await worker.poll(place.workers, .carries)
            place.pass(Milliseconds(1))
            await Task.yield()
        }
        #expect(worker.given.count == count)
    }

    @Test("its attempts go to another worker long before its lease is over")
    func killed() async throws {
        var (killed, other) = (LossyWorker("killed"), LossyWorker("other"))
        try await killed.register(place.workers)
        try await killed.poll(place.workers, .breaksOff)
        try await place.bench.submit(1, .chain(1))
        #expect(await sessions().map(\.held) == [1])
        try await other.register(place.workers)
        place.pass(grace)
        try await give(1, to: &other)
        #expect(await sessions().map(\.held) == [1])
        var reasons: [String] = []
        try log.events(after: .zero, payloads: .included) { record in
            if case .workerLeft(_, let reason) = record.event { reasons.append(reason) }
            return true
        }
        #expect(reasons == ["it broke its poll off and did not ask again for 666 ms"])
        await place.end()
    }

    @Test("a worker that runs attempts keeps them until its lease is over")
    func atWork() async throws {
        var worker = LossyWorker("worker")
        try await place.bench.submit(1, .chain(1))
        try await worker.register(place.workers)
        try await give(1, to: &worker)
        try await worker.poll(place.workers, .breaksOff)
        place.pass(grace)
        #expect(await sessions().map(\.held) == [1])
        place.pass(RemoteSessionTests.lease)
        place.pass(RemoteSessionTests.lease)
        while !(await sessions().isEmpty) { await Task.yield() }
        await place.end()
    }

    @Test("a worker that asks again in time is still there")
    func back() async throws {
        var worker = LossyWorker("worker")
        try await worker.register(place.workers)
        try await worker.poll(place.workers, .breaksOff)
        try await worker.poll(place.workers, .carries)
        place.pass(grace)
        #expect(await sessions().count == 1)
        try await place.bench.submit(1, .chain(1))
        try await give(1, to: &worker)
        #expect(worker.sessions == 1)
        await place.end()
    }
}
