import StepwellLog
import StepwellModel

/// One session of a worker elsewhere: what it was given, what waits for it, and what it has said last.
///
/// Messages to the worker wait in `attempts` and `news` until it polls. An answer is kept until the next poll says that it was
/// read, so a broken connection loses nothing; a delivery is known by its number, so a repeated one counts once.
// Touched by the reactor's thread only, but for what the engine calls as `AttemptRunner`.
final class RemoteWorker: AttemptRunner, @unchecked Sendable {
    typealias Answer = @Sendable (Result<[UInt8], RemoteError>) -> Void

    final class Poll: Sendable {
        let attemptsMax: Int
        /// How long it waits, in milliseconds.
        let wait: Int64
        let answer: Answer

        init(attemptsMax: Int, wait: Int64, answer: @escaping Answer) {
            (self.attemptsMax, self.wait, self.answer) = (attemptsMax, wait, answer)
        }
    }

    let id: String
    /// Who may speak in this session.
    let owner: String
    let worker: WorkerID
    let name: String
    let hello: RemoteHello
    unowned let registry: RemoteWorkers
    private(set) var leases = HeldLeases()
    private var attempts: [Assignment] = []
    /// Cancellations, rejections, a drain.
    private(set) var news: [[UInt8]] = []
    private var sent = (number: 0, body: [UInt8]())
    private var isSentRead = true
    private(set) var poll: Poll?
    private var pollEnd: Int64 = 0
    var delivery = Delivery()
    private var isFlushing = false
    private(set) var isGone = false
    private var isDraining = false
    /// On the reactor's clock, in nanoseconds.
    private(set) var heard: Int64 { didSet { brokeOff = nil } }
    /// When the connection of its poll ended without an answer, if nothing was heard since.
    private var brokeOff: Int64?

    /// An answer holds little more than this and its largest attempt, however many a worker can run.
    static let answerBytesMax = 16 << 20

    var fetches = Fetches()

    /// The last delivery: what came of it is told once more to whoever repeats it.
    struct Delivery {
        var number = 0
        var replies: [[UInt8]] = []
        var fetchedBytes = 0
        /// Confirmations that are still to come.
        var pending = 0
        var answers: [Answer] = []
        var failure: RemoteError?
    }

    init(id: String, owner: String, worker: WorkerID, name: String, hello: RemoteHello, registry: RemoteWorkers) {
        self.id = id
        self.owner = owner
        self.worker = worker
        self.name = name
        self.hello = hello
        self.registry = registry
        heard = registry.reactor.now
    }

    var heldCount: Int { leases.running.count }

    // MARK: From the engine, on any thread

    func run(_ assignment: Assignment) { registry.reactor.perform { self.enqueue(assignment) } }
    func stop(_ lease: Lease, because reason: StopReason) { registry.reactor.perform { self.cancel(lease, reason) } }

    func rejected(_ lease: Lease, because reason: RejectedResult.Reason) {
        registry.reactor.perform { self.reject(lease, reason.name) }
    }

    /// The server stops, not the worker: it comes back by itself, and what it runs may still be reported.
    func drain() {}

    // MARK: Whether it is there

    /// The connection of a poll has ended without an answer. A process that was killed leaves nothing else behind.
    func breakOff(_ poll: Poll) {
        // Whoever has polled again has broken off the first poll.
        guard self.poll === poll else { return }
        self.poll = nil
        brokeOff = registry.reactor.now
    }

    /// Why it counts as gone, if it does. One that has none of its attempts yet loses nothing when it was only slow: it registers
    /// again, and what was meant for it is done by others meanwhile.
    func reasonOfAbsence(at now: Int64) -> String? {
        if now - heard > registry.lease.rawValue * 1_000_000 { return "was not heard of for \(registry.lease)" }
        guard let brokeOff, now - brokeOff > registry.grace.rawValue * 1_000_000, attempts.count == heldCount
        else { return nil }
        return "broke its poll off and did not ask again for \(registry.grace)"
    }

    // MARK: What waits for the worker

    private func enqueue(_ assignment: Assignment) {
        // An attempt for a worker that is gone goes with it: the engine hears of its leaving.
        guard !isGone else { return }
        leases.begin(assignment)
        attempts.append(assignment)
        flushSoon()
    }

    private func cancel(_ lease: Lease, _ reason: StopReason) {
        guard case .running = leases[lease] else { return }
        leases.toldToStop(lease)
        // An attempt that the worker has not seen needs no cancelling.
        if let place = attempts.firstIndex(where: { $0.attempt.lease == lease }) {
            let assignment = attempts.remove(at: place)
            leases.end(lease)
            return registry.host.finish(assignment, .stopped)
        }
        tell(EngineMessage.cancel(lease, because: reason))
    }

    private func reject(_ lease: Lease, _ reason: String) {
        // Workers are numbered anew at each start of the engine: a lease of the time before may have been that of another one with
        // the same number, and whoever reported on it has its answer.
        if case .unknown = leases[lease] { return }
        let message = EngineMessage.rejected(lease, because: reason)
        if delivery.pending > 0 { delivery.replies.append(message) } else { tell(message) }
    }

    /// Once is enough, however often somebody says so.
    func beginDrain() {
        guard !isDraining else { return }
        isDraining = true
        tell(EngineMessage.drain)
    }

    func tell(_ message: [UInt8]) {
        guard !isGone else { return }
        news.append(message)
        flushSoon()
    }

    /// At the end of the turn, so that all attempts of one commit go in one answer.
    private func flushSoon() {
        guard poll != nil, !isFlushing else { return }
        isFlushing = true
        registry.reactor.atEndOfTurn {
            self.isFlushing = false
            self.flush()
        }
    }

    private func flush() {
        guard let poll else { return }
        guard !attempts.isEmpty && poll.attemptsMax > 0 || !news.isEmpty else { return }
        var messages = news
        news = []
        var (taken, bytes) = (0, 0)
        for assignment in attempts.prefix(poll.attemptsMax) {
            // The rest comes with the next answer.
            guard bytes < Self.answerBytesMax else { break }
            taken += 1
            if let failure = assignment.resolveSecrets() {
                leases.end(assignment.attempt.lease)
                registry.host.finish(assignment, .failed(failure))
                continue
            }
            do throws(LogError) {
                let message = try EngineMessage.attempt(assignment, limits: registry.host.limits)
                bytes += message.count
                messages.append(message)
            } catch {
                leases.end(assignment.attempt.lease)
                registry.host.finish(
                    assignment, .failed(Failure(message: error.message, errorType: error.code)))
            }
        }
        attempts.removeFirst(taken)
        sent = (sent.number + 1, Self.body(number: sent.number + 1, messages))
        isSentRead = false
        answerPoll(sent.body)
    }

    private func answerPoll(_ body: [UInt8]) {
        let answer = poll?.answer
        poll = nil
        answer?(.success(body))
    }

    // MARK: Requests

    func take(_ poll: Poll, after: Int) {
        heard = registry.reactor.now
        // A worker that broke a poll off and asked again may be heard in the other order. Nobody waits for the old one.
        if after < sent.number - 1 || (after == sent.number - 1 && isSentRead) {
            return poll.answer(.failure(.malformed(Self.text(after, sent.number))))
        }
        // Whoever polls again has given the first poll up.
        answerPoll(Self.body(number: isSentRead ? sent.number : sent.number - 1, []))
        if after == sent.number {
            isSentRead = true
            sent.body = []
        } else if after == sent.number - 1 {
            return poll.answer(.success(sent.body))
        } else {
            let error = RemoteError.malformed(Self.text(after, sent.number))
            registry.end(self, error.message)
            return poll.answer(.failure(error))
        }
        self.poll = poll
        pollEnd = heard + poll.wait * 1_000_000
        flush()
        fetchNext()
        endPoll(at: registry.reactor.now)
    }

    private static func text(_ after: Int, _ last: Int) -> String {
        "'after' is \(after), but the last answer had the number \(last)"
    }

    /// Answers a poll whose time is over.
    func endPoll(at now: Int64) {
        if poll != nil, pollEnd <= now { answerPoll(Self.body(number: sent.number, [])) }
    }

    func take(_ messages: [WorkerMessage], number: Int, _ answer: @escaping Answer) {
        heard = registry.reactor.now
        if number == delivery.number {
            delivery.answers.append(answer)
            return answerDelivery()
        }
        guard number == delivery.number + 1, delivery.pending == 0 else {
            let error = RemoteError.malformed(
                "the delivery has the number \(number), but the last one had \(delivery.number)")
            // An old one has been given up and sent again: it was heard late, and changes nothing.
            if number > delivery.number { registry.end(self, error.message) }
            return answer(.failure(error))
        }
        delivery = Delivery(number: number, answers: [answer])
        // Held until all is handed on.
        delivery.pending = 1
        var isDrained = false
        do throws(Malformed) {
            for message in messages {
                if case .drained = message { isDrained = true } else { try handle(message) }
            }
        } catch {
            registry.host.notice("\(name) is ended for what it said: \(error.reason)")
            delivery.failure = .malformed(error.reason)
        }
        // Asked last, it is answered last: when all that was reported is on disk, and all rejections are known.
        registry.confirm { error in
            if let error { self.delivery.failure = self.delivery.failure ?? .unavailable(error.message) }
            self.confirmed()
        }
        if isDrained || delivery.failure != nil {
            registry.end(self, isDrained ? "drained" : "malformed message")
        }
    }

    func confirmed() {
        delivery.pending -= 1
        answerDelivery()
    }

    private func answerDelivery() {
        guard delivery.pending == 0 else { return }
        let answers = delivery.answers
        delivery.answers = []
        let result: Result<[UInt8], RemoteError> =
            delivery.failure.map(Result.failure) ?? .success(Self.body(number: delivery.number, delivery.replies))
        for answer in answers { answer(result) }
    }

    private static func body(number: Int, _ messages: [[UInt8]]) -> [UInt8] {
        var body = Array("{\"number\":\(number),\"messages\":[".utf8)
        body.reserveCapacity(messages.reduce(body.count + 2) { $0 + $1.count })
        for (place, message) in messages.enumerated() {
            if place > 0 { body.append(UInt8(ascii: ",")) }
            // Without the line's end.
            body += message[..<(message.count - 1)]
        }
        body += "]}".utf8
        return body
    }

    // MARK: What the worker says

    private func handle(_ message: WorkerMessage) throws(Malformed) {
        let host = registry.host
        switch message {
        case .hello, .otherProtocol: throw Malformed("hello is for registering")
        case .result(let lease, let result, let metadata):
            try end(lease, host.limits.check(.succeeded(result, metadata: metadata)))
        case .failure(let lease, let failure): try end(lease, .failed(failure))
        case .stopped(let lease): try stopped(lease)
        case .heartbeat(let lease, let progress):
            if case .running(let run) = leases[lease] { host.heartbeat(run.assignment, progress: progress) }
        case .checkpoint(let lease, let data): try checkpoint(lease, data)
        case .log(let lease, let level, let text): log(lease, level, text)
        case .fetch(let lease, let id, let step): fetch(lease, id, step)
        case .drained: break
        }
    }

    private func end(_ lease: Lease, _ outcome: AttemptOutcome) throws(Malformed) {
        switch leases[lease] {
        case .running(let run):
            leases.end(lease)
            registry.host.finish(run.assignment, outcome)
        case .ended(let assignment): registry.host.finish(assignment, outcome)
        case .unknown: try late(lease, outcome)
        }
    }

    private func stopped(_ lease: Lease) throws(Malformed) {
        switch leases[lease] {
        case .running(let run):
            guard run.wasToldToStop else { throw Malformed("'stopped' for an attempt that nobody has stopped") }
            try end(lease, .stopped)
        // An attempt of an earlier session that was given up: there is nothing to say of it.
        case .ended, .unknown: break
        }
    }

    /// A report on an attempt of an earlier session, of this worker or another.
    private func late(_ lease: Lease, _ outcome: AttemptOutcome) throws(Malformed) {
        guard let (task, attempt) = registry.attempt(of: lease, in: hello.namespaces) else {
            guard registry.isPruned(lease) else { throw Malformed("the lease \(lease.rawValue) never was") }
            return delivery.replies.append(EngineMessage.rejected(lease, because: RejectedResult.Reason.lost.name))
        }
        delivery.pending += 1
        registry.finishLate(task, attempt, outcome, name) { refusal in
            if let refusal {
                self.delivery.failure = self.delivery.failure ?? .malformed(refusal)
            } else {
                self.delivery.replies.append(EngineMessage.rejected(lease, because: RejectedResult.Reason.lost.name))
            }
            self.confirmed()
        }
    }

    private func checkpoint(_ lease: Lease, _ data: JSONText) throws(Malformed) {
        guard case .running(let run) = leases[lease] else {
            return delivery.replies.append(EngineMessage.checkpointed(lease, error: "the attempt has ended"))
        }
        let limit = registry.host.limits.resultBytesMax
        guard data.bytes.count <= limit else {
            let error = "the checkpoint is larger than the limit of \(limit) bytes"
            return delivery.replies.append(EngineMessage.checkpointed(lease, error: error))
        }
        delivery.pending += 1
        let reactor = registry.reactor
        registry.host.checkpoint(run.assignment, data) { rejection in
            reactor.perform {
                self.delivery.replies.append(EngineMessage.checkpointed(lease, error: rejection?.message))
                self.confirmed()
            }
        }
    }

    private func log(_ lease: Lease?, _ level: LogLine.Level, _ text: String) {
        let limits = registry.host.limits
        guard let lease else { return registry.host.notice("\(name): \(text.cut(toBytes: limits.logLineBytesMax))") }
        switch leases[lease] {
        case .running(let run): registry.host.log(run.assignment, level, run.assignment.cut(text, limits))
        case .ended(let assignment): registry.host.log(assignment, level, assignment.cut(text, limits))
        // Of an earlier session; what its handler prints now is of no attempt.
        case .unknown: break
        }
    }

    // MARK: The end

    /// The session is over.
    func leave(_ reason: String) {
        isGone = true
        attempts = []
        news = []
        leases.removeAll()
        fetches.late = []
        let poll = poll
        self.poll = nil
        poll?.answer(.failure(.unknownWorker(id)))
        registry.host.leave(worker, reason: reason)
    }
}
