/// Names a task: a UUID of version 7 (RFC 9562 section 5.7), so that ids sort by the time at which they were made.
public struct TaskID: Hashable, Comparable, Sendable {
    public var high: UInt64
    public var low: UInt64

    @inlinable
    public init(high: UInt64, low: UInt64) {
        self.high = high
        self.low = low
    }

    /// A version 7 UUID from a time and two random numbers; the caller brings both, since the model knows neither.
    public init(time: Timestamp, random: (UInt64, UInt64)) {
        let milliseconds = UInt64(max(0, time.milliseconds)) & 0xFFFF_FFFF_FFFF
        high = milliseconds << 16 | 0x7000 | random.0 & 0x0FFF
        low = 0x8000_0000_0000_0000 | random.1 & 0x3FFF_FFFF_FFFF_FFFF
    }

    @inlinable
    public static func < (left: TaskID, right: TaskID) -> Bool {
        left.high == right.high ? left.low < right.low : left.high < right.high
    }

    /// The 16 bytes in network order, as the log keeps them.
    public var bytes: [UInt8] {
        (0..<16).map { index in
            UInt8(truncatingIfNeeded: (index < 8 ? high : low) >> UInt64((7 - index % 8) * 8))
        }
    }

    /// The id that 16 bytes in network order hold, or nil for another number of bytes.
    public init?(bytes: some Collection<UInt8>) {
        guard bytes.count == 16 else { return nil }
        self.init(high: 0, low: 0)
        for (index, byte) in bytes.enumerated() {
            if index < 8 { high = high << 8 | UInt64(byte) } else { low = low << 8 | UInt64(byte) }
        }
    }

    /// The id of a step of this task, the same over all its attempts: a UUID of version 8 made from the task's by
    /// folding in the step's place.
    public func step(_ index: StepIndex) -> TaskID {
        TaskID(
            high: high & 0xFFFF_FFFF_FFFF_0FFF | 0x8000,
            low: low ^ (UInt64(index + 1) & 0xFFFF_FFFF))
    }
}

extension TaskID: LosslessStringConvertible {
    public var description: String {
        String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for nibble in 0..<32 {
                if Self.beginsGroup(nibble) {
                    text[place] = UInt8(ascii: "-")
                    place += 1
                }
                let digit = UInt8(truncatingIfNeeded: (nibble < 16 ? high : low) >> UInt64(60 - nibble % 16 * 4)) & 15
                text[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") + digit - 10
                place += 1
            }
            return place
        }
    }

    public init?(_ description: String) {
        var words: (high: UInt64, low: UInt64) = (0, 0)
        var nibble = 0
        var isDash = false
        for unit in description.utf8 {
            // One dash, and a digit behind it.
            if !isDash, Self.beginsGroup(nibble) {
                guard unit == UInt8(ascii: "-") else { return nil }
                isDash = true
                continue
            }
            guard nibble < 32, let digit = unit.hexDigit.map(UInt64.init) else { return nil }
            if nibble < 16 { words.high = words.high << 4 | digit } else { words.low = words.low << 4 | digit }
            nibble += 1
            isDash = false
        }
        guard nibble == 32 else { return nil }
        self.init(high: words.high, low: words.low)
    }

    /// Whether a dash stands before the digit: 8, 4, 4, 4 and 12 of them stand together.
    private static func beginsGroup(_ nibble: Int) -> Bool { 8...20 ~= nibble && nibble % 4 == 0 }
}
