import Foundation
import StepwellModel

@testable import StepwellTemplates

/// A file of the corpus beside the tests.
func corpus(_ name: String) throws -> String {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Corpus")
    return try String(contentsOf: folder.appendingPathComponent(name), encoding: .utf8)
}

/// A template with these lines after its three required ones, so that they begin in line 4.
func task(_ lines: String) -> String {
    "name: n\nnamespace_name: s\nversion: 1.0.0\n" + lines
}

/// A template with one step that ends with these lines, indented by four: they begin in line 7.
func step(_ lines: String) -> String {
    task("steps:\n  - name: a\n    handler: {callable: x}\n") + indented(lines)
}

/// A template with one step whose handler has these lines: they begin in line 7.
func handler(_ lines: String) -> String {
    task("steps:\n  - name: a\n    handler:\n") + indented(lines, by: 6)
}

/// A template with one step whose retry policy has these lines: they begin in line 8.
func retry(_ lines: String) -> String {
    step("retry:\n") + indented(lines, by: 6)
}

private func indented(_ lines: String, by count: Int = 4) -> String {
    lines.split(separator: "\n", omittingEmptySubsequences: false).map { line in
        line.isEmpty ? "" : String(repeating: " ", count: count) + line
    }.joined(separator: "\n")
}

extension TemplateLoad {
    /// `7:5 unknown_key` for each diagnostic.
    var places: [String] { diagnostics.map { "\($0.line):\($0.column) \($0.code.rawValue)" } }
}

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ mixed >> 30) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ mixed >> 27) &* 0x94D0_49BB_1331_11EB
        return mixed ^ mixed >> 31
    }
}
