import StepwellModel

/// The beginning of a task's id, as a person types it: hexadecimal digits, with the dashes or without.
struct TaskIDPrefix {
    /// The least and the greatest id that begin so.
    let first: TaskID
    let last: TaskID

    init?(_ text: String) {
        var first: [UInt8] = []
        for unit in text.utf8 where unit != UInt8(ascii: "-") {
            guard let digit = unit.hexDigit else { return nil }
            first.append(digit)
        }
        guard first.count <= 32 else { return nil }
        let fill = 32 - first.count
        self.first = Self.id(first + [UInt8](repeating: 0, count: fill))
        last = Self.id(first + [UInt8](repeating: 15, count: fill))
    }

    private static func id(_ digits: [UInt8]) -> TaskID {
        func number(_ half: ArraySlice<UInt8>) -> UInt64 { half.reduce(0) { $0 << 4 | UInt64($1) } }
        return TaskID(high: number(digits[..<16]), low: number(digits[16...]))
    }
}
