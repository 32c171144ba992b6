import StepwellHistory
import StepwellLog
import StepwellModel
import Synchronization

/// Events as server-sent events, from a place in the log on and for ever: each with its number as id, so that a client that
/// says the last id that it has seen misses and repeats nothing.
final class EventStream: BodySource {
    private struct State {
        var facts: TaskFacts
        var last: SequenceNumber
        var pending: ArraySlice<UInt8> = []
        /// The last beat that the client has heard of; none before its stream has begun.
        var beats: Int?
    }

    private let service: Service
    private let task: TaskID?
    private let namespaces: NamespaceScope
    private let state: Mutex<State>
    private static let recordsMax = 256
    /// What is read at once ends with the record that passes this: a stream holds little more than its largest event.
    private static let bytesMax = 256 << 10

    init(_ service: Service, task: TaskID?, after: SequenceNumber, namespaces: NamespaceScope) {
        self.service = service
        self.task = task
        self.namespaces = namespaces
        state = Mutex(State(facts: TaskFacts(reader: service.store), last: after))
        service.metrics.streams.add(1, ordering: .relaxed)
    }

    deinit { service.metrics.streams.subtract(1, ordering: .relaxed) }

    func next(_ countMax: Int, wake: @escaping @Sendable () -> Void) -> [UInt8]? {
        state.withLock { state in
            if state.pending.isEmpty {
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
        var count = 0
        var bytes: [UInt8] = []
        // Bound by the number of records, also of those that are not for this client.
        func take(_ record: EventRecord) throws -> Bool {
            count += 1
            state.last = record.number
            let isVisible = try namespaces.includes(record.task, service.store)
            if isVisible {
                let steps = try state.facts.steps(of: record.task)
                bytes += "id: \(record.number.rawValue)\nevent: \(record.event.type.name)\ndata: ".utf8
                bytes += EventJSON.line(record) { steps?[$0] }
                bytes += "\n\n".utf8
            }
            return count < Self.recordsMax && bytes.count < Self.bytesMax
        }
        try service.events(of: task, after: state.last, take)
        if bytes.isEmpty, count > 0 { bytes = Self.comment }
        state.pending = bytes[...]
    }
}
