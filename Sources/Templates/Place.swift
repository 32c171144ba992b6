/// A place in a text: line and column, both from 1; a column is a character (a Unicode scalar), as editors count.
struct Place: Hashable, Comparable, Sendable {
    var line: Int
    var column: Int

    static let start = Place(line: 1, column: 1)

    static func < (left: Place, right: Place) -> Bool {
        (left.line, left.column) < (right.line, right.column)
    }

    /// `line 3, column 7`.
    var words: String { "line \(line), column \(column)" }
}

extension Place {
    /// The place of the byte at `offset`.
    init(offset: Int, in text: some Sequence<UInt8>) {
        self = .start
        var last: UInt8 = 0
        for byte in text.prefix(offset) {
            if byte == UInt8(ascii: "\n"), last == UInt8(ascii: "\r") {
                // The second half of a line's end.
            } else if byte == UInt8(ascii: "\n") || byte == UInt8(ascii: "\r") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
            last = byte
        }
    }
}
