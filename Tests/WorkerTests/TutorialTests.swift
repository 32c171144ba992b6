import Foundation
import StepwellTestKit
import Testing

@testable import Prices

/// Where the files of the tutorial are.
private let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appending(path: "Sources/Workers/swift")
private let shop = folder.appending(path: "Example/shop.yaml").path(percentEncoded: false)

// begin
@Test func oneHandler() async {
    let step = FakeStep(dependencies: ["fetch": ["prices": [1, 2]]])
    #expect(await step.run(AddUp()).value == ["sum": 3])
}

@Test func theWholeTemplate() async throws {
    let template = try Template(file: shop)
    let run = try await rehearse(template, handlers: FetchPrices(), AddUp(), input: ["currency": "EUR"])
    #expect(try run.result("add") == ["sum": 7])
}
// end

/// What README.md shows is what is built and tested.
@Test func theTutorialShowsWhatIsTested() throws {
    func text(_ file: URL) throws -> String { try String(contentsOf: file, encoding: .utf8) }
    let page = try text(folder.appending(path: "README.md"))
    for file in ["Handlers.swift", "Main.swift"] {
        #expect(page.contains("```swift\n\(try text(folder.appending(path: "Example/\(file)")))```"), "\(file)")
    }
    #expect(page.contains("```yaml\n\(try text(folder.appending(path: "Example/shop.yaml")))```"))
    let parts = try text(URL(filePath: #filePath)).components(separatedBy: "// begin\n")
    let tests = try #require(parts.last?.components(separatedBy: "// end").first)
    let shown = tests.replacing("file: shop", with: "file: \"shop.yaml\"")
    #expect(page.contains("```swift\nimport StepwellTestKit\nimport Testing\n\n@testable import Prices\n\n\(shown)```"))
}
