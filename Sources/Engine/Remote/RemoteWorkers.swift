import StepwellKernel
import StepwellLog
package import StepwellModel

/// The workers elsewhere: their sessions, their leases, and the end of those that are heard of no more.
///
/// Knows nothing of HTTP: a carrier gives it bodies and gets bodies back.
// Everything but the constants is touched by the reactor's thread only.
package final class RemoteWorkers: @unchecked Sendable {
    package typealias Answer = @Sendable (Result<[UInt8], RemoteError>) -> Void

    let host: EngineCore
    package let reactor: Reactor
    /// A worker that was not heard of for so long is gone.
    package let lease: Milliseconds
    private let countMax: Int
    private var sessions: [String: RemoteWorker] = [:]
    private var isSweeping = false

    private static let sweepPause = Milliseconds(50)
    private static let attemptsMax = 1000
    package static let messagesMax = 1000

    package init(host: EngineCore, reactor: Reactor, lease: Milliseconds = .seconds(30), countMax: Int = 20_000) {
        self.host = host
        self.reactor = reactor
        self.lease = lease
        self.countMax = countMax
    }

    /// How soon a worker asks again whose poll has broken off, if it is still there.
    package var grace: Milliseconds { Milliseconds(lease.rawValue / 15) }

    /// The longest wait of a poll: a worker that lives is heard of three times within its lease.
    package var pollMax: Milliseconds { Milliseconds(lease.rawValue / 3) }

    // MARK: Requests, from any thread

    /// A new session; the answer is `welcome`.
    /// - Parameters:
    ///   - owner: who may speak in it; for anybody else it is not there.
    ///   - allowed: the namespaces that the worker is kept to, whatever it asks for; nil: none.
    package func register(_ body: [UInt8], owner: String, allowed: [String]?, _ answer: @escaping Answer) {
        do throws(RemoteError) {
            var hello = try RemoteHello(body)
            if let allowed {
                let asked = hello.namespaces
                hello.namespaces = asked.isEmpty ? allowed : asked.filter(allowed.contains)
                // No namespace at all would mean every one.
                guard !hello.namespaces.isEmpty else { throw RemoteError.notAllowed(asked) }
            }
            let id = Self.newID()
            reactor.perform { [hello] in self.begin(id, owner, hello, answer) }
        } catch { answer(.failure(error)) }
    }

    /// Waits for messages to the worker.
    /// - Returns: what to call when the connection ends without the answer.
    package func poll(
        _ id: String, owner: String, _ body: [UInt8], _ answer: @escaping Answer
    ) -> (@Sendable () -> Void)? {
        do throws(Malformed) {
            let reader = try MessageReader(body)
            let after = try reader.optionalInteger("after") ?? 0
            let wait = try reader.optionalInteger("wait_ms") ?? 0
            let attemptsMax = try reader.optionalInteger("attempts_max") ?? Int64(Self.attemptsMax)
            guard after >= 0, wait >= 0, attemptsMax >= 0 else {
                throw Malformed("'after', 'wait_ms' and 'attempts_max' must be 0 or more")
            }
            let poll = RemoteWorker.Poll(
                attemptsMax: Int(min(attemptsMax, Int64(Self.attemptsMax))),
                wait: min(wait, pollMax.rawValue), answer: answer)
            reactor.perform {
                guard let worker = self.session(id, of: owner) else { return answer(.failure(.unknownWorker(id))) }
                worker.take(poll, after: Int(clamping: after))
            }
            return { self.reactor.perform { self.session(id, of: owner)?.breakOff(poll) } }
        } catch {
            fail(id, owner, error, answer)
            return nil
        }
    }

    /// Takes what the worker has to say; answers when it is on disk.
    package func deliver(_ id: String, owner: String, _ body: [UInt8], _ answer: @escaping Answer) {
        do throws(Malformed) {
            let reader = try MessageReader(body)
            let number = try reader.integer("number")
            guard number > 0 else { throw Malformed("'number' must be 1 or more") }
            let elements = try reader.elements("messages")
            guard elements.count <= Self.messagesMax else {
                throw Malformed("\(elements.count) messages in one delivery; at most \(Self.messagesMax) are allowed")
            }
            var messages: [WorkerMessage] = []
            messages.reserveCapacity(elements.count)
            for element in elements { messages.append(try WorkerMessage(body, in: element)) }
            reactor.perform { [messages] in
                guard let worker = self.session(id, of: owner) else { return answer(.failure(.unknownWorker(id))) }
                worker.take(messages, number: Int(clamping: number), answer)
            }
        } catch { fail(id, owner, error, answer) }
    }

    /// Tells the worker to finish what it has and to end.
    package func drain(_ id: String, _ answer: @escaping @Sendable (Bool) -> Void) {
        reactor.perform {
            self.sessions[id]?.beginDrain()
            answer(self.sessions[id] != nil)
        }
    }

    /// All sessions, the oldest first.
    package func list(_ answer: @escaping @Sendable ([RemoteWorkerReport]) -> Void) {
        reactor.perform {
            let now = self.reactor.now
            answer(
                self.sessions.values.sorted { $0.worker < $1.worker }.map {
                    RemoteWorkerReport(
                        id: $0.id, worker: $0.worker, hello: $0.hello, name: $0.name, held: $0.heldCount,
                        silence: Milliseconds((now - $0.heard) / 1_000_000))
                })
        }
    }

    /// Ends all sessions, for the end of the server.
    package func end(_ done: @escaping @Sendable () -> Void) {
        reactor.perform {
            for worker in self.sessions.values.sorted(by: { $0.worker < $1.worker }) {
                self.end(worker, "the server stops")
            }
            done()
        }
    }

    private func fail(_ id: String, _ owner: String, _ error: Malformed, _ answer: @escaping Answer) {
        reactor.perform {
            guard let worker = self.session(id, of: owner) else { return answer(.failure(.unknownWorker(id))) }
            self.host.notice("\(worker.name) is ended for what it said: \(error.reason)")
            self.end(worker, "malformed message: \(error.reason)")
            answer(.failure(.malformed(error.reason)))
        }
    }

    // MARK: On the reactor's thread

    private func session(_ id: String, of owner: String) -> RemoteWorker? {
        sessions[id].flatMap { $0.owner == owner ? $0 : nil }
    }

    private func begin(_ id: String, _ owner: String, _ hello: RemoteHello, _ answer: Answer) {
        guard sessions.count < countMax else { return answer(.failure(.tooMany(countMax))) }
        let number = host.nextWorkerID()
        let worker = RemoteWorker(
            id: id, owner: owner, worker: number, name: "\(hello.name)#\(number.rawValue)", hello: hello,
            registry: self)
        sessions[id] = worker
        host.join(
            WorkerJoin(
                worker: number, name: worker.name, kind: .remote, handlers: hello.hello.handlers,
                slots: hello.hello.concurrency, namespaces: hello.namespaces, labels: hello.labels),
            runner: worker)
        answer(
            .success(
                EngineMessage.welcome(worker: worker.name, limits: host.limits, session: (id, lease, pollMax))))
        sweepSoon()
    }

    func end(_ worker: RemoteWorker, _ reason: String) {
        guard sessions.removeValue(forKey: worker.id) != nil else { return }
        worker.leave(reason)
    }

    /// One look at all workers instead of two timers for each.
    private func sweepSoon() {
        guard !isSweeping, !sessions.isEmpty else { return }
        isSweeping = true
        reactor.after(Self.sweepPause) { [weak self] in self?.sweep() }
    }

    private func sweep() {
        isSweeping = false
        let now = reactor.now
        var gone: [(worker: RemoteWorker, reason: String)] = []
        for worker in sessions.values {
            if let reason = worker.reasonOfAbsence(at: now) {
                gone.append((worker, reason))
            } else {
                worker.endPoll(at: now)
            }
        }
        // Few, so that thousands who are well need no order.
        for (worker, reason) in gone.sorted(by: { $0.worker.worker < $1.worker.worker }) {
            host.notice("\(worker.name) \(reason)")
            end(worker, "it \(reason)")
        }
        sweepSoon()
    }

    // MARK: For the sessions

    /// Calls when all that was handed to the engine before is on disk, and its effects are out.
    func confirm(_ call: @escaping @Sendable (EngineError?) -> Void) {
        let reactor = reactor
        host.afterward { error in reactor.perform { call(error) } }
    }

    /// The attempt that an event of that number has started, in one of these namespaces; none: in any.
    func attempt(of lease: Lease, in namespaces: [String]) -> (TaskID, AttemptID)? {
        guard let record = try? host.log.event(lease), case .attemptStarted(let start) = record.event,
            let task = record.task
        else { return nil }
        if !namespaces.isEmpty {
            guard let summary = try? host.log.task(task), namespaces.contains(summary.namespace) else { return nil }
        }
        return (
            task, AttemptID(step: start.step, attempt: start.attempt, lease: lease, worker: start.worker)
        )
    }

    /// Whether the event of that number has left the store: with its task, to which nothing can happen any more.
    func isPruned(_ lease: Lease) -> Bool {
        do throws(LogError) {
            guard try lease <= host.log.currentHead().number else { return false }
            return try host.log.event(lease) == nil
        } catch { return false }
    }

    /// Reports on an attempt of a session that is over; the engine records that it came too late. Somebody else's attempt is left
    /// alone, and the answer says so.
    func finishLate(
        _ task: TaskID, _ attempt: AttemptID, _ outcome: AttemptOutcome, _ name: String,
        _ call: @escaping @Sendable (String?) -> Void
    ) {
        let (reactor, host) = (reactor, host)
        Task {
            let isHeld = try? await host.ask { $0.runningAttempts.contains { $0.lease == attempt.lease } }
            guard isHeld == false else {
                return reactor.perform { call("the lease \(attempt.lease.rawValue) is another worker's") }
            }
            host.post(.finishAttempt(task, attempt, outcome), by: Actor(.worker, id: name)) { _ in
                reactor.perform { call(nil) }
            }
        }
    }

    private static func newID() -> String {
        String(UInt64.random(in: .min ... .max), radix: 36) + String(UInt64.random(in: .min ... .max), radix: 36)
    }
}

/// What is known of a worker elsewhere.
package struct RemoteWorkerReport: Sendable {
    package var id: String
    package var worker: WorkerID
    package var hello: RemoteHello
    package var name: String
    package var held: Int
    /// How long it was not heard of.
    package var silence: Milliseconds

    package var handlers: [HandlerVersion] { hello.hello.handlers }
    package var slots: Int { hello.hello.concurrency }
    package var sdk: String? { hello.hello.sdk }
}
