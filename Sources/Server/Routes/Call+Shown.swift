import StepwellHistory
import StepwellModel

extension Operation.Parameter {
    static let color = Operation.Parameter(
        "color", "With `Accept: text/plain`: colours for a terminal.", ["type": "boolean"])
    static let dryRun = Operation.Parameter(
        "dry_run", "Change nothing: the answer is a `DryRun`, which says what would happen.", ["type": "boolean"])
    static let graphFormat = Operation.Parameter(
        "format", "What kind of drawing.",
        [
            "type": "string", "enum": .array(GraphText.Format.allCases.map { .string($0.rawValue) }),
            "default": "text",
        ])
}

extension HTTPResponse {
    init(_ graph: GraphText, _ format: GraphText.Format) {
        let type = format == .json ? "application/json" : "text/plain; charset=utf-8"
        self.init(contentType: type, body: Array((graph.text(format) + "\n").utf8))
    }
}

extension Call {
    /// The answer as the client wants it: as JSON, or as the text that the command line prints.
    func answer(_ shown: some Shown) throws(Problem) -> HTTPResponse {
        let isColored = try flag("color")
        let accepted = request.headers["accept"] ?? ""
        guard accepted.contains("text/plain"), !accepted.contains("json") else {
            return HTTPResponse(json: shown.document)
        }
        return HTTPResponse(
            contentType: "text/plain; charset=utf-8", body: Array((shown.text(isColored: isColored) + "\n").utf8))
    }

    /// What a command would come to, or the task alone.
    func dryRun(_ command: Command?, _ task: TaskID) throws -> HTTPResponse {
        HTTPResponse(json: try DryRun.of(command, task: task, in: service.store).json(task: task))
    }

    func graphFormat() throws(Problem) -> GraphText.Format {
        let word = request.queried("format") ?? GraphText.Format.text.rawValue
        guard let format = GraphText.Format(rawValue: word) else {
            throw .malformed(
                "'\(word)' is no format of a drawing",
                cure: "those are: " + GraphText.Format.allCases.map(\.rawValue).joined(separator: ", "))
        }
        return format
    }
}
