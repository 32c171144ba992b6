package import StepwellModel

// Words for people, the same in all that is told of the log.

extension FailureReason {
    package var sentence: String {
        switch self {
        case .attemptsExhausted: "all attempts are used up"
        case .notRetryable: "the failure is not retryable"
        case .lossesExhausted: "its worker died too often with it"
        }
    }
}

extension LossReason {
    package var sentence: String {
        switch self {
        case .engineDied: "the engine died"
        case .workerDied: "its worker died"
        case .engineStopped: "the engine was stopped"
        }
    }
}

extension RejectedResult.Reason {
    package var sentence: String {
        switch self {
        case .duplicate: "the attempt had a result already"
        case .timedOut: "the attempt had timed out"
        case .cancelled: "the task had been cancelled"
        case .lost: "the attempt had been given up as lost"
        case .taskClosed: "the task was closed"
        }
    }
}

extension Failure {
    /// `unavailable: the service answered 503`, on one line.
    package var sentence: String {
        let line = message.split(whereSeparator: \.isNewline).first.map(String.init) ?? message
        return "\(errorType): \(line.cut(to: 300))" + (errorCode.map { " [\($0)]" } ?? "")
    }
}

extension [String] {
    /// A few of the words, and how many more there are.
    package var listed: String {
        count <= 3 ? joined(separator: ", ") : prefix(3).joined(separator: ", ") + " and \(count - 3) more"
    }
}

extension Actor {
    /// `operator ada`.
    package var told: String { [kind.name, id].filter { !$0.isEmpty }.joined(separator: " ") }
}

extension WorkerID {
    /// `python#1 (worker 2)`, by its name if that is known, and by the number that events have.
    package func told(_ name: String?) -> String { name.map { "\($0) (\(self))" } ?? description }
}

extension JSONText {
    private static let toldMax = 120

    /// The beginning of the value, on one line.
    package var told: String { description.printable.cut(to: Self.toldMax) }

    var isToldWhole: Bool { description.count <= Self.toldMax }
}

extension TaskID {
    /// Enough of the id to name the task in a small store.
    package var short: String { String(description.prefix(13)) }
}

extension Timestamp {
    /// `02:00:31.042` in UTC.
    package var timeOfDay: String { String(description.dropFirst(11).dropLast()) }

    /// The time alone on the same day, else the date too. To the millisecond, and always in UTC.
    package func told(on day: Timestamp) -> String {
        startOfDay == day.startOfDay ? timeOfDay : description
    }
}

extension String {
    /// The text on one line, and without what a terminal would obey.
    package var printable: String {
        String(String.UnicodeScalarView(unicodeScalars.map { $0.properties.generalCategory == .control ? " " : $0 }))
    }

    package func cut(to width: Int) -> String {
        count <= width ? self : prefix(Swift.max(0, width - 1)) + "…"
    }
}

extension String {
    /// The text as one word of a shell.
    package var shellWord: String {
        let plain =
            !isEmpty
            && utf8.allSatisfy { unit in
                switch unit {
                case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                    UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"), UInt8(ascii: "."),
                    UInt8(ascii: "/"),
                    0x80...:
                    true
                default: false
                }
            }
        return plain
            ? self : "'" + split(separator: "'", omittingEmptySubsequences: false).joined(separator: "'\\''") + "'"
    }
}
