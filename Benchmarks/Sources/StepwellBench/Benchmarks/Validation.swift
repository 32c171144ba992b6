import Stepwell

/// Reading a large template.
struct Validation: Benchmark {
    let name = "validation"
    let summary = "reading and checking a template of 100,000 steps"

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let count = size(100_000, quick: 1000)
        var text = "name: large\nnamespace_name: bench\nversion: 1\nsteps:\n"
        for step in 0..<count {
            let dependencies = step == 0 ? "[]" : "[s\(step - 1)]"
            text += "- {name: s\(step), handler: {callable: noop}, dependencies: \(dependencies)}\n"
        }
        let seconds = try await ContinuousClock().seconds {
            let load = TemplateLoader.load(text: text, documentBytesMax: 1 << 30)
            guard try load.get().steps.count == count else { throw Unexpected(state: .error) }
        }
        return [
            Sample("time", "s", seconds, moreIsBetter: false),
            Sample("text", "bytes", Double(text.utf8.count)),
        ]
    }
}
