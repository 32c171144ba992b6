import StepwellEngine
import StepwellModel
import StepwellSimulation
import Testing

/// A worker elsewhere that keeps to docs/worker-protocol.md, over a carrier that loses requests and answers, and repeats them.
struct LossyWorker {
    /// What it was told of a report, by its lease: true when it was taken.
    private(set) var told: [Int64: Bool] = [:]
    /// Attempts that it was given, in whichever session.
    private(set) var given: Set<Int64> = []
    /// How often it has begun a session.
    private(set) var sessions = 0

    private let name: String
    private var session: String?
    private var after: Int64 = 0
    private var number: Int64 = 0
    /// A delivery that nobody has answered yet.
    private var letter: Letter?
    private var running: [Int64] = []
    private var ended: [Int64] = []

    private struct Letter {
        var number: Int64
        var body: [UInt8]
        var leases: [Int64]
    }

    enum Carrier: CaseIterable {
        case carries
        case losesRequest
        case losesAnswer
        /// The connection ends while the answer is waited for.
        case breaksOff
        /// A request that was given up, and is heard beside the one in its place.
        case repeats
    }

    init(_ name: String) { self.name = name }

    var isIdle: Bool { running.isEmpty && ended.isEmpty && letter == nil }

    /// Its handlers end some of what they run.
    mutating func work(_ dice: inout SplitMix64) {
        while !running.isEmpty, dice.next() % 3 > 0 {
            ended.append(running.remove(at: Int(dice.next() % UInt64(running.count))))
        }
    }

    mutating func register(_ workers: RemoteWorkers) async throws {
        let body = #"{"type":"hello","protocol":1,"name":"\#(name)","handlers":[{"name":"h"}],"concurrency":3}"#
        let answer = await asked { workers.register(Array(body.utf8), owner: name, allowed: nil, $0) }
        session = try MessageReader(answer.get()).string("worker_id")
        (after, number, sessions) = (0, 0, sessions + 1)
        // What became of a delivery of the session before is not known: it is said once more.
        ended += letter?.leases ?? []
        letter = nil
    }

    /// Asks for attempts.
    mutating func poll(_ workers: RemoteWorkers, _ carrier: Carrier) async throws {
        guard let session else { return try await register(workers) }
        guard carrier != .losesRequest else { return }
        let wait = carrier == .breaksOff ? 1_000_000 : 0
        let body = Array(#"{"after":\#(after),"attempts_max":\#(3 - running.count),"wait_ms":\#(wait)}"#.utf8)
        guard carrier != .breaksOff else {
            workers.poll(session, owner: name, body) { _ in }?()
            // Before time passes.
            return await withCheckedContinuation { heard in workers.list { _ in heard.resume() } }
        }
        var answer = await asked { _ = workers.poll(session, owner: name, body, $0) }
        if carrier == .repeats { answer = await asked { _ = workers.poll(session, owner: name, body, $0) } }
        guard carrier != .losesAnswer, let reader = try read(answer) else { return }
        let next = try reader.integer("number")
        #expect(next == after || next == after + 1)
        let messages = try reader.elements("messages").map { try MessageReader(answer.get(), in: $0) }
        #expect(messages.isEmpty || next == after + 1, "an answer with messages has a number of its own")
        after = next
        for message in messages {
            let lease = Int64(try message.lease().rawValue)
            switch try message.string("type") {
            case "attempt":
                #expect(given.insert(lease).inserted, "the attempt \(lease) was given twice")
                running.append(lease)
            case "rejected": told[lease] = false
            case let other: Issue.record("nobody has asked for '\(other)'")
            }
        }
    }

    /// Says what has ended.
    mutating func deliver(_ workers: RemoteWorkers, _ carrier: Carrier) async throws {
        guard let session else { return try await register(workers) }
        if letter == nil {
            guard !ended.isEmpty else { return }
            let messages = ended.map { #"{"type":"result","lease":\#($0),"result":\#($0)}"# }.joined(separator: ",")
            letter = Letter(
                number: number + 1, body: Array(#"{"number":\#(number + 1),"messages":[\#(messages)]}"#.utf8),
                leases: ended)
            ended = []
        }
        guard carrier != .losesRequest, let letter else { return }
        var answer = await asked { workers.deliver(session, owner: name, letter.body, $0) }
        if carrier == .repeats {
            let again = await asked { workers.deliver(session, owner: name, letter.body, $0) }
            #expect(again == answer, "the same delivery has another answer")
            answer = again
        }
        guard carrier != .losesAnswer, carrier != .breaksOff, let reader = try read(answer) else { return }
        var rejected: Set<Int64> = []
        for range in try reader.elements("messages") {
            let message = try MessageReader(answer.get(), in: range)
            #expect(try message.string("type") == "rejected")
            rejected.insert(Int64(try message.lease().rawValue))
        }
        #expect(rejected.isSubset(of: letter.leases))
        for lease in letter.leases { told[lease] = !rejected.contains(lease) }
        number = letter.number
        self.letter = nil
    }

    /// The members of an answer; nil when the session is over.
    private mutating func read(_ answer: Result<[UInt8], RemoteError>) throws -> MessageReader? {
        if case .failure(.unknownWorker) = answer {
            session = nil
            return nil
        }
        return try MessageReader(answer.get())
    }

    private func asked(
        _ request: (@escaping RemoteWorkers.Answer) -> Void
    ) async -> Result<[UInt8], RemoteError> {
        await withCheckedContinuation { continuation in request { continuation.resume(returning: $0) } }
    }
}
