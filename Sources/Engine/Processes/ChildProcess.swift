import CLinux
import Glibc
import StepwellModel

/// How a child process ended.
enum ExitStatus: Hashable, Sendable {
    case exited(Int32)
    case signalled(Int32)
    /// It does not even end when it is killed: it hangs in the kernel, say on a dead network disk.
    case unkillable
    /// Another part of this program has waited for it and knows how it ended; nobody else does.
    case unknown

    var description: String {
        switch self {
        case .exited(let status): "ended with status \(status)"
        case .signalled(let number): "was ended by signal \(number)" + (signalName(number).map { " (\($0))" } ?? "")
        case .unkillable: "does not end although it was killed"
        case .unknown: "ended, and another part of this program has taken its exit status"
        }
    }
}

func signalName(_ number: Int32) -> String? {
    linux_signal_name(number).map { "SIG" + String(cString: $0) }
}

/// Who hears of a child process.
protocol ChildProcessOwner: AnyObject {
    /// Bytes have come, or no more will. What is not taken out of `bytes` stays for the next time.
    func child(_ stream: ChildProcess.Stream, wrote bytes: inout ByteQueue, isEnd: Bool)
    /// The last call: the process and its group are gone and everything that it wrote has been handed over.
    func childEnded(_ status: ExitStatus)
}

/// A program that the engine runs, and the group of processes that comes of it. Lives on the reactor's thread.
///
/// running ─ exit ─▶ emptying ─ both outputs at their end, or the grace over ─▶ gone
///
/// The exited child stays a zombie while it is emptying: so long its number, which is its group's too, is nobody else's, and
/// the group can be killed without hitting a stranger.
final class ChildProcess {
    enum Stream {
        case output
        case error
    }

    private enum State {
        case running
        case emptying(ExitStatus)
        case gone
    }

    /// How long a grandchild may hold the output open after the child's exit.
    static let emptyingGrace = Milliseconds.seconds(1)
    /// How long a killed process may take to end.
    static let killGrace = Milliseconds.seconds(10)

    let process: pid_t
    let input: PipeWriter
    private let reactor: Reactor
    /// Nil once it has heard the last.
    private var owner: (any ChildProcessOwner)?
    private var state = State.running
    private var exitDescriptor: Int32 = -1
    private var exitWatch: Watch?
    private var output: PipeReader?
    private var error: PipeReader?
    private var terminateTimer: TimerList.ID?
    private var killTimer: TimerList.ID?
    private var emptyingTimer: TimerList.ID?

    /// Starts the program. The reactor keeps the child, and with it its owner, until it is gone.
    init(_ launch: Launch, reactor: Reactor, owner: any ChildProcessOwner) throws(SpawnError) {
        self.reactor = reactor
        self.owner = owner
        let pipes = try Pipes(for: launch.arguments.first ?? "")
        do {
            process = try launch.spawn(input: pipes.input.read, output: pipes.output.write, error: pipes.error.write)
        } catch {
            pipes.close()
            throw error
        }
        pipes.closeTheirs()
        input = PipeWriter(pipes.input.write, reactor: reactor)
        exitDescriptor = pidfd_open(process, 0)
        guard exitDescriptor >= 0 else {
            let reason = errorText(errno)
            linux_kill(-process, SIGKILL)
            reap()
            state = .gone
            pipes.closeOutputs()
            throw .exhausted(launch.arguments.first ?? "", reason: reason)
        }
        linux_set_close_on_exec(exitDescriptor)
        output = reader(pipes.output.read, .output)
        error = reader(pipes.error.read, .error)
        exitWatch = reactor.watch(exitDescriptor, for: POLLIN) { [weak self] in self?.exited() }
        reactor.children[process] = self
    }

    /// The reactor stops while the child runs. Nobody else will wait for the child, and a zombie would stay as long as this
    /// process lives.
    func abandon() {
        guard isAlive else { return }
        state = .gone
        owner = nil
        linux_kill(-process, SIGKILL)
        var exit = pollfd(fd: exitDescriptor, events: Int16(POLLIN), revents: 0)
        if poll(&exit, 1, Int32(Self.killGrace.rawValue)) == 1 { reap() }
        close(exitDescriptor)
        input.closeNow()
        output?.end()
        error?.end()
    }

    private func reader(_ descriptor: Int32, _ stream: Stream) -> PipeReader {
        PipeReader(descriptor, reactor: reactor) { [unowned self] (bytes, isEnd) in
            self.owner?.child(stream, wrote: &bytes, isEnd: isEnd)
            if isEnd, case .emptying(let status) = self.state { self.finishIfEmpty(status) }
        }
    }

    // MARK: Ending it

    /// Asks the whole group to end, and kills it after the grace.
    func terminate(grace: Milliseconds) {
        guard isAlive, terminateTimer == nil, killTimer == nil else { return }
        linux_kill(-process, SIGTERM)
        // A stopped process hears of it only when it goes on.
        linux_kill(-process, SIGCONT)
        terminateTimer = reactor.after(grace) { [weak self] in self?.kill() }
    }

    /// Kills the whole group.
    func kill() {
        guard isAlive else { return }
        linux_kill(-process, SIGKILL)
        input.closeNow()
        guard case .running = state, killTimer == nil else { return }
        killTimer = reactor.after(Self.killGrace) { [weak self] in self?.gaveUp() }
    }

    private var isAlive: Bool {
        if case .gone = state { false } else { true }
    }

    private func gaveUp() {
        guard case .running = state else { return }
        end(.unkillable)
    }

    // MARK: Its end

    private func exited() {
        guard case .running = state else { return }
        var status: Int32 = 0
        var signal: Int32 = 0
        let isKnown = linux_wait(process, 1, &status, &signal) == 0
        let exit: ExitStatus = !isKnown ? .unknown : signal == 0 ? .exited(status) : .signalled(signal)
        state = .emptying(exit)
        exitWatch?.cancel()
        exitWatch = nil
        input.closeNow()
        reactor.cancel(terminateTimer)
        reactor.cancel(killTimer)
        emptyingTimer = reactor.after(Self.emptyingGrace) { [weak self] in self?.end(exit) }
        finishIfEmpty(exit)
    }

    private func finishIfEmpty(_ status: ExitStatus) {
        guard output?.isOpen != true, error?.isOpen != true else { return }
        // Not at once: this may be a call from the reader that has just ended.
        reactor.atEndOfTurn { self.end(status) }
    }

    private func end(_ status: ExitStatus) {
        guard isAlive else { return }
        state = .gone
        reactor.children[process] = nil
        reactor.cancel(emptyingTimer)
        exitWatch?.cancel()
        // What the child has left behind goes with it. Of a child that is no zombie the number may be somebody else's by now.
        if status != .unknown {
            linux_kill(-process, SIGKILL)
            if status != .unkillable { reap() }
        }
        close(exitDescriptor)
        input.closeNow()
        output?.end()
        error?.end()
        let owner = owner
        self.owner = nil
        owner?.childEnded(status)
    }

    private func reap() {
        var status: Int32 = 0
        var signal: Int32 = 0
        _ = linux_wait(process, 0, &status, &signal)
    }
}

/// The three pipes of a child.
private struct Pipes {
    struct Ends {
        var read: Int32
        var write: Int32
    }

    var input: Ends
    var output: Ends
    var error: Ends

    init(for name: String) throws(SpawnError) {
        var made: [Ends] = []
        for _ in 0..<3 {
            var ends: (Int32, Int32) = (-1, -1)
            let failed = withUnsafeMutableBytes(of: &ends) { bytes in
                linux_pipe(bytes.assumingMemoryBound(to: Int32.self).baseAddress) < 0
            }
            guard !failed else {
                let reason = errorText(errno)
                for pipe in made {
                    Glibc.close(pipe.read)
                    Glibc.close(pipe.write)
                }
                throw .exhausted(name, reason: reason)
            }
            made.append(Ends(read: ends.0, write: ends.1))
        }
        input = made[0]
        output = made[1]
        error = made[2]
        linux_set_nonblocking(input.write)
        linux_set_nonblocking(output.read)
        linux_set_nonblocking(error.read)
    }

    func closeTheirs() {
        Glibc.close(input.read)
        Glibc.close(output.write)
        Glibc.close(error.write)
    }

    func closeOutputs() {
        Glibc.close(output.read)
        Glibc.close(error.read)
    }

    func close() {
        closeTheirs()
        closeOutputs()
        Glibc.close(input.write)
    }
}
