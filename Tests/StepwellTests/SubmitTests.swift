import Foundation
import Stepwell
import Testing

@Suite("A task is submitted", .timeLimit(.minutes(1)))
struct SubmitTests {
    @Test("A key belongs to one task; a second submission is refused and names the first")
    func key() async throws {
        try await withBench { bench in
            bench.engine.register("work") { _ in .success() }
            let first = try await bench.engine.submit(.single, key: "2026-11-24")
            let open = await #expect(throws: EngineError.self) {
                try await bench.engine.submit(.single, key: "2026-11-24")
            }
            #expect(open?.owner == first.id && open?.code == "duplicate_key")
            _ = try await first.wait()
            let closed = await #expect(throws: EngineError.self) {
                try await bench.engine.submit(.single, key: "2026-11-24")
            }
            #expect(closed?.owner == first.id)

            let second = try await bench.engine.submit(.single, key: "2026-11-24", replacing: true)
            #expect(second.id != first.id)
            let found = try await bench.engine.task(namespace: "tests", name: "work", key: "2026-11-24")
            #expect(found?.id == second.id)
            #expect(try await bench.engine.task(namespace: "tests", name: "work", key: "another") == nil)
        }
    }

    @Test("The same key under another name is another key")
    func keyOfAnotherTemplate() async throws {
        try await withBench { bench in
            var other = Template.single
            other.name = "other"
            let first = try await bench.engine.submit(.single, key: "k")
            let second = try await bench.engine.submit(other, key: "k")
            #expect(first.id != second.id)
        }
    }

    @Test("An input that does not fit the input_schema is refused, and says where")
    func inputSchema() async throws {
        try await withBench { bench in
            var template = Template.single
            template.inputSchema = try JSONText(
                #"{"type": "object", "required": ["day"], "properties": {"day": {"type": "string"}}}"#)
            bench.engine.register("work") { _ in .success() }
            for (input, fault) in [([:], "'day' is missing"), (["day": 24], "/day: ")] as [(JSON, String)] {
                let error = await #expect(throws: InputError.self) {
                    try await bench.engine.submit(template, input: input)
                }
                #expect(error?.code == "invalid_input")
                #expect(error?.faults.count == 1 && error?.faults[0].hasPrefix(fault) == true)
            }
            let error = await #expect(throws: InputError.self) { try await bench.engine.submit(.single, input: "day") }
            #expect(error?.faults == ["it is of type string, not an object"])
            #expect(bench.happenings.count { if case .taskSubmitted = $0 { true } else { false } } == 0)
            #expect(try await bench.run(template, input: ["day": "tuesday"]).state == .complete)
        }
    }

    @Test("A template that asks for what there is not yet is refused with the names of it")
    func unsupported() async throws {
        try await withBench { bench in
            let template = try Template(
                yaml: """
                    name: work
                    namespace_name: tests
                    version: 1
                    steps:
                      - { name: choose, type: decision, handler: { callable: choose } }
                    """)
            let error = await #expect(throws: EngineError.self) { try await bench.engine.submit(template) }
            #expect(error?.code == "unsupported")
            #expect(error?.message.contains("decision") == true)
        }
    }

    @Test("A template is read from a file, and whatever is wrong with it has its place")
    func templateFile() async throws {
        try await withBench { bench in
            let path = bench.store + "/pipeline.yaml"
            let yaml = """
                name: work
                namespace_name: tests
                version: 1
                steps:
                  - { name: work, handler: { callable: work }, timeout_seconds: 5 }
                environments:
                  test: { steps: [{ name: ALL, timeout_seconds: 1 }] }
                """
            try Data(yaml.utf8).write(to: URL(filePath: path))
            #expect(try Template(file: path).steps[0].timeout == .seconds(5))
            #expect(try Template(file: path, environment: "test").steps[0].timeout == .seconds(1))

            try Data(yaml.replacing("timeout_seconds: 5", with: "timeout: 5").utf8).write(to: URL(filePath: path))
            let invalid = #expect(throws: InvalidTemplate.self) { try Template(file: path) }
            #expect(invalid?.diagnostics.first.map { [$0.line, $0.column] } == [5, 48])
            let missing = #expect(throws: FileError.self) { try Template(file: path + ".txt") }
            #expect(missing?.code == "unreadable_file")
        }
    }

    @Test("A priority is the template's unless the submission names one, and goes first")
    func priority() async throws {
        try await withBench {
            $0.slots = 1
        } _: { bench in
            let order = Basket<String>()
            var urgent = Template.single
            urgent.priority = 10
            let tasks = [
                try await bench.engine.submit(.single, input: ["name": "plain"]),
                try await bench.engine.submit(urgent, input: ["name": "urgent"]),
                try await bench.engine.submit(urgent, input: ["name": "last"], priority: -1),
            ]
            bench.engine.register("work") { context in
                order.put(try await context.input("name") ?? "")
                return .success()
            }
            for task in tasks { _ = try await task.wait() }
            #expect(order.content == ["urgent", "plain", "last"])
            let error = await #expect(throws: EngineError.self) {
                try await bench.engine.submit(.single, priority: 101)
            }
            #expect(error?.code == "priority_out_of_range")
        }
    }
}

extension EngineError {
    /// The task that has the key already.
    fileprivate var owner: TaskID? {
        if case .rejected(.duplicateKey(_, let owner)) = self { owner } else { nil }
    }
}
