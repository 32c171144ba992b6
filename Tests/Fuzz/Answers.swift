/// Reads answers from what has come, one after the other, strictly.
struct Answers {
    struct Answer {
        var status: Int
        var isProblem: Bool
        var isJSON: Bool
        /// Goes on for ever.
        var isStream: Bool
        var closes: Bool
        var body: Range<Int>
    }

    enum Next {
        case answer(Answer)
        case incomplete
        case broken(String)
    }

    private(set) var bytes: [UInt8] = []
    private var place = 0

    mutating func append(_ more: UnsafeRawBufferPointer) {
        // What was read is dropped now and then, not at each answer.
        if place > 1 << 16 || place == bytes.count {
            bytes.removeFirst(place)
            place = 0
        }
        bytes.append(contentsOf: more)
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        place = 0
    }

    var rest: Int { bytes.count - place }

    /// The next answer, without those before it that only say that it will come.
    mutating func next(hasBody: Bool) -> Next {
        while true {
            guard let (found, headEnd) = readHead() else {
                return bytes.count - place > 65_536 ? .broken("a head without an end") : .incomplete
            }
            guard let head = found else { return .broken("a head that is no HTTP") }
            if 100..<200 ~= head.status {
                place = headEnd
                continue
            }
            var answer = Answer(
                status: head.status, isProblem: head.isProblem, isJSON: head.isJSON || head.isProblem,
                isStream: head.isChunked,
                closes: head.closes, body: headEnd..<headEnd)
            if head.isChunked {
                place = headEnd
                return .answer(answer)
            }
            if hasBody, head.status != 204, head.status != 304 {
                guard let length = head.length else { return .broken("a head that does not say how long the body is") }
                guard headEnd + length <= bytes.count else { return .incomplete }
                answer.body = headEnd..<headEnd + length
            }
            place = answer.body.upperBound
            return .answer(answer)
        }
    }

    /// The head that comes next, if it is one, and the place behind it.
    private func readHead() -> (head: Head?, end: Int)? {
        let span = bytes.span
        return Self.headEnd(span, from: place).map { (Head(span, place, $0), $0) }
    }

    /// What a body holds; nil when it is not JSON.
    func shape(of body: Range<Int>, keeps: Bool) -> JSONShape? {
        let span = bytes.span
        return JSONShape(span.extracting(body), keeps: keeps)
    }

    /// The place behind the empty line.
    private static func headEnd(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int? {
        var at = start
        while at + 3 < bytes.count {
            if bytes[at + 3] > 0x0D {
                at += 4
            } else if bytes[at] == 13, bytes[at + 1] == 10, bytes[at + 2] == 13, bytes[at + 3] == 10 {
                return at + 4
            } else {
                at += 1
            }
        }
        return nil
    }

    private struct Head {
        var status = 0
        var length: Int?
        var isProblem = false
        var isJSON = false
        var isChunked = false
        var closes = false

        init?(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) {
            guard Self.matches(bytes, start, end, "http/1."), end - start > 14, bytes[start + 8] == 0x20 else {
                return nil
            }
            for digit in 9..<12 {
                guard 0x30...0x39 ~= bytes[start + digit] else { return nil }
                status = status * 10 + Int(bytes[start + digit] - 0x30)
            }
            guard 100..<600 ~= status else { return nil }
            var at = start
            while at < end - 2 {
                var lineEnd = at
                while bytes[lineEnd] != 10 { lineEnd += 1 }
                guard lineEnd > at, bytes[lineEnd - 1] == 13 else { return nil }
                if at > start { read(bytes, at, lineEnd - 1) }
                at = lineEnd + 1
            }
        }

        private mutating func read(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int) {
            if Self.matches(bytes, start, end, "content-length: ") {
                var number = 0
                for at in start + 16..<end where 0x30...0x39 ~= bytes[at] {
                    number = number * 10 + Int(bytes[at] - 0x30)
                }
                length = number
            } else if Self.matches(bytes, start, end, "content-type: application/problem+json") {
                isProblem = true
            } else if Self.matches(bytes, start, end, "content-type: application/json") {
                isJSON = true
            } else if Self.matches(bytes, start, end, "transfer-encoding: chunked") {
                isChunked = true
            } else if Self.matches(bytes, start, end, "connection: close") {
                closes = true
            }
        }

        /// Whether the bytes begin with the word, whatever their case.
        private static func matches(_ bytes: borrowing Span<UInt8>, _ start: Int, _ end: Int, _ word: StaticString)
            -> Bool
        {
            guard end - start >= word.utf8CodeUnitCount else { return false }
            for at in 0..<word.utf8CodeUnitCount {
                let byte = bytes[start + at]
                let lower = 0x41...0x5A ~= byte ? byte | 0x20 : byte
                guard lower == word.utf8Start[at] else { return false }
            }
            return true
        }
    }
}
