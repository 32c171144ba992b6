import StepwellModel

/// A template that a server knows.
public struct RemoteTemplate: Hashable, Sendable {
    public let namespace: String
    public let name: String
    public let version: String
    public let digest: String

    init(_ json: JSON) throws(BadAnswer) {
        (namespace, name) = (try json.text("namespace"), try json.text("name"))
        (version, digest) = (try json.text("version"), try json.text("digest"))
    }
}

/// Whether a template is valid, and all that was found; a valid one may have warnings.
public struct RemoteValidation: Hashable, Sendable {
    public let isValid: Bool
    public let findings: [Finding]

    /// What is wrong with a template, and where.
    public struct Finding: Hashable, Sendable {
        /// `error` or `warning`.
        public let severity: String
        public let code: String
        public let message: String
        public let cure: String?
        /// From 1, as the column.
        public let line: Int
        public let column: Int

        init(_ json: JSON) throws(BadAnswer) {
            (severity, code) = (try json.text("severity"), try json.text("code"))
            (message, cure) = (try json.text("message"), json["cure"]?.string)
            (line, column) = (try json.number("line"), try json.number("column"))
        }
    }

    init(_ json: JSON) throws(BadAnswer) {
        isValid = try json.flag("valid")
        findings = try json.list("findings") { finding throws(BadAnswer) in try Finding(finding) }
    }
}

/// How steps are drawn.
public enum DrawingFormat: String, Hashable, Sendable, CaseIterable {
    /// A tree for a terminal.
    case text
    case mermaid
    /// For Graphviz.
    case dot
    case json
}
