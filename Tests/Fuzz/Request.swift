/// One request as it is sent, and what is known of the answer that it must get.
struct Request {
    /// Where its bytes are in what is sent.
    var start: Int
    var end: Int
    /// Of an answer to HEAD only the head comes.
    var isHead = false
    /// What comes before its body is HTTP, and ends it rightly: the answer is one of Stepwell, not of its HTTP library.
    var isHTTP = true
    /// The server may close the connection at it, with or without an answer.
    var mayClose = false
    /// It may be answered late or never.
    var isLoose = false
}

/// Writes requests, right ones and almost right ones.
struct RequestWriter {
    private(set) var bytes: [UInt8] = []
    private(set) var requests: [Request] = []
    private static let methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW", "post"].map {
        Array($0.utf8)
    }
    private static let headers = [
        "Content-Type: text/plain", "Content-Type: application/json; charset=latin-1", "Authorization: Bearer x",
        "Authorization: Basic eDp4",
        "Authorization:", "X-Stepwell-Actor: \u{fffd}é", "X-Stepwell-Actor: a:b#c", "Last-Event-ID: -1",
        "Last-Event-ID: 18446744073709551616",
        "Accept: */*;q=0", "Cookie: a=b", "Range: bytes=0-1", "Upgrade: h2c", "If-Match: *",
    ].map { Array($0.utf8) }
    /// Heads that are no HTTP, or about whose end one can be of two minds.
    private static let badHeads = [
        "Transfer-Encoding: chunked\r\nContent-Length: 4", "Content-Length: 1\r\nContent-Length: 2",
        "Content-Length: -1", "Transfer-Encoding: gzip",
        "Content-Length: 99999999999999999999", "Content-Length: 70000000", " folded: x", "no colon", "\u{0}: x", ": x",
        "X\r: y",
    ].map { Array($0.utf8) }

    var isEmpty: Bool { requests.isEmpty }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        requests.removeAll(keepingCapacity: true)
    }

    /// The entry as it is.
    mutating func add(_ entry: Corpus.Entry, _ session: Session? = nil) {
        add(
            method: entry.method, path: session?.filled(entry.path) ?? entry.path,
            body: session?.filled(entry.body) ?? entry.body)
    }

    /// The entry with something wrong in its body, its address, its method or its headers, or, now and then, as it is.
    mutating func addBent(_ entry: Corpus.Entry, _ session: Session? = nil, _ dice: inout Dice) {
        var (method, path, body, header) = (entry.method, entry.path, entry.body, [UInt8]())
        if let session { (path, body) = (session.filled(path), session.filled(body)) }
        if !body.isEmpty, dice.chance(800) { Mutator.bend(&body, isJSON: entry.isJSON, &dice) }
        if dice.chance(body.isEmpty ? 600 : 80) { Mutator.bend(address: &path, &dice) }
        if dice.chance(15) { method = dice.pick(Self.methods) }
        if dice.chance(80) { header = dice.pick(Self.headers) + [0x0D, 0x0A] }
        // Without a body, and with a request behind it, the library closes the connection (docs/decisions/0018).
        if !body.isEmpty, dice.chance(10) { header += "Expect: 100-continue\r\n".utf8 }
        add(method: method, path: path, body: body, header: header, isChunked: dice.chance(30))
    }

    private mutating func add(
        method: [UInt8], path: [UInt8], body: [UInt8], header: [UInt8] = [], isChunked: Bool = false
    ) {
        let start = bytes.count
        bytes += method
        bytes.append(0x20)
        // One word, whatever became of it.
        for byte in path { bytes.append(byte <= 0x20 || byte == 0x7F ? UInt8(ascii: "_") : byte) }
        bytes += " HTTP/1.1\r\nHost: x\r\n".utf8
        bytes += header
        if isChunked {
            bytes += "Transfer-Encoding: chunked\r\n\r\n".utf8
            for first in stride(from: 0, to: body.count, by: 100) {
                let chunk = body[first..<min(first + 100, body.count)]
                bytes += String(chunk.count, radix: 16).utf8
                bytes += [0x0D, 0x0A] + chunk + [0x0D, 0x0A]
            }
            bytes += "0\r\n\r\n".utf8
        } else {
            bytes += "Content-Length: \(body.count)\r\n\r\n".utf8
            bytes += body
        }
        let isHead = method.elementsEqual("HEAD".utf8)
        requests.append(Request(start: start, end: bytes.count, isHead: isHead))
    }

    /// Breaks the head of the last request, or its end: nothing can follow.
    mutating func breakLast(_ dice: inout Dice) {
        guard var last = requests.popLast() else { return }
        var request = Array(bytes[last.start...])
        let lineEnd = request.firstIndex(of: 0x0A) ?? 0
        let headEnd =
            request.indices.dropLast(3).first { request[$0..<$0 + 4].elementsEqual([13, 10, 13, 10]) } ?? lineEnd
        switch dice.below(6) {
        case 0: request.insert(contentsOf: dice.pick(Self.badHeads) + [0x0D, 0x0A], at: lineEnd + 1)
        case 1: request.insert(contentsOf: [UInt8](repeating: 0x61, count: 40_000), at: 4)
        case 2: request.removeLast(1 + dice.below(request.count - 1))
        case 3:
            var head = Array(request[..<headEnd])
            Mutator.flip(&head, &dice)
            request.replaceSubrange(..<headEnd, with: head)
        case 4: for _ in 0..<dice.below(40) { request.append(UInt8(truncatingIfNeeded: dice.next())) }
        default: request = (0..<dice.below(400)).map { _ in UInt8(truncatingIfNeeded: dice.next()) }
        }
        bytes.replaceSubrange(last.start..., with: request)
        (last.end, last.isHTTP, last.mayClose, last.isLoose) = (bytes.count, false, true, true)
        requests.append(last)
    }

    mutating func setLastLoose() {
        requests[requests.count - 1].isLoose = true
    }
}

/// A session of a worker, as its requests name it.
struct Session {
    let id: [UInt8]
    /// Of the attempt that it was given last, if any.
    var lease: [UInt8]
    var number = 0

    /// The text with `@S` for the session, 777777 for the lease, and 888888 for the number of the delivery.
    func filled(_ text: [UInt8]) -> [UInt8] {
        var filled: [UInt8] = []
        filled.reserveCapacity(text.count + 32)
        var place = 0
        while place < text.count {
            if text[place] == UInt8(ascii: "@"), place + 1 < text.count, text[place + 1] == UInt8(ascii: "S") {
                filled += id
                place += 2
            } else if text[place] == UInt8(ascii: "7"), place + 6 <= text.count,
                text[place..<place + 6].allSatisfy({ $0 == 0x37 })
            {
                filled += lease
                place += 6
            } else if text[place] == UInt8(ascii: "8"), place + 6 <= text.count,
                text[place..<place + 6].allSatisfy({ $0 == 0x38 })
            {
                filled += String(number).utf8
                place += 6
            } else {
                filled.append(text[place])
                place += 1
            }
        }
        return filled
    }
}
