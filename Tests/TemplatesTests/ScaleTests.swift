import StepwellModel
import StepwellTemplates
import Testing

/// Large templates, random templates, and templates that somebody sat on.
struct ScaleTests {
    private func chain(_ count: Int, first: String = "[]") -> String {
        task("steps:\n")
            + (0..<count).map { step in
                "- {name: s\(step), handler: {callable: x}, dependencies: \(step == 0 ? first : "[s\(step - 1)]")}\n"
            }.joined()
    }

    private func load(_ text: String) -> TemplateLoad {
        TemplateLoader.load(text: text, documentBytesMax: 100 << 20)
    }

    @Test("a chain of 100,000 steps loads", .timeLimit(.minutes(1)))
    func long() throws {
        let template = try load(chain(100_000)).get()
        #expect(template.steps.count == 100_000)
        #expect(template.steps[99_999].dependencies == [99_998])
    }

    @Test("a ring of 100,000 steps is found, and printed short", .timeLimit(.minutes(1)))
    func ring() {
        let found = load(chain(100_000, first: "[s99999]"))
        #expect(found.places == ["5:10 cycle"])
        #expect(found.diagnostics[0].message.contains("s0 → s99999 → s99998"))
        #expect(found.diagnostics[0].message.contains("… 99983 more …"))
        #expect(found.diagnostics[0].message.utf8.count < 1000)
    }

    @Test("one step that waits for 100,000 others loads", .timeLimit(.minutes(1)))
    func join() throws {
        let names = (0..<100_000).map { "s\($0)" }
        let steps = names.map { "- {name: \($0), handler: {callable: x}}\n" }.joined()
        let text =
            task("steps:\n") + steps
            + "- {name: join, handler: {callable: x}, dependencies: [\(names.joined(separator: ", "))]}\n"
        #expect(try load(text).get().steps[100_000].dependencies == Array(0..<100_000))
    }

    @Test("20,000 misspelt names cost no more than a moment", .timeLimit(.minutes(1)))
    func misspelt() {
        let steps = (0..<20_000).map { "- {name: step_\($0), handler: {callable: x}, dependencies: [stepp_\($0)]}\n" }
            .joined()
        let found = load(task("steps:\n") + steps)
        #expect(found.errors.count == 20_000)
        #expect(found.errors[1].cure?.hasPrefix("did you mean") == true)
    }

    @Test("a random graph without a cycle loads as it was drawn", arguments: 0..<50)
    func random(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 1...60, using: &generator)
        // The file's order is not the order of running.
        let order = (0..<count).shuffled(using: &generator)
        var dependencies = Array(repeating: [Int](), count: count)
        for rank in order.indices.dropFirst() {
            let amount = Int.random(in: 0...min(rank, 5), using: &generator)
            dependencies[order[rank]] = order[..<rank].shuffled(using: &generator).prefix(amount).map(\.self)
        }
        var text = task("steps:\n")
        for step in 0..<count {
            let names = dependencies[step].map { "s\($0)" }.joined(separator: ", ")
            text += "- {name: s\(step), handler: {callable: x}, depends_on: [\(names)]}\n"
        }
        #expect(try load(text).get().steps.map(\.dependencies) == dependencies)
    }

    @Test("an edge that closes a cycle is always found", arguments: 0..<50)
    func randomCycle(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let count = Int.random(in: 2...40, using: &generator)
        var dependencies = (0..<count).map { step in step == 0 ? [] : [Int.random(in: 0..<step, using: &generator)] }
        // The root of all waits for one of those that wait for it.
        dependencies[0] = [Int.random(in: 1..<count, using: &generator)]
        var text = task("steps:\n")
        for step in 0..<count {
            text += "- {name: s\(step), handler: {callable: x}, depends_on: [s\(dependencies[step][0])]}\n"
        }
        #expect(load(text).diagnostics.map(\.code) == [.cycle])
    }

    @Test(
        "bytes changed, removed, doubled or swapped: an answer always, a crash never",
        .timeLimit(.minutes(1)),
        arguments: ["analytics_pipeline", "anchors", "broken", "domain_event_publishing", "diamond_decision_batch"])
    func damaged(_ file: String) throws {
        let whole = Array(try corpus(file + ".yaml").utf8)
        var generator = SeededGenerator(seed: UInt64(whole.count))
        let telling = Array("{}[]:,-&*<>|!%@`'\"# \t\n\r~0x\u{0}\u{85}".utf8)
        for _ in 0..<300 {
            var bytes = whole
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                let end = min(bytes.count, place + Int.random(in: 1...20, using: &generator))
                switch Int.random(in: 0..<6, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes[place] = telling.randomElement(using: &generator) ?? 0
                case 2: bytes.insert(telling.randomElement(using: &generator) ?? 0, at: place)
                case 3 where bytes.count > 40: bytes.removeSubrange(place..<end)
                case 4: bytes.insert(contentsOf: bytes[place..<end], at: place)
                default: bytes.swapAt(place, Int.random(in: 0..<bytes.count, using: &generator))
                }
            }
            let load = TemplateLoader.load(bytes: bytes, environment: "test")
            #expect((load.template == nil) == !load.errors.isEmpty)
            #expect(load.diagnostics.allSatisfy { $0.line > 0 && $0.column > 0 && !$0.message.isEmpty })
        }
    }
}
