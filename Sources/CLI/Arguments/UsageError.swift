import StepwellModel

/// A command line that makes no sense.
struct UsageError: StepwellError {
    var message: String
    var command: String?

    init(_ message: String, command: String? = nil) {
        self.message = message
        self.command = command
    }

    var code: String { "usage" }
    var cure: String? { "'stepwell \(command.map { "\($0) " } ?? "")--help' shows how it is used" }
}
