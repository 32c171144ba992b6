/// Where the values of a JSON text are. Reads strictly, so that it also tells whether a text is JSON at all.
struct JSONShape {
    /// A value, and for a member of an object the place where its key begins, else where the value does.
    struct Value {
        var start: Int
        var end: Int
        var memberStart: Int
        var isMember: Bool
    }

    private(set) var values: [Value] = []
    private let keeps: Bool
    private var place = 0
    private static let depthMax = 512

    /// Nil when the text is not one JSON value. Without `keeps`, only that is found out.
    init?(_ text: borrowing Span<UInt8>, keeps: Bool = true) {
        self.keeps = keeps
        guard read(text, 0, memberStart: nil) else { return nil }
        skipSpace(text)
        guard place == text.count else { return nil }
    }

    private mutating func skipSpace(_ text: borrowing Span<UInt8>) {
        while place < text.count,
            text[place] == 0x20 || text[place] == 0x0A || text[place] == 0x0D || text[place] == 0x09
        {
            place += 1
        }
    }

    private mutating func read(_ text: borrowing Span<UInt8>, _ depth: Int, memberStart: Int?) -> Bool {
        skipSpace(text)
        guard place < text.count, depth < Self.depthMax else { return false }
        let start = place
        let number = values.count
        if keeps {
            values.append(
                Value(start: start, end: start, memberStart: memberStart ?? start, isMember: memberStart != nil))
        }
        let isRead: Bool
        switch text[place] {
        case UInt8(ascii: "{"): isRead = readList(text, depth, end: UInt8(ascii: "}"))
        case UInt8(ascii: "["): isRead = readList(text, depth, end: UInt8(ascii: "]"))
        case UInt8(ascii: "\""): isRead = readString(text)
        case UInt8(ascii: "t"): isRead = readWord(text, "true")
        case UInt8(ascii: "f"): isRead = readWord(text, "false")
        case UInt8(ascii: "n"): isRead = readWord(text, "null")
        default: isRead = readNumber(text)
        }
        if keeps { values[number].end = place }
        return isRead
    }

    private mutating func readList(_ text: borrowing Span<UInt8>, _ depth: Int, end: UInt8) -> Bool {
        place += 1
        skipSpace(text)
        if place < text.count, text[place] == end {
            place += 1
            return true
        }
        while true {
            var memberStart: Int?
            if end == UInt8(ascii: "}") {
                skipSpace(text)
                memberStart = place
                guard readString(text) else { return false }
                skipSpace(text)
                guard place < text.count, text[place] == UInt8(ascii: ":") else { return false }
                place += 1
            }
            guard read(text, depth + 1, memberStart: memberStart) else { return false }
            skipSpace(text)
            guard place < text.count else { return false }
            let byte = text[place]
            place += 1
            if byte == end { return true }
            guard byte == UInt8(ascii: ",") else { return false }
        }
    }

    private mutating func readString(_ text: borrowing Span<UInt8>) -> Bool {
        guard place < text.count, text[place] == UInt8(ascii: "\"") else { return false }
        place += 1
        while place < text.count {
            let byte = text[place]
            place += 1
            if byte == UInt8(ascii: "\"") { return true }
            if byte < 0x20 { return false }
            if byte == UInt8(ascii: "\\") {
                guard place < text.count else { return false }
                place += text[place] == UInt8(ascii: "u") ? 5 : 1
            }
        }
        return false
    }

    private mutating func readWord(_ text: borrowing Span<UInt8>, _ word: StaticString) -> Bool {
        guard place + word.utf8CodeUnitCount <= text.count else { return false }
        for offset in 0..<word.utf8CodeUnitCount where text[place + offset] != word.utf8Start[offset] { return false }
        place += word.utf8CodeUnitCount
        return true
    }

    private mutating func readNumber(_ text: borrowing Span<UInt8>) -> Bool {
        let start = place
        if text[place] == UInt8(ascii: "-") { place += 1 }
        guard readDigits(text) else { return false }
        if place < text.count, text[place] == UInt8(ascii: ".") {
            place += 1
            guard readDigits(text) else { return false }
        }
        if place < text.count, text[place] | 0x20 == UInt8(ascii: "e") {
            place += 1
            if place < text.count, text[place] == UInt8(ascii: "+") || text[place] == UInt8(ascii: "-") { place += 1 }
            guard readDigits(text) else { return false }
        }
        return place > start
    }

    private mutating func readDigits(_ text: borrowing Span<UInt8>) -> Bool {
        let start = place
        while place < text.count, UInt8(ascii: "0")...UInt8(ascii: "9") ~= text[place] { place += 1 }
        return place > start
    }
}
