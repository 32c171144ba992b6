public import StepwellModel

/// One thing that is wrong, or worth a second look, in a template's file.
public struct Diagnostic: Hashable, Sendable, CustomStringConvertible {
    public enum Severity: String, Hashable, Sendable {
        /// The template cannot be used.
        case error
        /// The template can be used; the key at this place does not do what its author may expect.
        case warning
    }

    /// A stable word for programs. `docs/template-reference.md` has an example of each.
    public enum Code: String, Hashable, Sendable, CaseIterable {
        // The text.
        case documentTooLarge = "document_too_large"
        case notUTF8 = "not_utf8"
        case controlCharacter = "control_character"
        case emptyDocument = "empty_document"
        case severalDocuments = "several_documents"
        case syntax = "yaml_syntax"
        case tab = "yaml_tab"
        case tag = "yaml_tag"
        case tooDeep = "too_deep"
        case duplicateKey = "duplicate_key"
        case badKey = "bad_key"
        case badMerge = "bad_merge"
        case unknownAnchor = "unknown_anchor"
        case recursiveAnchor = "recursive_anchor"
        case expandsTooFar = "expands_too_far"
        // Keys and values.
        case unknownKey = "unknown_key"
        case missingKey = "missing_key"
        case conflictingKeys = "conflicting_keys"
        case wrongType = "wrong_type"
        case outOfRange = "out_of_range"
        case unknownValue = "unknown_value"
        case badName = "bad_name"
        case badNumber = "bad_number"
        case badSchema = "bad_schema"
        case noHandler = "no_handler"
        case badSecret = "bad_secret"
        // The graph.
        case noSteps = "no_steps"
        case duplicateStep = "duplicate_step"
        case unknownStep = "unknown_step"
        case selfDependency = "self_dependency"
        case cycle = "cycle"
        case unknownEnvironment = "unknown_environment"
        case duplicateOverride = "duplicate_override"
        // Warnings.
        case ignoredKey = "ignored_key"
        case overruledKey = "overruled_key"
        case raisedToOne = "raised_to_one"
        case cappedDelay = "capped_delay"
        case duplicateDependency = "duplicate_dependency"
        case secretArgument = "secret_argument"
        case notSupportedYet = "not_supported_yet"
    }

    public var severity: Severity
    public var code: Code
    /// What is wrong.
    public var message: String
    /// What to write instead.
    public var cure: String?
    public var file: String
    /// From 1.
    public var line: Int
    /// In characters, from 1.
    public var column: Int

    public init(
        _ severity: Severity, _ code: Code, _ message: String, cure: String? = nil, file: String, line: Int,
        column: Int
    ) {
        self.severity = severity
        self.code = code
        self.message = message
        self.cure = cure
        self.file = file
        self.line = line
        self.column = column
    }

    /// `file:line:column: error: message [code]`, and the cure on a line of its own.
    public var description: String {
        "\(file):\(line):\(column): \(severity.rawValue): \(message) [\(code.rawValue)]"
            + (cure.map { "\n    \($0)" } ?? "")
    }
}

/// A file that holds no template that can be run.
public struct InvalidTemplate: StepwellError, Hashable {
    public let diagnostics: [Diagnostic]

    public var code: String { "invalid_template" }
    public var message: String { diagnostics.map(\.description).joined(separator: "\n") }
}
