package import StepwellModel

/// A command written as one string, such as the worker's on the command line, taken apart as a shell would: words between
/// spaces, quotes, backslashes, and variables before the program (`PYTHONPATH=src python3 …`).
///
/// No shell runs, so whatever only a shell can do (`$HOME`, `*.py`, `a && b`) is refused instead of taken literally.
package struct ShellWords: Hashable, Sendable {
    package var variables: [EnvironmentVariable] = []
    /// The program first.
    package var arguments: [String] = []

    package enum Fault: StepwellError, Hashable {
        case empty
        case openQuote(Character)
        case needsShell(Character, command: String)

        package var code: String { "bad_command" }

        package var message: String {
            switch self {
            case .empty: "the command names no program"
            case .openQuote(let quote): "the command has a \(quote) without its counterpart"
            case .needsShell(let character, let command): "only a shell understands the '\(character)' in '\(command)'"
            }
        }

        package var cure: String? {
            switch self {
            case .empty: "give a program and its arguments, such as 'python3 -m stepwell worker handlers.py'"
            case .openQuote: "close it, or write a backslash before it"
            case .needsShell: "quote it with '…' if it is meant literally, or run a shell: sh -c '…'"
            }
        }
    }

    package init(_ text: String) throws(Fault) {
        var words: [(text: String, isQuoted: Bool)] = []
        var word: String?
        var isQuoted = false
        var quote: Character?
        var rest = text[...]
        while let character = rest.popFirst() {
            switch (quote, character) {
            case ("'", "'"), ("\"", "\""): quote = nil
            case ("'", _): word?.append(character)
            case ("\"", "\\"):
                guard let next = rest.popFirst() else { break }
                // Within "…" a backslash protects only what would mean something there.
                word?.append("\"\\$`".contains(next) ? "\(next)" : "\\\(next)")
            case ("\"", "$"), ("\"", "`"): throw .needsShell(character, command: text)
            case ("\"", _): word?.append(character)
            case (_, "'"), (_, "\""):
                quote = character
                word = word ?? ""
                // A quote after the `=` leaves `NAME='a b'` a variable.
                isQuoted = isQuoted || !(word?.contains("=") ?? false)
            case (_, "\\"):
                guard let next = rest.popFirst() else { break }
                if next != "\n" { word = (word ?? "") + String(next) }
            case (_, _) where character.isWhitespace:
                if let done = word { words.append((done, isQuoted)) }
                word = nil
                isQuoted = false
            case (_, _) where "$`|&;<>()*?[#".contains(character) && !(character == "#" && word != nil):
                throw .needsShell(character, command: text)
            case (_, "~") where word == nil: throw .needsShell(character, command: text)
            default: word = (word ?? "") + String(character)
            }
        }
        if let quote { throw .openQuote(quote) }
        if let done = word { words.append((done, isQuoted)) }
        for (word, isQuoted) in words {
            if arguments.isEmpty, !isQuoted, let variable = EnvironmentVariable(assignment: word) {
                variables.append(variable)
            } else {
                arguments.append(word)
            }
        }
        guard arguments.first?.isEmpty == false else { throw .empty }
    }

    /// A short name for what the command runs: `python` for `/usr/bin/python3.11 -m stepwell worker x.py`.
    package var baseName: String {
        let file = arguments[0].split(separator: "/").last.map(String.init) ?? arguments[0]
        guard let last = file.lastIndex(where: { !$0.isNumber && $0 != "." && $0 != "-" }) else { return file }
        return String(file[...last])
    }
}

extension EnvironmentVariable {
    /// `NAME=value`; nil for any other word.
    fileprivate init?(assignment word: String) {
        guard let equals = word.firstIndex(of: "="), let first = word.first, first.isLetter || first == "_",
            word[..<equals].allSatisfy({ $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "_") })
        else { return nil }
        self.init(String(word[..<equals]), String(word[word.index(after: equals)...]))
    }
}
