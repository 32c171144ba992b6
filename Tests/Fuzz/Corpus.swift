/// Requests as they should be, from a file: before each body a line `WEIGHT KIND METHOD PATH LENGTH`, behind it a line's end.
struct Corpus {
    enum Kind: String {
        /// Of a client.
        case client
        /// Of a worker in its session.
        case worker
        /// Begins a session.
        case hello
        /// Begins a session that is given work.
        case crew
        /// Makes work for workers.
        case supply
        /// Asks for attempts, in a session.
        case poll
        /// What a worker says on a line, of its attempt.
        case line
        /// What a worker says on a line at any time.
        case note
        /// May be answered late or never: nothing comes behind it.
        case loose
        /// Sent as it is, or with another text that cannot be taken.
        case exact
    }

    struct Entry {
        var kind: Kind
        var method: [UInt8]
        var path: [UInt8]
        var body: [UInt8]
        var isJSON: Bool
    }

    /// Each as often as its weight says.
    private(set) var entries: [Kind: [Entry]] = [:]

    init(_ file: [UInt8]) throws(Fault) {
        var place = 0
        while place < file.count {
            guard let end = file[place...].firstIndex(of: 0x0A) else { throw Fault("the corpus ends within a line") }
            let words = file[place..<end].split(separator: 0x20)
            guard words.count == 5, let weight = Self.number(words[0]), let length = Self.number(words[4]),
                let kind = Kind(rawValue: String(decoding: words[1], as: UTF8.self)), end + 1 + length <= file.count
            else { throw Fault("the corpus has a bad line: \(String(decoding: file[place..<end], as: UTF8.self))") }
            let body = Array(file[end + 1..<end + 1 + length])
            let entry = Entry(
                kind: kind, method: Array(words[2]), path: Array(words[3]), body: body,
                isJSON: JSONShape(body.span, keeps: false) != nil)
            entries[kind, default: []] += Array(repeating: entry, count: weight)
            place = end + 2 + length
        }
        for kind in [Kind.client, .worker, .hello, .crew, .supply, .poll, .line, .note, .loose, .exact]
        where entries[kind] == nil {
            throw Fault("the corpus has nothing of the kind '\(kind.rawValue)'")
        }
    }

    private static func number(_ text: ArraySlice<UInt8>) -> Int? { Int(String(decoding: text, as: UTF8.self)) }
}

/// Why the fuzzer itself cannot go on.
struct Fault: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
