import Stepwell
import StepwellEngine
import StepwellLog
import StepwellModel
import Synchronization

/// Follows the log from a durable cursor, on a thread of its own, and takes to one destination what is for it: in the log's order,
/// each at least once, and only what is on disk. A destination that is slow or dead holds up nobody else: the log is read from
/// where this follower stands.
final class Follower: Sendable {
    /// How it fares, for those who look.
    struct Report: Sendable {
        var cursor: Cursor
        var sent: UInt64 = 0
        var failed: UInt64 = 0
        var failuresInRow = 0
        var lastSent: Timestamp?
        var lastFailed: Timestamp?
        var nextTry: Timestamp?
    }

    private struct State {
        var report: Report
        var isStarted = false
        var isStopped = false
        var hasEnded = false
        /// Counts the times that somebody has set the cursor: what was under way then is of no interest.
        var turn = 0
        var isSaved = false
        var savedAt: Int64 = 0
        var whenEnded: [@Sendable () -> Void] = []
    }

    let destination: any Destination
    private let log: any EventReader
    private let feed: EventFeed
    private let file: CursorFile
    private let clock: any MachineClock
    private let notice: @Sendable (String) -> Void
    private let bell = Bell()
    private let state: Mutex<State>
    private let writing = Mutex(())

    private static let pageMax = 256
    /// Payloads of so many bytes are held at a time, and one event's more.
    private static let pageBytesMax = 1 << 20
    /// Milliseconds. What was delivered meanwhile is delivered again after a crash.
    private static let savePause: Int64 = 1000
    private static let faultPause = Milliseconds.seconds(5)

    /// - Parameter start: where to begin when there is no cursor yet.
    init(
        _ destination: any Destination, log: any EventReader, feed: EventFeed, file: CursorFile, start: SequenceNumber,
        clock: any MachineClock, notice: @escaping @Sendable (String) -> Void
    ) {
        self.destination = destination
        self.log = log
        self.feed = feed
        self.file = file
        self.clock = clock
        self.notice = notice
        state = Mutex(State(report: Report(cursor: file.read() ?? Cursor(after: start))))
    }

    var report: Report { state.withLock { $0.report } }

    /// How many events it is behind the log's end.
    func lag(behind head: SequenceNumber) -> UInt64 {
        let after = report.cursor.after
        return head > after ? head.rawValue - after.rawValue : 0
    }

    /// Puts the cursor on disk, so that what is written from now on is not missed, whenever it is started.
    func prepare() throws { try save() }

    /// Begins, once.
    func start() {
        let begins = state.withLock { state in
            defer { state.isStarted = true }
            return !state.isStarted && !state.isStopped
        }
        guard begins else { return }
        onThread { [self] in
            run()
            try? save()
            let calls = state.withLock { state in
                state.hasEnded = true
                defer { state.whenEnded = [] }
                return state.whenEnded
            }
            for call in calls { call() }
        }
    }

    /// Ends it; calls when it has ended. What is on its way is broken off, and sent again by the next follower.
    func stop(_ done: @escaping @Sendable () -> Void) {
        let hasEnded = state.withLock { state in
            state.isStopped = true
            if !state.isStarted { state.hasEnded = true }
            if !state.hasEnded { state.whenEnded.append(done) }
            return state.hasEnded
        }
        destination.interrupt()
        feed.forget(self)
        bell.ring()
        if hasEnded { done() }
    }

    /// Has one that was given up try again; from another place, if one is given.
    func enable(after: SequenceNumber?) throws {
        state.withLock { state in
            state.turn += 1
            if let after { state.report.cursor.after = after }
            state.report.cursor.disabledAt = nil
            state.report.cursor.failingSince = nil
            state.report.failuresInRow = 0
            state.report.nextTry = nil
            state.isSaved = false
        }
        try save()
        bell.ring()
    }

    func removeCursor() { file.remove() }

    // MARK: The thread

    private var isStopped: Bool { state.withLock { $0.isStopped } }

    private func run() {
        while !isStopped {
            do {
                // Asked before the log is read, so that no commit falls between.
                feed.whenNews(self) { [bell] in bell.ring() }
                let isIdle = try report.cursor.disabledAt != nil || !takePage()
                guard isIdle else { continue }
                try save()
                bell.wait(nil)
            } catch {
                failed("\(error)")
                bell.wait(Self.faultPause)
            }
        }
    }

    /// Takes some events from the log to the destination. False when there are no more.
    private func takePage() throws -> Bool {
        let turn = try begin()
        var records: [EventRecord] = []
        var bytes = 0
        try log.events(after: turn.after, payloads: .included) { record in
            records.append(record)
            bytes += record.event.payloadBytes
            return records.count < Self.pageMax && bytes < Self.pageBytesMax
        }
        for record in records {
            for parcel in try destination.parcels(for: record) {
                guard deliver(parcel, turn.number) else { return true }
            }
            let goesOn = state.withLock { state in
                guard state.turn == turn.number, !state.isStopped else { return false }
                state.report.cursor.after = record.number
                state.isSaved = false
                return true
            }
            guard goesOn else { return true }
            if state.withLock({ clock.read().monotonic.rawValue - $0.savedAt >= Self.savePause }) { try save() }
        }
        return !records.isEmpty
    }

    /// Where to go on. A log that was taken back to an earlier state has no such place any more.
    private func begin() throws(LogError) -> (after: SequenceNumber, number: Int) {
        let head = try log.currentHead().number
        let (turn, lost) = state.withLock { state -> ((SequenceNumber, Int), SequenceNumber?) in
            let after = state.report.cursor.after
            guard after > head else { return ((after, state.turn), nil) }
            state.report.cursor.after = head
            state.isSaved = false
            return ((head, state.turn), after)
        }
        if let lost {
            notice(
                "\(destination.label): the log ends at \(head.rawValue), before event \(lost.rawValue) that was delivered; "
                    + "going on with what comes")
        }
        return turn
    }

    /// Sends until it is delivered. False when it was not, and is not to be any more for now.
    private func deliver(_ parcel: Parcel, _ turn: Int) -> Bool {
        while state.withLock({ $0.turn == turn && !$0.isStopped }) {
            switch destination.send(parcel, at: clock.now()) {
            case .delivered:
                succeeded()
                return true
            case .refused(let reason):
                failed("refused: \(reason)")
                notice("\(destination.label): not delivered, and left out: \(reason)")
                return true
            case .gone(let reason):
                disable(reason)
                return false
            case .failed(let reason, let asked):
                guard !isStopped else { return false }
                guard let pause = failed(reason, asked) else {
                    disable(reason)
                    return false
                }
                let end = clock.read().monotonic.rawValue + pause.rawValue
                while state.withLock({ $0.turn == turn && !$0.isStopped }) {
                    let left = end - clock.read().monotonic.rawValue
                    if left <= 0 { break }
                    bell.wait(Milliseconds(left))
                }
            }
        }
        return false
    }

    // MARK: What is kept of it

    private func succeeded() {
        let now = clock.now()
        let wasFailing = state.withLock { state in
            defer {
                state.report.failuresInRow = 0
                state.report.nextTry = nil
                state.report.cursor.failingSince = nil
                state.report.cursor.lastError = nil
            }
            state.report.sent += 1
            state.report.lastSent = now
            return state.report.cursor.failingSince != nil
        }
        if wasFailing { notice("\(destination.label): delivers again") }
    }

    private func failed(_ reason: String) {
        let now = clock.now()
        state.withLock { state in
            state.report.failed += 1
            state.report.lastFailed = now
            state.report.cursor.lastError = reason
            state.isSaved = false
        }
    }

    /// The wait before the next try; nil when it is time to give up.
    private func failed(_ reason: String, _ asked: Milliseconds?) -> Milliseconds? {
        failed(reason)
        let now = clock.now()
        let (pause, isFirst) = state.withLock { state -> (Milliseconds?, Bool) in
            let since = state.report.cursor.failingSince ?? now
            let isFirst = state.report.cursor.failingSince == nil
            state.report.cursor.failingSince = since
            state.report.failuresInRow += 1
            guard !destination.patience.givesUp(failingSince: since, at: now) else { return (nil, isFirst) }
            let pause = destination.patience.pause(
                failures: state.report.failuresInRow, asked: asked, dice: .random(in: .min ... .max))
            state.report.nextTry = now.advanced(by: pause)
            return (pause, isFirst)
        }
        if isFirst { notice("\(destination.label): cannot deliver, and goes on trying: \(reason)") }
        // So that a restart does not begin to count its patience anew.
        try? save()
        return pause
    }

    private func disable(_ reason: String) {
        let now = clock.now()
        state.withLock { state in
            state.report.cursor.disabledAt = now
            state.report.cursor.lastError = reason
            state.report.lastFailed = now
            state.report.nextTry = nil
            state.isSaved = false
        }
        try? save()
        notice("\(destination.label): disabled, after \(reason)")
    }

    private func save() throws {
        let now = clock.read().monotonic.rawValue
        // One at a time, and each with what is so then: a later place must not be overwritten by an earlier one.
        let fault = writing.withLock { _ -> FileError? in
            let cursor: Cursor? = state.withLock { state in
                guard !state.isSaved else { return nil }
                state.isSaved = true
                state.savedAt = now
                return state.report.cursor
            }
            guard let cursor else { return nil }
            do throws(FileError) {
                try file.write(cursor)
                return nil
            } catch {
                state.withLock { $0.isSaved = false }
                return error
            }
        }
        if let fault { throw fault }
    }
}

extension Event {
    /// How much of memory the payload takes.
    fileprivate var payloadBytes: Int {
        switch self {
        case .attemptSucceeded(_, let result, let metadata): result.bytes.count + (metadata?.bytes.count ?? 0)
        case .taskSubmitted(let submission): submission.input.bytes.count
        case .attemptCheckpointed(_, let data): data.bytes.count
        case .resultAdopted(let adopted): adopted.result.bytes.count
        default: 0
        }
    }
}
