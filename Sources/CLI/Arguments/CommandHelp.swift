/// What a command says of itself.
struct CommandHelp: Sendable {
    var name: String
    var summary: String
    /// The words after the command's name, such as `TASK [STEP]`.
    var operands: String = ""
    /// How many operands it takes.
    var operandCount: ClosedRange<Int> = 0...0
    var details: String = ""
    var options: [Option] = []
    var examples: [String] = []

    var needsStore: Bool { options.contains { $0.name == Option.store.name } }
    /// Whether a server can do it.
    var isRemote: Bool { options.contains { $0.name == Option.server.name } }

    private static let taskNames =
        "TASK is an id or the beginning of one, a key, or 'last', the newest task of all."

    var text: String {
        var text = "\(summary)\n\nUsage: stepwell \(name) \(usage)\n"
        if !details.isEmpty { text += "\n\(details)\n" }
        if operands.contains("TASK") { text += "\n\(Self.taskNames)\n" }
        text += "\nOptions:\n"
        let all = options + [.help]
        let width = all.map { $0.heading.count }.max() ?? 0
        for option in all {
            let padding = String(repeating: " ", count: width - option.heading.count + 2)
            text += "  \(option.heading)\(padding)\(option.help)\n"
        }
        if !examples.isEmpty {
            text += "\n\(examples.count == 1 ? "Example" : "Examples"):\n"
            for example in examples { text += "  \(example)\n" }
        }
        return text
    }

    private var usage: String {
        operands.isEmpty ? "[OPTIONS]" : "\(operands) [OPTIONS]"
    }
}

extension Option {
    fileprivate var heading: String { value.map { "\(name) \($0)" } ?? name }
}
