import Foundation
import StepwellModel
import Testing

@testable import Stepwell

@Suite("Templates that a store knows by their names")
struct RegistrationTests {
    private func template(_ version: String) -> Template {
        Template(
            namespace: "data", name: "nightly", version: version,
            steps: [StepTemplate(name: "one", handler: .callable("a"))])
    }

    private func folder() -> String {
        NSTemporaryDirectory() + "stepwell-registration-" + UUID().uuidString
    }

    @Test("They are there after a restart, and tasks without them are pruned around them")
    func keptOverRestarts() async throws {
        let path = folder()
        defer { try? FileManager.default.removeItem(atPath: path) }
        for round in 1...3 {
            let engine = try await Engine.open(path)
            let known = try engine.store.registrations().map(\.version)
            #expect(known == (1..<round).reversed().map { "\($0).0.0" })
            let next = template("\(round).0.0")
            try await engine.core.send(.registerTemplate(next, next.digest), by: Actor(.operator, id: "ann"))
            await engine.stop(grace: .zero)
        }
        let editor = try StoreEditor(path: path)
        #expect(try editor.pruneTemplates() == 0)
        for registration in try editor.registrations() {
            #expect(try editor.template(registration.template)?.version == registration.version)
        }
    }

    @Test("A copy that is cut between two knows the first")
    func cutCopy() async throws {
        let path = folder()
        let copy = folder()
        defer { for path in [path, copy] { try? FileManager.default.removeItem(atPath: path) } }
        let engine = try await Engine.open(path)
        var ends: [SequenceNumber] = []
        for version in ["1.0.0", "2.0.0"] {
            let next = template(version)
            try await engine.core.send(.registerTemplate(next, next.digest), by: Actor(.operator, id: "ann"))
            ends.append(engine.store.head.number)
        }
        await engine.stop(grace: .zero)
        let source = try LMDBReader(path: path)
        _ = try StoreCopy.build(NewStore(at: copy), from: source, through: ends[0], cutsLogLines: true)
        let cut = try LMDBReader(path: copy)
        let registrations = try cut.registrations()
        #expect(registrations.map(\.version) == ["1.0.0"])
        #expect(try cut.template(registrations[0].template) == template("1.0.0"))
    }
}
