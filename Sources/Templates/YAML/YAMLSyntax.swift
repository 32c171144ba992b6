import CYAML

extension YAMLFault {
    /// What libyaml stumbled over, with a cure.
    init(_ parser: yaml_parser_t, in text: UnsafeBufferPointer<UInt8>) {
        let problem = parser.problem.map { String(cString: $0) } ?? "unreadable text"
        let context = parser.context.map { String(cString: $0) }
        guard parser.error != YAML_READER_ERROR else {
            self = Self.reader(problem, Int(parser.problem_value), offset: parser.problem_offset, in: text)
            return
        }
        let place = Place(parser.problem_mark)
        let start = Place(parser.context_mark)
        if let tab = Self.indentingTab(in: place.line, of: text) {
            self.init(
                code: .tab, place: tab, message: "a tab indents this line; YAML allows spaces only",
                cure: "replace the tab by spaces, two a level")
            return
        }
        let rule = Self.rules.first {
            problem.hasPrefix($0.problem) && context?.contains($0.context) ?? $0.context.isEmpty
        }
        let message = rule?.message ?? [context, problem].compactMap(\.self).joined(separator: ": ")
        let cure = rule?.cure ?? "check the indentation and the quotes of this line"
        self.init(
            code: .syntax, place: rule?.isAtStart == true ? start : place, message: "not YAML: " + message,
            cure: cure.replacing("START", with: start.words))
    }

    /// What a problem of libyaml means, in the words of somebody who writes a template. `START` in a cure is the place where
    /// the thing began that went wrong.
    private struct Rule {
        var problem: String
        /// Part of what libyaml was doing.
        var context = ""
        var message: String
        var cure: String
        /// The fault is where the thing began, not where its lack was noticed.
        var isAtStart = false
    }

    private static let rules = [
        Rule(
            problem: "mapping values are not allowed",
            message: "a second ': ' in one line, or a key too far to the right",
            cure: "put a value that holds ': ' in quotes, and line the key up with the keys above it"),
        Rule(
            problem: "could not find expected ':'", message: "a key without ':'",
            cure: "write 'key: value'; a text of several lines is indented further than its key", isAtStart: true),
        Rule(
            problem: "found unexpected end of stream", context: "quoted scalar",
            message: "the text that begins here has no end",
            cure: "close the quote", isAtStart: true),
        Rule(
            problem: "found unexpected document indicator", context: "quoted scalar",
            message: "the text that begins here has no end", cure: "close the quote", isAtStart: true),
        Rule(
            problem: "found unknown escape character", message: "an unknown escape in a text of double quotes",
            cure: "write '\\\\' for a backslash, or put the text in single quotes"),
        Rule(
            problem: "did not find expected ',' or '}'", message: "'{' without '}', or ',' is missing",
            cure: "the mapping began at START; separate its entries by ',' and end it with '}'"),
        Rule(
            problem: "did not find expected ',' or ']'", message: "'[' without ']', or ',' is missing",
            cure: "the list began at START; separate its elements by ',' and end it with ']'"),
        Rule(
            problem: "did not find expected key", message: "a line that is no key of the mapping around it",
            cure:
                "the mapping began at START; line this up with its keys, and put text with special characters in quotes"
        ),
        Rule(
            problem: "did not find expected '-' indicator", message: "a line that is no element of the list around it",
            cure: "the list began at START; begin each element with '- ' in the same column"),
        Rule(
            problem: "block sequence entries are not allowed", message: "'- ' where no list can be",
            cure: "begin the list in a line of its own below 'key:'"),
        Rule(
            problem: "found character that cannot start any token", message: "a text cannot begin with this character",
            cure: "put the text in quotes"),
        Rule(
            problem: "did not find expected <document start>", message: "the template ended before this place",
            cure: "keys of the template begin in the first column, and nothing follows the end of a '{…}' document"),
        Rule(
            problem: "did not find expected node content", message: "a value is missing",
            cure: "write the value, or '\"\"' for an empty text"),
        Rule(
            problem: "found undefined tag handle", message: "an unknown tag",
            cure: "put text that begins with '!' in quotes"),
        Rule(
            problem: "did not find expected alphabetic", message: "'*' or '&' without a name",
            cure: "put text that begins with '*' or '&' in quotes"),
    ]

    private static func reader(
        _ problem: String, _ value: Int, offset: Int, in text: UnsafeBufferPointer<UInt8>
    ) -> YAMLFault {
        let place = Place(offset: offset, in: text)
        guard problem.contains("control character") else {
            return YAMLFault(code: .notUTF8, place: place, message: "not UTF-8", cure: "save the file as UTF-8")
        }
        return YAMLFault(
            code: .controlCharacter, place: place,
            message: "the control character U+\(String(value, radix: 16, uppercase: true).leftPadded(to: 4))",
            cure: "remove it; within double quotes it can be written as an escape, such as \"\\e\"")
    }

    /// The first tab in the indentation of the line.
    private static func indentingTab(in line: Int, of text: UnsafeBufferPointer<UInt8>) -> Place? {
        let lines = text.split(separator: UInt8(ascii: "\n"), maxSplits: line, omittingEmptySubsequences: false)
        guard line <= lines.count else { return nil }
        let indentation = lines[line - 1].prefix { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
        let tab = indentation.firstIndex(of: UInt8(ascii: "\t"))
        return tab.map { Place(line: line, column: $0 - indentation.startIndex + 1) }
    }
}

extension String {
    func leftPadded(to width: Int) -> String {
        String(repeating: "0", count: max(0, width - utf8.count)) + self
    }
}
