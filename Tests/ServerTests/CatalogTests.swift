import StepwellModel
import Testing

@testable import StepwellServer

/// Versions of templates, and which of them is the newest.
@Suite struct CatalogTests {
    private func template(_ version: String, steps: [String] = ["one"]) -> Template {
        Template(
            namespace: "default", name: "nightly", version: version,
            steps: steps.map { StepTemplate(name: $0, handler: .callable("a")) })
    }

    @Test func theNewestIsFoundByNumbersNotByLetters() throws {
        let catalog = TemplateCatalog()
        for version in ["1.10.0", "1.9.0", "1.2.0-beta", "1.10.0-rc1"] { try catalog.add(template(version)) }
        #expect(try catalog.find(namespace: "default", name: "nightly", version: nil).version == "1.10.0")
        #expect(catalog.all.map(\.version) == ["1.2.0-beta", "1.9.0", "1.10.0-rc1", "1.10.0"])
    }

    @Test func aKnownVersionKeepsItsText() throws {
        let catalog = TemplateCatalog()
        #expect(try catalog.add(template("1.0.0")))
        #expect(try !catalog.add(template("1.0.0")))
        #expect(throws: CatalogError.self) { try catalog.add(template("1.0.0", steps: ["one", "two"])) }
        #expect(try catalog.find(namespace: "default", name: "nightly", version: "1.0.0").steps.count == 1)
    }

    @Test func whatIsNotThereIsToldWithWhatIs() throws {
        let catalog = TemplateCatalog()
        try catalog.add(template("1.0.0"))
        let version = #expect(throws: CatalogError.self) {
            try catalog.find(namespace: "default", name: "nightly", version: "2.0.0")
        }
        #expect(version?.cure == "its versions are: 1.0.0")
        let namespace = #expect(throws: CatalogError.self) {
            try catalog.find(namespace: "other", name: "nightly", version: nil)
        }
        #expect(namespace?.cure == "there is one in: default")
    }
}
