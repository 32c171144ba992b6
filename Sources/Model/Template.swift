/// What a task runs: named steps and the edges between them. A template is a value without a trace of the file that it came
/// from; the log keeps it under the digest of its encoding, so that a task stays with exactly what it started with.
public struct Template: Hashable, Sendable {
    public var namespace: String
    public var name: String
    public var version: String
    public var description: String?
    public var steps: [StepTemplate]
    /// Keys that describe and have no effect, such as `metadata`, as one JSON object.
    public var details: JSONText
    /// JSON Schema of the input, checked at submission.
    public var inputSchema: JSONText?
    /// The name under `environments` whose overrides are in these steps already.
    public var environment: String?
    /// -100 to 100: what a task of this template gets when its submission names no priority.
    public var priority: Int
    /// Features that the template asks for and this version does not have, each with its place. A task of such a template is
    /// refused; the log never holds one.
    public var unsupported: [String]

    public init(
        namespace: String, name: String, version: String, description: String? = nil, steps: [StepTemplate],
        details: JSONText = .emptyObject, inputSchema: JSONText? = nil, environment: String? = nil,
        priority: Int = 0, unsupported: [String] = []
    ) {
        self.namespace = namespace
        self.name = name
        self.version = version
        self.description = description
        self.steps = steps
        self.details = details
        self.inputSchema = inputSchema
        self.environment = environment
        self.priority = priority
        self.unsupported = unsupported
    }
}

/// One step of a template.
public struct StepTemplate: Hashable, Sendable {
    public var name: String
    public var description: String?
    public var handler: HandlerTemplate
    /// The steps that must be complete before, by their places in the template, in the order in which they were written.
    public var dependencies: [StepIndex]
    public var retry: RetryPolicy
    /// An attempt that runs longer is ended and counts as a retryable failure.
    public var timeout: Milliseconds?
    /// JSON Schema of the result; a result that does not fit is a permanent failure.
    public var resultSchema: JSONText?
    /// Keys that describe and have no effect, as one JSON object.
    public var details: JSONText

    public init(
        name: String, description: String? = nil, handler: HandlerTemplate, dependencies: [StepIndex] = [],
        retry: RetryPolicy = RetryPolicy(), timeout: Milliseconds? = nil, resultSchema: JSONText? = nil,
        details: JSONText = .emptyObject
    ) {
        self.name = name
        self.description = description
        self.handler = handler
        self.dependencies = dependencies
        self.retry = retry
        self.timeout = timeout
        self.resultSchema = resultSchema
        self.details = details
    }
}

/// What runs a step.
public struct HandlerTemplate: Hashable, Sendable {
    public enum Target: Hashable, Sendable {
        /// A handler that a worker, or this process, has registered under that name, and which of its methods.
        case callable(String, method: String)
        /// A program and its arguments, run by the engine.
        case command([String])
    }

    public var target: Target
    /// `handler.initialization`: a JSON object that the handler reads as its configuration.
    public var configuration: JSONText
    /// Added to the environment of a command, in the order written.
    public var environment: [EnvironmentVariable]
    /// Where a command runs; relative to the engine's working directory.
    public var workingDirectory: String?

    public init(
        target: Target, configuration: JSONText = .emptyObject, environment: [EnvironmentVariable] = [],
        workingDirectory: String? = nil
    ) {
        self.target = target
        self.configuration = configuration
        self.environment = environment
        self.workingDirectory = workingDirectory
    }

    public static func callable(_ name: String, method: String = "call") -> HandlerTemplate {
        HandlerTemplate(target: .callable(name, method: method))
    }

    public static func command(_ arguments: [String]) -> HandlerTemplate {
        HandlerTemplate(target: .command(arguments))
    }
}

/// One variable of a command's environment.
public struct EnvironmentVariable: Hashable, Sendable {
    public var name: String
    public var value: String

    public init(_ name: String, _ value: String) {
        self.name = name
        self.value = value
    }
}

/// SHA-256 of a template's encoding in the log.
public struct TemplateDigest: Hashable, Sendable, CustomStringConvertible {
    public let bytes: [UInt8]

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    /// The first twelve hexadecimal digits.
    public var description: String {
        bytes.prefix(6).map { byte in
            let digits = Array("0123456789abcdef")
            return "\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
        }.joined()
    }
}
