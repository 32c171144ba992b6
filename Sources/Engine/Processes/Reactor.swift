import CLinux
import Glibc
package import StepwellModel
import Synchronization

/// One thread that waits for pipes, for ends of processes and for timers. Whatever concerns child processes happens on it,
/// so that none of their state needs a lock.
// The mailbox has a lock; everything else is touched by the reactor's own thread only.
package final class Reactor: @unchecked Sendable {
    /// Where timers take the time from.
    package enum Clock: Sendable {
        case monotonic
        /// Stands still but for ``Reactor/advance(by:)``: for tests.
        case stepped
    }

    private struct Mailbox {
        var jobs: [@Sendable () -> Void] = []
        var isClosed = false
    }

    private let mailbox = Mutex(Mailbox())
    private let wakeDescriptor: Int32
    private let clock: Clock

    private var steppedNow: Int64 = 0
    private var timers = TimerList()
    private var watches: [Watch] = []
    private var polled: [pollfd] = []
    private var watchesChanged = true
    private var endings: [() -> Void] = []
    private var isStopped = false
    /// What runs now: kept here until it is gone.
    var children: [pid_t: ChildProcess] = [:]
    private var thread = pthread_t()

    /// Starts the thread. It lives until ``stop()``.
    package init(clock: Clock = .monotonic) {
        self.clock = clock
        linux_prepare_signals()
        wakeDescriptor = linux_eventfd()
        precondition(wakeDescriptor >= 0, "no eventfd: \(errorText(errno))")
        let start = pthread_create(
            &thread, nil,
            { argument in
                guard let argument else { return nil }
                let reactor = Unmanaged<Reactor>.fromOpaque(argument).takeRetainedValue()
                linux_begin_thread("processes")
                reactor.run()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        precondition(start == 0, "no thread for child processes: \(errorText(start))")
        pthread_detach(thread)
    }

    deinit { close(wakeDescriptor) }

    // MARK: From any thread

    /// Runs `job` on the reactor's thread, after those given before. After ``stop()`` it is dropped.
    package func perform(_ job: @escaping @Sendable () -> Void) {
        let mustWake = mailbox.withLock { mailbox in
            guard !mailbox.isClosed else { return false }
            mailbox.jobs.append(job)
            return mailbox.jobs.count == 1
        }
        if mustWake { wake() }
    }

    /// Ends the thread after the jobs given before. Watches and timers are dropped, and children that still run are killed.
    package func stop() {
        perform { self.isStopped = true }
    }

    /// Lets time pass on a stepped clock, after the jobs given before.
    package func advance(by time: Milliseconds) {
        precondition(clock == .stepped, "only a stepped clock can be advanced")
        perform { self.steppedNow += time.rawValue * 1_000_000 }
    }

    private func wake() {
        var one: UInt64 = 1
        _ = write(wakeDescriptor, &one, 8)
    }

    // MARK: On the reactor's thread

    /// Calls `ready` whenever the descriptor is ready for what the watch is interested in, until the watch is cancelled.
    func watch(_ descriptor: Int32, for interest: Int32, _ ready: @escaping () -> Void) -> Watch {
        let watch = Watch(descriptor: descriptor, interest: interest, reactor: self, ready: ready)
        watches.append(watch)
        watchesChanged = true
        return watch
    }

    /// Calls `body` once, after `delay` or very soon after that.
    @discardableResult
    package func after(_ delay: Milliseconds, _ body: @escaping () -> Void) -> TimerList.ID {
        timers.insert(due: now + max(0, delay.rawValue) * 1_000_000, body)
    }

    package func cancel(_ timer: TimerList.ID?) {
        if let timer { timers.remove(timer) }
    }

    /// Calls `body` before the thread waits again: the place to write what was gathered in this turn.
    func atEndOfTurn(_ body: @escaping () -> Void) {
        endings.append(body)
    }

    /// Nanoseconds on the reactor's clock.
    package var now: Int64 {
        switch clock {
        case .stepped: return steppedNow
        case .monotonic:
            var time = timespec()
            clock_gettime(CLOCK_MONOTONIC, &time)
            return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
        }
    }

    fileprivate func watchChanged() { watchesChanged = true }

    // MARK: The thread

    private func run() {
        while true {
            let jobs = mailbox.withLock { mailbox in
                let jobs = mailbox.jobs
                mailbox.jobs = []
                return jobs
            }
            for job in jobs { job() }
            while let body = timers.popDue(at: now) { body() }
            while !endings.isEmpty {
                let bodies = endings
                endings.removeAll(keepingCapacity: true)
                for body in bodies { body() }
            }
            if isStopped { break }
            waitForReady()
        }
        mailbox.withLock { mailbox in
            mailbox.isClosed = true
            mailbox.jobs = []
        }
        for child in children.values { child.abandon() }
        children = [:]
        watches = []
        timers = TimerList()
    }

    private func waitForReady() {
        if watchesChanged {
            watches.removeAll { !$0.isActive }
            polled = watches.map { pollfd(fd: $0.descriptor, events: Int16($0.interest), revents: 0) }
            polled.append(pollfd(fd: wakeDescriptor, events: Int16(POLLIN), revents: 0))
            watchesChanged = false
        }
        guard poll(&polled, nfds_t(polled.count), timeout) > 0 else { return }
        if polled[polled.count - 1].revents != 0 {
            var count: UInt64 = 0
            _ = read(wakeDescriptor, &count, 8)
        }
        // A handler may add watches, which come after these, and cancel some of these.
        let ready = watches
        for place in ready.indices where polled[place].revents != 0 && ready[place].isActive { ready[place].ready() }
    }

    /// Milliseconds until the next timer, rounded up so that none is early; -1 without one.
    private var timeout: Int32 {
        guard clock == .monotonic, let due = timers.nextDue else { return -1 }
        return Int32(clamping: max(0, (due - now + 999_999) / 1_000_000))
    }
}

/// Interest in a descriptor. Lives on the reactor's thread.
final class Watch {
    let descriptor: Int32
    /// `POLLIN`, `POLLOUT`, or 0 for none at the moment.
    var interest: Int32 {
        didSet { if interest != oldValue { reactor?.watchChanged() } }
    }
    fileprivate let ready: () -> Void
    fileprivate private(set) var isActive = true
    private weak var reactor: Reactor?

    fileprivate init(descriptor: Int32, interest: Int32, reactor: Reactor, ready: @escaping () -> Void) {
        self.descriptor = descriptor
        self.interest = interest
        self.reactor = reactor
        self.ready = ready
    }

    /// Must come before the descriptor is closed.
    func cancel() {
        isActive = false
        reactor?.watchChanged()
    }
}

/// The system's words for an error number.
func errorText(_ number: Int32) -> String {
    String(cString: strerror(number))
}
