import StepwellHistory
import StepwellLog
import StepwellModel
import Synchronization

/// Events as server-sent events, from a place in the log on and for ever: each with its number as id, so that a client that
/// says the last id that it has seen misses and repeats nothing.
final class EventStream: BodySource {
    private struct State {
        var lines: EventLines
        var last: SequenceNumber
        var pending: ArraySlice<UInt8> = []
        /// Whether all has been written up to where it is to end.
        var isAtEnd = false
        /// The last beat that the client has heard of; none before its stream has begun.
        var beats: Int?
    }

    private let service: Service
    private let task: TaskID?
    private let namespaces: NamespaceScope
    private let state: Mutex<State>
    /// Where the stream ends; nil: it never does.
    private let until: SequenceNumber?
    private let form: EventForm

    init(
        _ service: Service, task: TaskID?, after: SequenceNumber, form: EventForm, until: SequenceNumber?,
        namespaces: NamespaceScope
    ) throws {
        self.service = service
        self.task = task
        self.namespaces = namespaces
        (self.form, self.until) = (form, until)
        state = Mutex(State(lines: try EventLines(form, from: service.store), last: after))
        service.metrics.streams.add(1, ordering: .relaxed)
    }

    deinit { service.metrics.streams.subtract(1, ordering: .relaxed) }

    func next(_ countMax: Int, wake: @escaping @Sendable () -> Void) -> [UInt8]? {
        state.withLock { state in
            if state.pending.isEmpty {
                if state.isAtEnd { return nil }
                // Asked before the log is read, so that no commit falls between; nor does the end of all streams.
                service.feed.whenNews(self, wake)
                guard !service.feed.isStopped else { return nil }
                let beats = service.feed.beats
                do { try fill(&state) } catch { return nil }
                if state.pending.isEmpty, state.beats != beats { state.pending = Self.comment[...] }
                state.beats = beats
            }
            let bytes = Array(state.pending.prefix(countMax))
            state.pending = state.pending.dropFirst(bytes.count)
            return bytes
        }
    }

    func end() { service.feed.forget(self) }

    private static let comment = Array(": \n\n".utf8)

    private func fill(_ state: inout State) throws {
        if task == nil, until == nil, form == .json, case .all = namespaces,
            let (bytes, last) = try service.window.events(after: state.last)
        {
            (state.pending, state.last) = (bytes, last)
            return
        }
        var page = try EventPage(
            service.store, task: task, after: state.last, until: until, namespaces, &state.lines)
        state.last = page.last
        if until != nil, page.isAtEnd {
            state.isAtEnd = true
            page.bytes += "event: end\ndata:\n\n".utf8
        }
        // Those of others make no noise, but they are a sign of life.
        state.pending = page.bytes.isEmpty && page.count > 0 ? Self.comment[...] : page.bytes[...]
    }
}
