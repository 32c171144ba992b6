import CLinux
import Glibc
import StepwellLog
import StepwellModel
import Synchronization

/// The thread that owns the loop: it waits for letters and timers, turns, and stands still while the disk is full.
///
/// A thread of its own for two reasons: a write transaction belongs to one thread, and a commit waits for the disk, which would
/// hold up half of a two-thread task pool.
final class LoopThread: @unchecked Sendable {  // `loop` is touched on the thread only; the rest is immutable or locked.
    /// How often a full disk is tried again.
    static let diskRetry = Milliseconds(500)
    /// The longest wait without looking at the clock, so that one that was set is noticed.
    static let waitMax = Milliseconds(1000)

    let mailbox: Mailbox
    private let loop: Loop
    private let clock: any MachineClock
    private let events: Events
    private var thread = pthread_t()
    private var isStopping = false
    private let waitsForSpace = Atomic(true)
    /// How many turns it has begun, and how often it has tried to write again. Grows for as long as the thread is not stuck.
    private let turns = Atomic<UInt64>(0)
    private let hasJoined = Mutex(false)

    /// What the thread tells whoever started it.
    struct Events: Sendable {
        /// What a commit took, in nanoseconds, and how many events it brought.
        var commit: @Sendable (_ nanoseconds: Int64, _ events: Int) -> Void
        /// The disk is full (the error), or no longer (nil).
        var storage: @Sendable (LogError?) -> Void
        /// The log has failed; the loop has ended, and memory is ahead of the disk.
        var failure: @Sendable (LogError) -> Void
    }

    init(loop: Loop, mailbox: Mailbox, clock: any MachineClock, events: Events) {
        self.loop = loop
        self.mailbox = mailbox
        self.clock = clock
        self.events = events
    }

    func start() {
        let box = Unmanaged.passRetained(self)
        pthread_create(
            &thread, nil,
            { raw in
                let owner = Unmanaged<LoopThread>.fromOpaque(raw!).takeRetainedValue()
                owner.run()
                return nil
            }, box.toOpaque())
    }

    /// Asks the loop to end after the letters that wait now, and waits until it has.
    func stop() {
        mailbox.post(.query({ [self] _ in isStopping = true }, refused: { _ in }))
        // A thread may be joined once; whoever stops it again waits for the first.
        hasJoined.withLock { hasJoined in
            if !hasJoined { pthread_join(thread, nil) }
            hasJoined = true
        }
    }

    /// From now on a full disk ends the loop, as any other trouble with the log: whoever stops the engine does not want to wait
    /// for space.
    func stopWaitingForSpace() {
        waitsForSpace.store(false, ordering: .relaxed)
        mailbox.wake()
    }

    var turnCount: UInt64 { turns.load(ordering: .relaxed) }

    /// Does something with the loop on its thread, after the letters that wait now; calls the other once the loop has ended.
    func perform(_ body: @escaping @Sendable (Loop) -> Void, refused: @escaping @Sendable () -> Void = {}) {
        mailbox.post(.query({ [self] _ in body(loop) }, refused: { _ in refused() }))
    }

    private func run() {
        linux_begin_thread("engine")
        var end = EngineError.stopped
        while !isStopping {
            let letters = mailbox.take(waiting: wait())
            turns.add(1, ordering: .relaxed)
            let pending = loop.prepare(letters, at: clock.read())
            do throws(LogError) {
                let begun = monotonicNanoseconds()
                try commit(pending)
                if !pending.batch.isEmpty {
                    events.commit(monotonicNanoseconds() - begun, pending.batch.events.count)
                }
            } catch {
                // Memory is ahead of the disk: nothing more may be decided on it.
                end = .log(error)
                events.failure(error)
                loop.abandon(pending, because: end)
                break
            }
            loop.release(pending)
        }
        mailbox.close(end)
        loop.end(end)
    }

    private func wait() -> Milliseconds {
        min(loop.timeToNextDue(at: clock.read()) ?? Self.waitMax, Self.waitMax)
    }

    /// Commits; while the disk is full, refuses new commands and tries again until there is space. What workers report
    /// waits in the mailbox meanwhile.
    private func commit(_ pending: Loop.Pending) throws(LogError) {
        var isFull = false
        while true {
            do {
                try loop.commit(pending)
                if isFull {
                    mailbox.refuseClients(nil)
                    events.storage(nil)
                }
                return
            } catch .diskFull(let path) where waitsForSpace.load(ordering: .relaxed) {
                mailbox.refuseClients(.log(.diskFull(path: path)))
                if !isFull { events.storage(.diskFull(path: path)) }
                isFull = true
                mailbox.pause(Self.diskRetry)
                turns.add(1, ordering: .relaxed)
            }
        }
    }
}
