import StepwellEngine
import StepwellModel
import StepwellServer
import StepwellTemplates

// What the lines of a server's log hold.

extension Journal {
    private static let textMax = 2000

    /// An error as a part of another news.
    static func fields(of error: any Error) -> [Field] {
        guard let error = error as? any StepwellError else { return [Field("error", "\(error)")] }
        return [Field("error", error.code), Field("detail", error.message)]
    }

    /// That lines are missing.
    static func dropped(_ count: Int, _ format: Format) -> String {
        let line = Once<String>()
        Journal(format) { line.fire($0) }.tell(
            .warning, "lines_dropped", "whoever reads this log is too slow", [Field("lines", count)])
        return line.present ?? ""
    }

    /// The access log. Neither tokens nor queries are in it.
    func tell(request: AnsweredRequest) {
        var fields = [Field("method", request.method), Field("path", request.path.cut(Self.textMax))]
        if let status = request.status { fields.append(Field("status", status)) }
        fields += [
            Field("bytes", request.bytes), Field("duration_ms", .microseconds(request.microseconds)),
            Field("actor", request.actor.cut(200)), Field("remote", request.remote),
        ]
        if request.isCut { fields.append(Field("cut", .flag(true))) }
        tell(.info, "request", "", fields)
    }

    func tell(refusal: Refusals.Refusal) {
        var fields = [
            Field("error", refusal.code), Field("method", refusal.method),
            Field("path", refusal.path.cut(Self.textMax)), Field("remote", refusal.remote),
        ]
        if refusal.untold > 0 { fields.append(Field("untold", refusal.untold)) }
        tell(.warning, "refused", "refused: " + refusal.message, fields)
    }

    /// A file of a template that cannot be used: a line for each thing that is wrong with it.
    func tell(_ level: Level, _ code: String, file: String, _ error: any Error) {
        guard let invalid = error as? InvalidTemplate else {
            let reason = (error as? any StepwellError)?.message ?? "\(error)"
            return tell(level, code, "\(file): \(reason)", [Field("file", file)] + Self.fields(of: error).prefix(1))
        }
        for found in invalid.diagnostics {
            tell(
                level, code, "\(file):\(found.line):\(found.column): \(found.message)",
                [
                    Field("file", file), Field("line", found.line), Field("column", found.column),
                    Field("error", found.code.rawValue),
                ] + (found.cure.map { [Field("cure", $0)] } ?? []))
        }
    }
}

extension String {
    fileprivate func cut(_ bytesMax: Int) -> String {
        utf8.count <= bytesMax ? self : String(decoding: utf8.prefix(bytesMax), as: UTF8.self) + "…"
    }
}
