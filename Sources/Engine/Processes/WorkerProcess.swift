import StepwellLog
package import StepwellModel

/// One start of a worker: a process that speaks the worker protocol on its standard input and output.
///
/// starting ─ hello ─▶ ready ─ drain ─▶ draining ─ drained ─▶ closing ─ exit ─▶ gone
///     └───────────────┴── garbage, silence, or killed ──┴──▶ killed ─── exit ─▶ gone
// Everything but `name` and `context` is touched by the reactor's thread only.
package final class WorkerProcess: AttemptRunner, ChildProcessOwner, @unchecked Sendable {
    enum State: Equatable {
        /// Its hello is awaited.
        case starting
        case ready
        case draining
        /// It has said that it is done.
        case closing
        /// It was killed, for this reason. What it still writes is not read.
        case killed(String)
        case gone
    }

    /// How the process came to its end.
    struct End {
        var reason: String
        var saidHello: Bool
        /// It speaks another version of the protocol: starting it again is no use.
        var isForGood = false
        /// The engine wants no more of it.
        var wasDrained = false
    }

    let name: String
    private let context: ProcessContext
    private let limits: Limits
    private(set) var state = State.starting
    private var worker: WorkerID?
    private var leases = HeldLeases()
    private var errorLines: LogLines
    private var child: ChildProcess?
    private var helloTimer: TimerList.ID?
    private var closeTimer: TimerList.ID?
    private var isForGood = false
    private var wasDrained = false

    var whenReady: (([HandlerVersion]) -> Void)?
    /// Called once.
    var whenGone: ((End) -> Void)?

    init(name: String, context: ProcessContext) {
        self.name = name
        self.context = context
        limits = context.host.limits
        errorLines = LogLines(bytesMax: limits.logLineBytesMax)
    }

    func start(_ launch: Launch) throws(SpawnError) {
        child = try ChildProcess(launch, reactor: context.reactor, owner: self)
        helloTimer = context.reactor.after(limits.helloWait) { [weak self] in
            guard let self else { return }
            self.kill("it did not say hello within \(self.limits.helloWait)")
        }
    }

    // MARK: From the engine, on any thread

    package func run(_ assignment: Assignment) {
        context.reactor.perform { self.begin(assignment) }
    }

    package func stop(_ lease: Lease, because reason: StopReason) {
        context.reactor.perform { self.cancel(lease, reason) }
    }

    package func rejected(_ lease: Lease, because reason: RejectedResult.Reason) {
        context.reactor.perform { self.send(EngineMessage.rejected(lease, because: reason.name)) }
    }

    package func drain() {
        context.reactor.perform { self.beginDrain() }
    }

    // MARK: From the engine, on the reactor's thread

    private func begin(_ assignment: Assignment) {
        // A worker that is going takes this attempt with it: the host hears of its leaving.
        guard state == .ready || state == .draining else { return }
        if let failure = assignment.resolveSecrets() { return context.host.finish(assignment, .failed(failure)) }
        leases.begin(assignment)
        do throws(LogError) {
            send(try EngineMessage.attempt(assignment, limits: limits))
        } catch {
            leases.end(assignment.attempt.lease)
            context.host.finish(assignment, .failed(Failure(message: error.message, errorType: error.code)))
        }
    }

    private func cancel(_ lease: Lease, _ reason: StopReason) {
        guard case .running(let run) = leases[lease], !run.wasToldToStop else { return }
        send(EngineMessage.cancel(lease, because: reason))
        let timer = context.reactor.after(limits.stopGrace) { [weak self] in
            guard let self else { return }
            self.kill("it did not end an attempt within \(self.limits.stopGrace) after it was told to")
        }
        leases.toldToStop(lease, timer)
    }

    func beginDrain() {
        wasDrained = true
        switch state {
        case .starting: kill("it was not needed any more")
        case .ready:
            state = .draining
            send(EngineMessage.drain)
        case .draining, .closing, .killed, .gone: break
        }
    }

    /// Kills the process and its group.
    func kill(_ reason: String) {
        if case .killed = state { return }
        guard state != .gone else { return }
        state = .killed(reason)
        child?.kill()
    }

    private func send(_ line: [UInt8]) {
        switch state {
        case .ready, .draining: child?.input.write(line)
        case .starting, .closing, .killed, .gone: break
        }
    }

    // MARK: From the worker

    func child(_ stream: ChildProcess.Stream, wrote bytes: inout ByteQueue, isEnd: Bool) {
        switch stream {
        case .error:
            errorLines.take(from: &bytes, isEnd: isEnd) { context.host.notice("\(name): \($0)") }
        case .output:
            while listens, let line = bytes.takeLine() { receive(line) }
            if listens, bytes.count > limits.lineBytesMax {
                tooLong(bytes.take(Self.excerptBytes + SecretStore.bytesMax))
            }
            if !listens { bytes.removeAll() }
        }
    }

    private var listens: Bool {
        switch state {
        case .starting, .ready, .draining: true
        case .closing, .killed, .gone: false
        }
    }

    private func receive(_ line: [UInt8]) {
        guard line.count <= limits.lineBytesMax else { return tooLong(line) }
        do throws(Malformed) {
            try handle(try WorkerMessage(line))
        } catch {
            malformed(error, line)
        }
    }

    private func handle(_ message: WorkerMessage) throws(Malformed) {
        if state == .starting {
            switch message {
            case .hello(let hello): return welcome(hello)
            case .otherProtocol(let version):
                isForGood = true
                return kill(
                    "it speaks version \(version) of the worker protocol; this engine speaks version "
                        + "\(WorkerMessage.protocolVersion)")
            default: throw Malformed("the first message must be hello")
            }
        }
        switch message {
        case .hello, .otherProtocol: throw Malformed("hello came twice")
        case .result(let lease, let result, let metadata):
            try end(lease, limits.check(.succeeded(result, metadata: metadata)))
        case .failure(let lease, let failure): try end(lease, .failed(failure))
        case .stopped(let lease): try stopped(lease)
        case .heartbeat(let lease, let progress):
            if let assignment = try held(lease) { context.host.heartbeat(assignment, progress: progress) }
        case .checkpoint(let lease, let data): try checkpoint(lease, data)
        case .log(let lease, let level, let text): try log(lease, level, text)
        case .fetch(let lease, let id, let step): try fetch(lease, id, step)
        case .drained: drained()
        }
    }

    private func welcome(_ hello: WorkerMessage.Hello) {
        context.reactor.cancel(helloTimer)
        state = .ready
        let worker = context.host.nextWorkerID()
        self.worker = worker
        send(EngineMessage.welcome(worker: name, limits: limits))
        context.host.join(
            WorkerJoin(
                worker: worker, name: name, kind: .process, handlers: hello.handlers, slots: hello.concurrency),
            runner: self)
        whenReady?(hello.handlers)
    }

    /// The attempt's end, or one more report of an attempt that has ended: the host tells them apart and records both.
    private func end(_ lease: Lease, _ outcome: AttemptOutcome) throws(Malformed) {
        switch leases[lease] {
        case .running(let run):
            context.reactor.cancel(run.stopTimer)
            leases.end(lease)
            context.host.finish(run.assignment, outcome)
        case .ended(let assignment): context.host.finish(assignment, outcome)
        case .unknown: throw unknown(lease)
        }
    }

    private func stopped(_ lease: Lease) throws(Malformed) {
        switch leases[lease] {
        case .running(let run):
            guard run.wasToldToStop else { throw Malformed("'stopped' for an attempt that nobody has stopped") }
            try end(lease, .stopped)
        case .ended: break
        case .unknown: throw unknown(lease)
        }
    }

    private func checkpoint(_ lease: Lease, _ data: JSONText) throws(Malformed) {
        guard let assignment = try held(lease) else {
            return send(EngineMessage.checkpointed(lease, error: "the attempt has ended"))
        }
        guard data.bytes.count <= limits.resultBytesMax else {
            let error = "the checkpoint is larger than the limit of \(limits.resultBytesMax) bytes"
            return send(EngineMessage.checkpointed(lease, error: error))
        }
        let reactor = context.reactor
        context.host.checkpoint(assignment, data) { rejection in
            reactor.perform { self.send(EngineMessage.checkpointed(lease, error: rejection?.message)) }
        }
    }

    private func fetch(_ lease: Lease, _ id: Int64, _ step: String) throws(Malformed) {
        guard let assignment = try held(lease) else {
            return send(EngineMessage.fetched(lease, id: id, error: "the attempt has ended"))
        }
        let reactor = context.reactor
        context.host.result(of: step, for: assignment) { result in
            reactor.perform { self.send(EngineMessage.fetched(lease, id: id, result)) }
        }
    }

    private func log(_ lease: Lease?, _ level: LogLine.Level, _ text: String) throws(Malformed) {
        guard let lease else { return context.host.notice("\(name): \(text.cut(toBytes: limits.logLineBytesMax))") }
        switch leases[lease] {
        case .running(let run): context.host.log(run.assignment, level, run.assignment.cut(text, limits))
        case .ended(let assignment): context.host.log(assignment, level, assignment.cut(text, limits))
        case .unknown: throw unknown(lease)
        }
    }

    /// The attempt, if it runs; nil if it has ended.
    private func held(_ lease: Lease) throws(Malformed) -> Assignment? {
        switch leases[lease] {
        case .running(let run): return run.assignment
        case .ended: return nil
        case .unknown: throw unknown(lease)
        }
    }

    private func drained() {
        // Without having been asked: it wants to go, and that is its right once it holds nothing.
        state = .closing
        child?.input.closeWhenEmpty()
        closeTimer = context.reactor.after(limits.stopGrace) { [weak self] in
            guard let self else { return }
            self.kill("it did not exit within \(self.limits.stopGrace) after it was drained")
        }
    }

    // MARK: Faults and the end

    private static let excerptBytes = 200

    private func unknown(_ lease: Lease) -> Malformed {
        Malformed("the lease \(lease.rawValue) is none of this worker's")
    }

    private func tooLong(_ line: [UInt8]) {
        malformed(Malformed("a line is longer than \(limits.lineBytesMax) bytes"), line)
    }

    private func malformed(_ fault: Malformed, _ line: [UInt8]) {
        // Secrets are hidden before it is cut: of half of one, nobody could tell what it is.
        let hidden = leases.running.values.reduce(line) { $1.assignment.redaction.bytes($0) ?? $0 }
        let excerpt = String(decoding: hidden.prefix(Self.excerptBytes), as: UTF8.self)
        context.host.notice("\(name) is ended for what it wrote: \(fault.reason): \(excerpt)")
        kill("malformed message: \(fault.reason)")
    }

    func childEnded(_ status: ExitStatus) {
        let reason =
            switch state {
            case .killed(let reason): reason
            case .closing where leases.running.isEmpty: "drained"
            case .starting, .ready, .draining, .closing, .gone: "it \(status.description)"
            }
        state = .gone
        context.reactor.cancel(helloTimer)
        context.reactor.cancel(closeTimer)
        for run in leases.running.values { context.reactor.cancel(run.stopTimer) }
        leases.removeAll()
        child = nil
        if let worker { context.host.leave(worker, reason: reason) }
        whenGone?(
            End(reason: reason, saidHello: worker != nil, isForGood: isForGood, wasDrained: wasDrained))
        whenGone = nil
        whenReady = nil
    }
}
