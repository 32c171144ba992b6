/// Counts the server-sent events in an answer that comes in chunks, wherever the pieces are cut.
struct EventCounter {
    private(set) var count = 0

    private enum Place {
        /// In the head; how much of its end has come.
        case head(Int)
        case size(Int)
        case data(Int)
        /// In the two bytes after a chunk.
        case gap(Int)
    }

    private var place = Place.head(0)
    /// How much of a line's beginning has matched `id:`; -1 when the line begins otherwise.
    private var matched = 0
    private static let mark = Array("id:".utf8)
    private static let headEnd = Array("\r\n\r\n".utf8)

    mutating func take(_ bytes: [UInt8]) {
        for byte in bytes { take(byte) }
    }

    private mutating func take(_ byte: UInt8) {
        switch place {
        case .head(let found):
            let now = byte == Self.headEnd[found] ? found + 1 : byte == Self.headEnd[0] ? 1 : 0
            place = now == 4 ? .size(0) : .head(now)
        case .size(let size):
            switch byte {
            case UInt8(ascii: "\r"): break
            case UInt8(ascii: "\n"): place = .data(size)
            default: place = .size(size * 16 + (Character(UnicodeScalar(byte)).hexDigitValue ?? 0))
            }
        case .data(let left):
            see(byte)
            place = left == 1 ? .gap(2) : .data(left - 1)
        case .gap(let left):
            place = left == 1 ? .size(0) : .gap(left - 1)
        }
    }

    private mutating func see(_ byte: UInt8) {
        if byte == UInt8(ascii: "\n") {
            matched = 0
        } else if matched >= 0 {
            matched = byte == Self.mark[matched] ? matched + 1 : -1
            if matched == Self.mark.count {
                count += 1
                matched = -1
            }
        }
    }
}
