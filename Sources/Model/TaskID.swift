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
        let digits = Array("0123456789abcdef".utf8)
        var text: [UInt8] = []
        text.reserveCapacity(36)
        for (index, byte) in bytes.enumerated() {
            if index == 4 || index == 6 || index == 8 || index == 10 { text.append(UInt8(ascii: "-")) }
            text.append(digits[Int(byte >> 4)])
            text.append(digits[Int(byte & 15)])
        }
        return String(decoding: text, as: UTF8.self)
    }

    public init?(_ description: String) {
        guard description.utf8.count == 36 else { return nil }
        var bytes: [UInt8] = []
        var pending: UInt8?
        for (place, unit) in description.utf8.enumerated() {
            if place == 8 || place == 13 || place == 18 || place == 23 {
                guard unit == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = Character(UnicodeScalar(unit)).hexDigitValue.map(UInt8.init) else { return nil }
            if let high = pending {
                bytes.append(high << 4 | digit)
                pending = nil
            } else {
                pending = digit
            }
        }
        self.init(bytes: bytes)
    }
}
