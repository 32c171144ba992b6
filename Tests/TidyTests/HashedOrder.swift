/// Finds code that goes through a dictionary or a set, whose order changes with every start of a process.
///
/// It reads text, not types: it learns the names that are declared as a dictionary or a set anywhere in the files, and then
/// looks for those names in a loop or before a call that visits all elements. A collection that is made and visited in one
/// expression, or returned by a function, escapes it.
struct HashedOrder {
    struct Finding: Hashable, CustomStringConvertible {
        let name: String
        let line: String

        var description: String { "'\(name)' is visited: \(line)" }
    }

    let names: Set<String>

    init(declaredIn texts: [String]) {
        names = Set(texts.flatMap(Self.declarations))
    }

    private static func declarations(_ text: String) -> [String] {
        let typed = #/\b(?:var|let)\s+(\w+)\s*:\s*(?:Set<|Dictionary<|\[[^\[\]:]+:[^\]]+\])/#
        let made = #/\b(?:var|let)?\s*(\w+)\s*=\s*(?:Set|Dictionary)[(<]/#
        return text.matches(of: typed).map { String($0.1) } + text.matches(of: made).map { String($0.1) }
    }

    func findings(in text: String) -> [Finding] {
        text.split(separator: "\n").map { $0.drop { $0 == " " } }.filter { !$0.hasPrefix("//") }.flatMap { line in
            names.sorted().filter { visits($0, line) }.map { Finding(name: $0, line: String(line)) }
        }
    }

    private func visits(_ name: String, _ line: Substring) -> Bool {
        // To make a pattern is dear, and few lines hold the name at all.
        guard line.contains(name) else { return false }
        let calls =
            "map|flatMap|compactMap|filter|forEach|keys|values|sorted|first|reduce|enumerated|min|max|randomElement|popFirst"
        let patterns = [
            #"\bin\s+(?:\w+[.!?]+)*\#(name)\s*(?:\{|$|where\b|\.)"#, #"\b\#(name)[!?]?\.(?:\#(calls))\b"#,
            #"\bArray\((?:\w+\.)*\#(name)\)"#,
        ]
        return patterns.contains { pattern in
            // By the default rules of Unicode there is no boundary at the point of `self.slots`.
            let pattern = try? Regex(pattern).wordBoundaryKind(.simple)
            return pattern.map { line.firstMatch(of: $0) != nil } ?? true
        }
    }
}
