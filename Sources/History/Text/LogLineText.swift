package import StepwellModel

extension LogLine {
    /// The line as a JSON object.
    package func json(_ names: [String]) -> JSON {
        [
            "time": .string(time.description), "step": .string(names[step]), "attempt": .number(String(attempt)),
            "lease": .number(String(lease.rawValue)), "level": .string(level.name), "text": .string(text),
        ]
    }

    /// The JSON object for people.
    package static func text(_ json: JSON) -> String {
        func word(_ name: String) -> String { json[name]?.string ?? "" }
        let level = word("level") == Level.info.name ? "" : " \(word("level")):"
        return "\(word("time"))  \(word("step")) #\(json["attempt"]?.int ?? 0)\(level)  \(word("text"))"
    }
}
