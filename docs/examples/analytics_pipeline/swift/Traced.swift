import Foundation
import Stepwell

/// A handler that leaves what the example's tests want to see: that it began, that it ended, and slowness.
///
/// It appends `start STEP ATTEMPT` and `end STEP ATTEMPT` to the file that STEP_COUNTER_FILE names. STEP_DELAY_MS makes every
/// step take that much longer, for demonstrations.
struct Traced<Handler: StepHandler>: StepHandler {
    static var name: String { Handler.name }
    static var version: String { Handler.version }

    private let handler: Handler

    init(_ handler: Handler) { self.handler = handler }

    func call(_ context: StepContext) async throws -> StepResult {
        leave("start", context)
        if let delay = environment("STEP_DELAY_MS").flatMap(Double.init) {
            // A sleep that is cut short by the attempt's end is no failure of the handler.
            try? await Task.sleep(for: .milliseconds(delay))
        }
        let result = try await handler.call(context)
        leave("end", context)
        return result
    }

    private func leave(_ what: String, _ context: StepContext) {
        guard let path = environment("STEP_COUNTER_FILE"), let file = fopen(path, "a") else { return }
        // One write when it is closed, so that lines of several attempts do not mix.
        fputs("\(what) \(context.stepName) \(context.attempt)\n", file)
        fclose(file)
    }
}

/// A variable of the environment; nil when it is empty.
func environment(_ name: String) -> String? {
    guard let value = ProcessInfo.processInfo.environment[name], !value.isEmpty else { return nil }
    return value
}
