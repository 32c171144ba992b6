import Foundation
import Testing

@Suite("The house rules")
struct HouseRulesTests {
    private let tree: SourceTree

    init() throws {
        tree = try SourceTree()
    }

    private func ours() throws -> [SourceTree.File] {
        try ["Sources", "Tests", "Benchmarks", "tools", "docs"].filter(tree.exists).flatMap(tree.files)
    }

    @Test("The top of the repository holds what is expected, and nothing else")
    func topEntries() throws {
        let expected = ["Benchmarks", "LICENSE", "Package.swift", "README.md", "Sources", "Tests", "docs", "tools"]
        let found = try tree.topEntries().filter { !$0.hasPrefix(".") }
        #expect(Set(found).subtracting(expected) == [])
        #expect(Set(expected).subtracting(found) == [])
    }

    @Test("No file has more than 450 lines")
    func fileLength() throws {
        let kinds = [".swift", ".py", ".rb", ".rs", ".c", ".h"]
        let counts = try ours().filter { file in kinds.contains(where: file.path.hasSuffix) }
            .map { (path: $0.path, count: $0.text.count { $0 == "\n" }) }
        #expect(counts.count > 300)
        #expect(counts.filter { $0.count > 450 }.map { "\($0.path): \($0.count)" } == [])
    }

    @Test("No text names a place of somebody's machine")
    func noAbsolutePaths() throws {
        let place = try Regex(#"(?:^|[^\w.~}$-])/(?:home|root|work)/"#)
        let files = try tree.files().filter { $0.path != "Tests/TidyTests/HouseRulesTests.swift" }
        #expect(files.count > 200)
        let found = files.flatMap { file in
            file.lines.filter { $0.firstMatch(of: place) != nil }.map { "\(file.path): \($0)" }
        }
        #expect(found == [])
        #expect("see /home/ada/file".firstMatch(of: place) != nil)
        #expect("see docs/work/file".firstMatch(of: place) == nil)
    }

    /// Where a program may end on purpose, and why.
    private static let ends = [
        "Sources/Log/SHA256.swift": "libcrypto has no memory for a hash: nothing that follows could be trusted"
    ]

    @Test("No source ends the program on purpose, but where a reason is given")
    func noTraps() throws {
        let files = try tree.swiftFiles(in: "Sources")
        #expect(files.count > 100)
        let found = files.filter { $0.text.contains("try!") || $0.text.contains("fatalError") }.map(\.path)
        #expect(found.filter { Self.ends[$0] == nil } == [])
        #expect(Set(Self.ends.keys).subtracting(found) == [], "an exception that nothing needs")
    }
}
