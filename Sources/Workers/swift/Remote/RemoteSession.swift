import StepwellHTTP
import StepwellModel
import Synchronization

/// The life of a worker elsewhere: one thread polls, one delivers, and neither waits for the other.
final class RemoteSession: Sendable {
    private let address: HTTPAddress
    private let concurrency: Int
    private let hello: [UInt8]
    private let handlers: HandlerTable
    private let polls: ServerLink
    private let deliveries: ServerLink
    private let outbox = Outbox()
    /// Rung when there is another session to deliver in.
    private let registered = Bell()
    /// Rung when the worker has left.
    private let gone = Bell()
    private let state = Mutex(State())

    private static let grace = Duration.seconds(10)
    /// Once nothing runs, what a worker that leaves has still to say is tried for so long, from when the server was last heard of.
    private static let farewellLimit = Duration.seconds(5)
    private static let registrationLimit = Duration.seconds(40)
    /// A full worker waits so long for a place before it polls for news alone.
    private static let fullPause = Duration.milliseconds(20)

    /// One registration; the server forgets it when it is started again.
    private struct Registration {
        var number: Int
        var path: String
        var wait: Int64
        var resultBytesMax: Int
        var isOver = false

        var limit: Duration { .milliseconds(wait) + RemoteSession.grace }
    }

    private struct State {
        var registration: Registration?
        var held: [Lease: RemoteAttempt] = [:]
        /// Those of them whose handler has not ended.
        var running: Set<Lease> = []
        /// When the server last gave an answer.
        var heard = ContinuousClock.now
        var isTakingLeave = false
        /// How many attempts the poll that waits may bring.
        var asked: Int?
        var isDraining = false
        /// A poll that asked for none has been answered: no more will come.
        var isEmptying = false
        var isFinished = false
        var trouble: WorkerError?
        var continuation: CheckedContinuation<Void, any Error>?
    }

    init(address: HTTPAddress, token: String?, concurrency: Int, hello: [UInt8], handlers: HandlerTable) {
        (self.address, self.concurrency, self.hello, self.handlers) = (address, concurrency, hello, handlers)
        let reach = Reach()
        polls = ServerLink(address, token: token, reach)
        deliveries = ServerLink(address, token: token, reach)
    }

    func run() async throws {
        try await withCheckedThrowingContinuation { continuation in
            state.withLock { $0.continuation = continuation }
            onOwnThread { [self] in guarded(pollAll) }
            onOwnThread { [self] in
                guarded(deliverAll)
                finish()
            }
        }
    }

    func drain() {
        let (isNews, isRegistered) = state.withLock { state in
            defer { state.isDraining = true }
            return (!state.isDraining, state.registration.map { !$0.isOver } ?? false)
        }
        guard isNews else { return }
        // A registration on its way is not broken off: the server may have taken it, and has to hear the goodbye.
        if isRegistered { polls.interrupt() } else { polls.bell.ring() }
        takeLeave()
    }

    // MARK: The ends

    private func guarded(_ body: () throws -> Void) {
        do { try body() } catch {
            let trouble =
                (error as? WorkerError)
                ?? .notTaken("\(address)", (error as? ServerLink.Refused)?.detail ?? String(describing: error))
            let held = state.withLock { state in
                state.trouble = state.trouble ?? trouble
                state.isFinished = true
                return Array(state.held.values)
            }
            for attempt in held { attempt.cancel() }
            polls.interrupt()
            deliveries.interrupt()
            outbox.close()
            registered.ring()
            finish()
        }
    }

    private func finish() {
        let (continuation, trouble) = state.withLock { state in
            defer { (state.continuation, state.isFinished) = (nil, true) }
            return (state.continuation, state.trouble)
        }
        polls.interrupt()
        gone.ring()
        if let trouble { continuation?.resume(throwing: trouble) } else { continuation?.resume() }
    }

    /// Says goodbye when nothing is left to do.
    private func endIfEmpty() {
        let isOver = state.withLock { state in
            guard state.isDraining, state.isEmptying, state.held.isEmpty, !state.isFinished else { return false }
            state.isFinished = true
            return true
        }
        guard isOver else { return }
        outbox.put(Outbox.Letter(bytes: Message.encode("drained")))
        outbox.close()
        registered.ring()
        polls.interrupt()
    }

    /// Sees to it that a worker that drains does not wait for ever for a server that is gone.
    private func takeLeave() {
        let mustBegin = state.withLock { state in
            guard state.isDraining, state.running.isEmpty, !state.isTakingLeave else { return false }
            (state.isTakingLeave, state.heard) = (true, .now)
            return true
        }
        guard mustBegin else { return }
        onOwnThread { [self] in
            while true {
                let left = state.withLock { state -> Duration? in
                    guard state.continuation != nil, state.running.isEmpty else {
                        state.isTakingLeave = false
                        return nil
                    }
                    return ContinuousClock.now.duration(to: state.heard + Self.farewellLimit)
                }
                guard let left else { return }
                if left <= .zero { break }
                gone.wait(left)
            }
            complain("\(address) does not answer; what was left to say is lost, and runs elsewhere")
            leave()
        }
    }

    /// Ends both threads, whatever is left to say.
    private func leave() {
        state.withLock { state in
            state.registration?.isOver = true
            state.isFinished = true
        }
        polls.interrupt()
        deliveries.interrupt()
        outbox.close()
        registered.ring()
        finish()
    }

    private var isFinished: Bool { state.withLock { $0.isFinished } }
    /// False when there is nothing left to wait for a silent server for.
    private var goesOn: Bool { state.withLock { !$0.isFinished && !($0.isDraining && $0.held.isEmpty) } }

    // MARK: The thread that polls

    private func pollAll() throws {
        var number = 0
        while !isFinished {
            let answer = try polls.ask("/v1/workers", hello, limit: Self.registrationLimit) {
                goesOn
            }
            guard let welcome = answer else {
                if !goesOn { return leaveUnheard() }
                continue
            }
            guard let id = welcome.string("worker_id"), let wait = welcome.integer("poll_ms_max") else {
                throw WorkerError.notTaken("\(address)", "its welcome cannot be read")
            }
            number += 1
            let registration = Registration(
                number: number, path: "/v1/workers/\(id)", wait: wait,
                resultBytesMax: welcome.integer("result_bytes_max").map { Int($0) } ?? .max)
            state.withLock { $0.registration = registration }
            registered.ring()
            try poll(registration)
            let lost = state.withLock { state in state.held.values.filter { $0.session == number } }
            if !isFinished { for attempt in lost { attempt.cancel() } }
        }
    }

    /// Drains without a server: no attempts come from it, and nobody takes what is said.
    private func leaveUnheard() {
        state.withLock { $0.isEmptying = true }
        endIfEmpty()
    }

    private func poll(_ registration: Registration) throws {
        var after: Int64 = 0
        while state.withLock({ !$0.isFinished && $0.registration?.isOver == false }) {
            if state.withLock({ $0.held.count >= concurrency && !$0.isDraining }) { polls.bell.wait(Self.fullPause) }
            let (asked, isDraining, isEmptying) = state.withLock { state in
                state.asked = state.isDraining ? 0 : max(0, concurrency - state.held.count)
                return (state.asked ?? 0, state.isDraining, state.isEmptying)
            }
            let wait = isDraining && !isEmptying ? 0 : registration.wait
            let body = #"{"after":\#(after),"wait_ms":\#(wait),"attempts_max":\#(asked)}"#
            do {
                defer { state.withLock { $0.asked = nil } }
                let path = registration.path + "/poll"
                let answer = try polls.ask(path, Array(body.utf8), limit: registration.limit) { goesOn }
                guard let answer else {
                    if !goesOn { leaveUnheard() }
                    continue
                }
                noteAnswer()
                guard let number = answer.integer("number") else {
                    throw WorkerError.notTaken("\(address)", "its answer to a poll has no number")
                }
                if number > after {
                    for message in try answer.list("messages") { try take(message, registration) }
                    after = number
                }
                if isDraining { leaveUnheard() }
            } catch let refused as ServerLink.Refused {
                end(registration, refused)
            }
        }
    }

    private func noteAnswer() { state.withLock { $0.heard = .now } }

    private func end(_ registration: Registration, _ refused: ServerLink.Refused) {
        if refused.status != 404 {
            complain("\(address) ends the session: \(refused.detail)")
        }
        state.withLock { state in
            // Else the next registration is on its way, and the server may have taken it.
            guard state.registration?.number == registration.number, state.registration?.isOver == false else { return }
            state.registration?.isOver = true
            if state.asked != nil { polls.interrupt() }
        }
    }

    private func take(_ message: Message, _ registration: Registration) throws {
        let type = message.string("type")
        if type == "attempt" {
            guard
                let attempt = RemoteAttempt(
                    message, session: registration.number, checkpointBytesMax: registration.resultBytesMax,
                    outbox: outbox)
            else {
                throw WorkerError.notTaken("\(address)", "an attempt cannot be read")
            }
            state.withLock { state in
                state.held[attempt.lease] = attempt
                state.running.insert(attempt.lease)
            }
            attempt.start(perform)
            return
        }
        if type == "drain" {
            state.withLock { $0.isDraining = true }
            return takeLeave()
        }
        guard let lease = message.lease, let attempt = state.withLock({ $0.held[lease] }) else { return }
        // `rejected` tells of what has ended; what is unknown is ignored.
        attempt.take(type ?? "", message)
    }

    private func perform(_ attempt: RemoteAttempt) async {
        let limit = state.withLock { $0.registration?.resultBytesMax } ?? .max
        let bytes = await handlers.end(of: attempt, resultBytesMax: limit)
        outbox.put(Outbox.Letter(bytes: bytes, lease: attempt.lease, session: attempt.session, ends: true))
        state.withLock { _ = $0.running.remove(attempt.lease) }
        takeLeave()
    }

    // MARK: The thread that delivers

    private func deliverAll() throws {
        var number = 0
        var session = 0
        while let letters = outbox.take() { try deliver(letters, &session, &number) }
    }

    private func deliver(_ letters: [Outbox.Letter], _ session: inout Int, _ number: inout Int) throws {
        while let registration = awaitRegistration() {
            if registration.number != session { (session, number) = (registration.number, 0) }
            // A session takes the ends of attempts of an earlier one, and nothing else from them.
            let batch = letters.filter { $0.ends || $0.lease == nil || $0.session == registration.number }
            if batch.isEmpty { return }
            var body = Array(#"{"number":\#(number + 1),"messages":["#.utf8)
            body.append(contentsOf: batch.map(\.bytes).joined(separator: [UInt8(ascii: ",")]))
            body.append(contentsOf: "]}".utf8)
            do {
                let path = registration.path + "/messages"
                let answer = try deliveries.ask(path, body, limit: registration.limit) {
                    state.withLock { state in
                        state.trouble == nil && state.registration?.isOver == false
                            && state.registration?.number == registration.number
                    }
                }
                guard let answer else { continue }
                number += 1
                noteAnswer()
                for message in try answer.list("messages") { try take(message, registration) }
                return free(batch)
            } catch let refused as ServerLink.Refused {
                if refused.status == 413 { return try split(batch, refused, &session, &number) }
                end(registration, refused)
                if refused.status != 404 { return free(batch) }  // what no server can read is not sent again
            }
        }
    }

    private func split(
        _ batch: [Outbox.Letter], _ refused: ServerLink.Refused, _ session: inout Int, _ number: inout Int
    ) throws {
        if batch.count > 1 {
            let middle = batch.count / 2
            try deliver(Array(batch[..<middle]), &session, &number)
            return try deliver(Array(batch[middle...]), &session, &number)
        }
        guard let letter = batch.first, let lease = letter.lease else { return }
        let text = "\(letter.bytes.count) bytes are too many for the server: \(refused.detail)"
        let attempt = state.withLock { $0.held[lease] }
        if letter.ends {
            let failure = Failure(message: text, errorType: "result_too_large", retryable: false)
            var smaller = letter
            smaller.bytes = Message.failure(failure, lease)
            if smaller.bytes.count < letter.bytes.count {
                try deliver([smaller], &session, &number)
            } else {
                free(batch)
            }
        } else if letter.bytes.starts(with: #"{"type":"checkpoint""#.utf8) {
            attempt?.checkpointed(error: text)
        } else {
            complain("a message is dropped: \(text)")
        }
    }

    /// The session to deliver in; nil when the worker leaves and there is none.
    private func awaitRegistration() -> Registration? {
        while true {
            let (registration, isFinished, isInTrouble) = state.withLock {
                ($0.registration, $0.isFinished, $0.trouble != nil)
            }
            if isInTrouble { return nil }
            if let registration, !registration.isOver { return registration }
            if isFinished { return nil }
            registered.wait(nil)
        }
    }

    private func free(_ batch: [Outbox.Letter]) {
        let mustWake = state.withLock { state in
            for letter in batch where letter.ends {
                if let lease = letter.lease { state.held[lease] = nil }
            }
            return state.asked == 0 && !state.isDraining && state.held.count < concurrency
        }
        if mustWake { polls.interrupt() } else { polls.bell.ring() }
        endIfEmpty()
    }
}
