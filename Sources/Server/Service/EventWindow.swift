import StepwellHistory
import StepwellLog
import StepwellModel
import Synchronization

/// The newest part of the log as server-sent events, made once for all streams that follow the whole log: a thousand of them
/// must not read and write out each event a thousand times.
final class EventWindow: Sendable {
    private struct State {
        var lines: EventLines
        var pages: [EventPage] = []
        var byteCount = 0
        /// The pages hold what follows this number, up to `end`.
        var start = SequenceNumber(0)
        var end = SequenceNumber(0)
    }

    private let store: LMDBLog
    private let bytesMax: Int
    private let state: Mutex<State>

    init(_ store: LMDBLog, bytesMax: Int = 4 << 20) throws {
        self.store = store
        self.bytesMax = bytesMax
        state = Mutex(State(lines: try EventLines(.json, from: store)))
    }

    /// Events after a number, as many as come in one piece; none when there are no more.
    /// - Returns: nil for a number from before the window: whoever is so far behind reads the log itself.
    func events(after number: SequenceNumber) throws -> (bytes: ArraySlice<UInt8>, last: SequenceNumber)? {
        try state.withLock { state in
            if number > state.end {
                // A number that is yet to come says nothing of where others are.
                guard number <= store.head.number else { return nil }
                // Nobody has followed for a while.
                (state.pages, state.byteCount, state.start, state.end) = ([], 0, number, number)
            }
            guard number >= state.start else { return nil }
            if number == state.end, try !grow(&state) { return ([], number) }
            let page = state.pages[state.pages.firstIndex(after: number)]
            return (page.bytes(after: number), page.last)
        }
    }

    /// Adds what has come since; false if nothing has.
    private func grow(_ state: inout State) throws -> Bool {
        let page = try EventPage(store, task: nil, after: state.end, .all, &state.lines)
        guard page.count > 0 else { return false }
        state.pages.append(page)
        state.byteCount += page.bytes.count
        state.end = page.last
        while state.byteCount > bytesMax || state.pages.count > Self.pagesMax, state.pages.count > 1 {
            let oldest = state.pages.removeFirst()
            state.byteCount -= oldest.bytes.count
            state.start = oldest.last
        }
        return true
    }

    /// A log with little news makes small pages.
    private static let pagesMax = 256
}

extension [EventPage] {
    /// The first page that has something after a number. There must be one.
    fileprivate func firstIndex(after number: SequenceNumber) -> Int {
        var (low, high) = (0, count - 1)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].last > number { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
