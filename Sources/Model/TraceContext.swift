/// Where something stands in a distributed trace, as W3C Trace Context has it: `00-TRACE-SPAN-FLAGS`.
///
/// The spans of a task have ids that are made from the ids of the task and its events, so that everybody who reads the log, at any
/// time, finds the same.
package struct TraceContext: Hashable, Sendable {
    /// The trace's id, 16 bytes.
    package var high: UInt64
    package var low: UInt64
    package var span: UInt64
    /// Whether somebody keeps the trace.
    package var isSampled: Bool

    package init(high: UInt64, low: UInt64, span: UInt64, isSampled: Bool = true) {
        self.high = high
        self.low = low
        self.span = span
        self.isSampled = isSampled
    }

    /// Nil when the text is no `traceparent`. Of a later version, what this one knows is taken.
    package init?(traceparent text: String) {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count >= 4, parts[0].utf8.count == 2, parts[0] != "ff", Self.number(parts[0]) != nil,
            parts[0] != "00" || parts.count == 4, parts[1].utf8.count == 32, parts[2].utf8.count == 16,
            parts[3].utf8.count == 2, let high = Self.number(parts[1].prefix(16)),
            let low = Self.number(parts[1].dropFirst(16)), let span = Self.number(parts[2]),
            let flags = Self.number(parts[3]), high != 0 || low != 0, span != 0
        else { return nil }
        self.init(high: high, low: low, span: span, isSampled: flags & 1 == 1)
    }

    package var traceparent: String { "00-\(traceID)-\(spanID)-\(isSampled ? "01" : "00")" }
    package var traceID: String { Self.digits(high) + Self.digits(low) }
    package var spanID: String { Self.digits(span) }

    /// Of the digits 0 to 9 and a to f alone.
    private static func number(_ text: Substring) -> UInt64? {
        var value: UInt64 = 0
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt64(byte - UInt8(ascii: "0"))
            case UInt8(ascii: "a")...UInt8(ascii: "f"): value = value << 4 | UInt64(byte - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        return value
    }

    private static func digits(_ value: UInt64) -> String {
        let text = String(value, radix: 16)
        return String(repeating: "0", count: 16 - text.utf8.count) + text
    }
}

extension TraceContext {
    /// A span of a task: of a run of it, by the run's first event, or of an attempt, by its lease. In the trace that the task was
    /// submitted with, else in one that has the task's id.
    package init(task: TaskID, event: SequenceNumber, parent: TraceContext?) {
        var bits = task.high
        for part in [task.low, event.rawValue] { bits = Self.mixed(bits) ^ part }
        let span = Self.mixed(bits)
        self.init(
            high: parent?.high ?? task.high, low: parent?.low ?? task.low, span: span == 0 ? 1 : span,
            isSampled: parent?.isSampled ?? true)
    }

    /// The finaliser of SplitMix64.
    private static func mixed(_ value: UInt64) -> UInt64 {
        var bits = value &+ 0x9E37_79B9_7F4A_7C15
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }
}

extension Submission {
    /// The span that the task was submitted within.
    package var parentSpan: TraceContext? { traceparent.flatMap { TraceContext(traceparent: $0) } }
}
