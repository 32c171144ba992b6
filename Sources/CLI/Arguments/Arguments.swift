/// The words of a command line, sorted by a command's options.
struct Arguments: Sendable {
    private(set) var operands: [String] = []
    private(set) var wantsHelp = false
    private var values: [String: [String]] = [:]
    /// Where values come from that the command line does not give.
    private var places: [String: String] = [:]

    /// Sorts the words.
    /// - Throws: ``UsageError`` for an unknown option, a missing value, or a wrong number of operands; ``NotRemote``.
    init(_ words: some Sequence<String>, for command: CommandHelp) throws {
        var rest = Array(words)[...]
        while let word = rest.popFirst() {
            if word == "--" {
                operands += rest
                break
            }
            guard word.hasPrefix("-"), word != "-" else {
                operands.append(word)
                continue
            }
            if word == "--help" || word == "-h" {
                wantsHelp = true
                continue
            }
            try take(word, &rest, command)
        }
        guard !wantsHelp else { return }
        guard command.operandCount.contains(operands.count) else {
            throw UsageError(
                operands.count < command.operandCount.lowerBound
                    ? "'\(command.name)' needs \(command.operands)"
                    : "'\(operands[command.operandCount.upperBound])' is one word too many for '\(command.name)'",
                command: command.name)
        }
    }

    private mutating func take(
        _ word: String, _ rest: inout ArraySlice<String>, _ command: CommandHelp
    ) throws {
        let parts = word.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
        let name = parts[0] == "--output" ? "-o" : parts[0]
        guard let option = command.options.first(where: { $0.name == name }) else {
            if [Option.server, .tokenFile].contains(where: { $0.name == name }) {
                throw NotRemote(command: command.name, needsStore: command.needsStore, option: "'\(name)'")
            }
            let near = nearest(to: name, in: command.options.map(\.name) + ["--help"])
            throw UsageError(
                "'\(command.name)' has no option '\(name)'" + (near.map { "; did you mean '\($0)'?" } ?? ""),
                command: command.name)
        }
        guard option.value != nil else {
            guard parts.count == 1 else { throw UsageError("'\(name)' takes no value", command: command.name) }
            values[name] = ["true"]
            return
        }
        guard let value = parts.count == 2 ? parts[1] : rest.popFirst() else {
            throw UsageError("'\(name)' needs a value: \(option.value ?? "")", command: command.name)
        }
        guard option.isRepeatable || values[name] == nil else {
            throw UsageError("'\(name)' is given twice", command: command.name)
        }
        values[name, default: []].append(value)
    }

    /// Adds what another place says of an option; the command line wins.
    mutating func add(_ name: String, _ added: [String], from place: String) {
        guard values[name] == nil, !added.isEmpty else { return }
        values[name] = added
        places[name] = place
    }

    func values(of name: String) -> [String] { values[name] ?? [] }

    /// Where the value comes from; nil: nobody gives one.
    func place(of name: String) -> String? { values[name] == nil ? nil : places[name] ?? name }

    /// The value of an option, or nil.
    subscript(option: Option) -> String? { values[option.name]?.last }

    func all(_ option: Option) -> [String] { values[option.name] ?? [] }
    func has(_ option: Option) -> Bool { values[option.name] != nil }

    /// The word at that place, or nil.
    func operand(_ place: Int) -> String? { operands.indices.contains(place) ? operands[place] : nil }

    /// A whole number within a range, or nil when the option is not given.
    func integer(_ option: Option, in range: ClosedRange<Int>) throws(UsageError) -> Int? {
        guard let text = self[option] else { return nil }
        guard let number = Int(text), range.contains(number) else {
            throw UsageError(
                "'\(option.name)' takes a whole number from \(range.lowerBound) to \(range.upperBound), not '\(text)'")
        }
        return number
    }
}

/// The candidate that a mistyped word most likely meant: at most two letters (a third of a long word) away.
func nearest(to word: String, in candidates: [String]) -> String? {
    let scored = candidates.map { ($0, editDistance(word, $0)) }
    guard let best = scored.min(by: { $0.1 < $1.1 }), best.1 <= max(2, word.count / 3) else { return nil }
    return best.0
}

private func editDistance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left), Array(right))
    var row = Array(0...right.count)
    for (index, letter) in left.enumerated() {
        var diagonal = row[0]
        row[0] = index + 1
        for column in right.indices {
            let above = row[column + 1]
            row[column + 1] = min(above + 1, row[column] + 1, diagonal + (letter == right[column] ? 0 : 1))
            diagonal = above
        }
    }
    return row[right.count]
}
