import Foundation
import Stepwell

/// Steps of one wide task, run by Python workers.
struct PythonSteps: Benchmark {
    let workers: Int

    var name: String { "python_steps_\(workers)" }
    var summary: String { "no-op Python handler, \(workers) worker process\(workers == 1 ? "" : "es")" }

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        // The SDK of this checkout, whatever is installed.
        let sources = URL(fileURLWithPath: #filePath).pathComponents.dropLast(5).joined(separator: "/").dropFirst()
        setenv("PYTHONPATH", sources + "/Sources/Workers/python", 1)
        let handlers = try scratch.write(
            "handlers.py",
            """
            from stepwell import step_handler

            @step_handler("noop")
            def noop():
                return None
            """)
        let engine = try await Engine.open(scratch.store)
        for _ in 0..<workers {
            try await engine.startWorker("python3 -m stepwell worker --concurrency 64 \(handlers)")
        }
        return try await stepsPerSecond(engine, Workload.fan(size(20_000, quick: 200)))
    }
}

/// Steps of one wide task, each a process of its own.
struct CommandSteps: Benchmark {
    let name = "command_steps"
    let summary = "a command that does nothing, /bin/true"

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample] {
        let engine = try await Engine.open(scratch.store)
        return try await stepsPerSecond(engine, Workload.fan(size(2000, quick: 20), .command(["/bin/true"])))
    }
}

private func stepsPerSecond(_ engine: Engine, _ template: Template) async throws -> [Sample] {
    let seconds = try await ContinuousClock().seconds {
        let state = try await engine.submit(template).settled()
        guard state == .complete else { throw Unexpected(state: state) }
    }
    await engine.stop()
    return [Sample("rate", "steps/s", Double(template.steps.count) / seconds, moreIsBetter: true)]
}
