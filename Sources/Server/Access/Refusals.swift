import StepwellEngine
import Synchronization

/// The requests that were answered with 401 or 403: all counted, and told, but for a flood.
package final class Refusals: Sendable {
    private struct State {
        var counts: [String: Int] = [:]
        var second: Int64 = 0
        var told = 0
        var untold = 0
    }

    /// One of them.
    package struct Refusal: Sendable {
        package var code: String
        package var message: String
        package var method: String
        package var path: String
        package var remote: String
        /// How many before it were not told.
        package var untold: Int
    }

    /// The codes that there are, so that each has a figure from the beginning.
    static let codes = [
        "foreign_page", "not_allowed", "token_expired", "token_malformed", "token_missing", "token_unknown",
    ]

    private let state = Mutex(State())
    private let tell: @Sendable (Refusal) -> Void
    /// Lines in a second: whoever tries tokens must not fill the disk.
    private static let toldMax = 10

    package init(tell: @escaping @Sendable (Refusal) -> Void = { _ in }) {
        self.tell = tell
    }

    package var count: Int { state.withLock { $0.counts.values.reduce(0, +) } }

    /// By their codes, in the order of these.
    var counts: [(code: String, count: Int)] {
        let counts = state.withLock { $0.counts }
        return Set(Self.codes).union(counts.keys).sorted().map { ($0, counts[$0] ?? 0) }
    }

    func add(_ code: String, _ message: String, _ request: HTTPRequest) {
        let second = monotonicMilliseconds() / 1000
        let untold: Int? = state.withLock { state in
            state.counts[code, default: 0] += 1
            if state.second != second { (state.second, state.told) = (second, 0) }
            guard state.told < Self.toldMax else {
                state.untold += 1
                return nil
            }
            state.told += 1
            defer { state.untold = 0 }
            return state.untold
        }
        guard let untold else { return }
        tell(
            Refusal(
                code: code, message: message, method: request.method,
                path: "/" + request.path.joined(separator: "/"), remote: request.remote, untold: untold))
    }
}
