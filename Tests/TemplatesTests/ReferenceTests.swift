import Foundation
import Testing

@testable import StepwellTemplates

/// `docs/template-reference.md` says what is so.
struct ReferenceTests {
    private let page: String

    init() throws {
        let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
        page = try String(contentsOf: root.appendingPathComponent("docs/template-reference.md"), encoding: .utf8)
    }

    @Test("every example is a template without a fault")
    func examples() {
        let blocks = page.components(separatedBy: "```yaml\n").dropFirst().compactMap {
            $0.components(separatedBy: "```").first
        }
        #expect(blocks.count >= 3)
        for block in blocks {
            #expect(
                TemplateLoader.load(text: block, environment: block.contains("  test:") ? "test" : nil).diagnostics
                    == [])
        }
    }

    @Test("every code has its row, and no row is without a code")
    func codes() throws {
        let rows = try #require(page.components(separatedBy: "### Errors").last).split(separator: "\n")
        let written = rows.filter { $0.hasPrefix("| `") }.compactMap {
            $0.split(separator: "`").dropFirst().first.map(String.init)
        }
        #expect(Set(written) == Set(Diagnostic.Code.allCases.map(\.rawValue)))
        #expect(written.count == Diagnostic.Code.allCases.count)
    }

    @Test("every key is described", arguments: [KeyTable.task, .step, .handler, .retry, .environment, .override])
    func keys(_ table: KeyTable) {
        for key in table.names + table.ignored.keys.sorted() { #expect(page.contains("`\(key)`"), "\(table.owner)") }
    }
}
