import Testing

@Suite("What is pure stays pure")
struct PurityTests {
    private let files: [SourceTree.File]

    init() throws {
        let tree = try SourceTree()
        files = try tree.swiftFiles(in: "Sources/Model") + tree.swiftFiles(in: "Sources/Kernel")
        #expect(files.count > 30)
    }

    @Test("The model and the kernel import nothing but the model")
    func imports() {
        let found = files.flatMap { file in
            file.text.matches(of: #/(?m)^\s*(?:@\w+\s+)?(?:\w+\s+)?import\s+(\S+)/#).map { "\(file.path): \($0.1)" }
        }
        #expect(found.contains { $0.hasSuffix(": StepwellModel") })
        #expect(found.filter { !$0.hasSuffix(": StepwellModel") } == [])
    }

    @Test("They know neither a clock nor chance")
    func noClock() {
        let words = [
            "Date(", "clock_gettime", ".random(", "SystemRandomNumberGenerator", "ContinuousClock", "SuspendingClock",
            "Task.sleep", "randomElement(", ".shuffled(", "Hasher(", ".hashValue",
        ]
        let found = files.flatMap { file in words.filter(file.text.contains).map { "\(file.path): \($0)" } }
        #expect(found == [])
    }

    /// A visit in any order that can have no effect on what is decided, and why.
    private static let harmlessVisits: [String: String] = [:]

    @Test("They do not go through a dictionary or a set, whose order changes from run to run")
    func noHashedOrder() {
        let order = HashedOrder(declaredIn: files.map(\.text))
        #expect(order.names.isSuperset(of: ["slots", "keys", "routes", "indexes"]))
        let found = files.flatMap { file in
            order.findings(in: file.text).map { (key: "\(file.path): \($0.line)", text: "\(file.path): \($0)") }
        }
        #expect(found.filter { Self.harmlessVisits[$0.key] == nil }.map(\.text) == [])
        #expect(Set(Self.harmlessVisits.keys).subtracting(found.map(\.key)) == [], "an exception that nothing needs")
    }

    @Test(
        "Whoever goes through a dictionary or a set is found",
        arguments: [
            "for (id, slot) in slots { visit(id) }", "for id in state.slots.keys {", "let all = slots.map { $0.key }",
            "return self.slots.values.sorted()", "seen.first", "let all = Array(slots)",
            "for one in seen where one > 0 {",
            "slots.filter { $0.value > 1 }", "    named?.forEach(visit)",
        ])
    func planted(line: String) {
        let declarations = """
            private var slots: [TaskID: Int] = [:]
            var seen = Set(queue)
            let named: Set<String>?
            """
        let order = HashedOrder(declaredIn: [declarations])
        #expect(order.names == ["slots", "seen", "named"])
        #expect(order.findings(in: line).count == 1)
    }

    @Test(
        "Who looks up one element, or goes through a list, is left alone",
        arguments: [
            "let slot = slots[id]", "guard slots.count > 0 else { return }", "if seen.insert(step).inserted {",
            "for slot in slotsInOrder {", "// for id in slots {", "seen.contains(step)",
        ])
    func harmless(line: String) {
        let order = HashedOrder(declaredIn: [
            "var slots: [TaskID: Int] = [:]\nvar seen = Set(queue)\nvar list: [Int] = []"
        ])
        #expect(order.names == ["slots", "seen"])
        #expect(order.findings(in: line).isEmpty)
    }
}
