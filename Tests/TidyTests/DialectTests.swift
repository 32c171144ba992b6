import Testing

/// A misspelt upcoming feature is ignored without a word; these say whether the compiler has understood it.
@Suite("The dialect of all targets")
struct DialectTests {
    @Test("Every upcoming feature that the package names is switched on")
    func features() throws {
        var known: [String] = []
        #if hasFeature(ExistentialAny)
            known.append("ExistentialAny")
        #endif
        #if hasFeature(InternalImportsByDefault)
            known.append("InternalImportsByDefault")
        #endif
        #if hasFeature(MemberImportVisibility)
            known.append("MemberImportVisibility")
        #endif
        let manifest = try #require(try SourceTree().files().first { $0.path == "Package.swift" })
        let named = manifest.text.matches(of: #/\.enableUpcomingFeature\("(\w+)"\)/#).map { String($0.1) }
        #expect(!named.isEmpty)
        #expect(named == known)
    }

    @Test("Every Swift target speaks it")
    func targets() throws {
        let manifest = try #require(try SourceTree().files().first { $0.path == "Package.swift" })
        // C targets are those without Swift code.
        let swift = manifest.text.matches(of: #/\.(?:target|executableTarget|testTarget)\(\s*name: "(\w+)"/#)
            .map { String($0.1) }.filter { !["CLinux", "CChecksum"].contains($0) }
        #expect(manifest.text.matches(of: #/swiftSettings: dialect/#).count == swift.count)
    }
}
