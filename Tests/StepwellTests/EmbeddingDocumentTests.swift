import Foundation
import Stepwell
import Testing

/// The program of docs/embedding.md, line by line; only the store is another one.
private func program(_ store: String) async throws -> TaskReport {
    // begin
    let template = try Template(
        yaml: """
            name: hello
            namespace_name: examples
            version: 1
            steps:
              - { name: greet, handler: { callable: greet } }
            """)
    let engine = try await Engine.open(store)
    engine.register("greet") { context in
        let name = try await context.input("name") ?? "world"
        return .success(["text": .string("Hello, \(name)!")])
    }
    let task = try await engine.submit(template, input: ["name": "Ada"])
    let report = try await task.wait()
    await engine.stop()
    print(report["greet"]?.result?.json["text"]?.string ?? report.state.name)
    // end
    return report
}

@Suite("The document about embedding")
struct EmbeddingDocumentTests {
    @Test("Its program runs")
    func runs() async throws {
        try await withBench { bench in
            let report = try await program(bench.store + "/program")
            #expect(report["greet"]?.result?.json == ["text": "Hello, Ada!"])
        }
    }

    @Test("Its program is the one that is tested")
    func same() throws {
        let this = URL(filePath: #filePath)
        let root = this.deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let document = try String(contentsOf: root.appending(path: "docs/embedding.md"), encoding: .utf8)
        let source = try String(contentsOf: this, encoding: .utf8)

        let shown = try #require(lines(of: document, from: "```swift\nimport Stepwell\n\n", to: "\n```"))
        let tested = try #require(lines(of: source, from: "    // begin\n", to: "\n    // end"))
        #expect(shown.map { $0.replacing("\".stepwell\"", with: "store") } == tested.map { String($0.dropFirst(4)) })
    }

    private func lines(of text: String, from begin: String, to end: String) -> [String]? {
        guard let start = text.range(of: begin)?.upperBound,
            let stop = text.range(of: end, range: start..<text.endIndex)?.lowerBound
        else { return nil }
        return text[start..<stop].split(separator: "\n", omittingEmptySubsequences: false).map(String.init)
    }
}
