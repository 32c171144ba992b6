public import StepwellModel

/// What became of a template's text.
public struct TemplateLoad: Hashable, Sendable {
    /// The template; nil when there are errors. It may ask for what this version does not have: see ``Template/unsupported``.
    public let template: Template?
    /// All errors and warnings, in the order of the file.
    public let diagnostics: [Diagnostic]

    public var errors: [Diagnostic] { diagnostics.filter { $0.severity == .error } }
    public var warnings: [Diagnostic] { diagnostics.filter { $0.severity == .warning } }

    /// The template, or all that is wrong with it as one error.
    public func get() throws(InvalidTemplate) -> Template {
        guard let template else { throw InvalidTemplate(diagnostics: errors) }
        return template
    }
}

/// Makes templates of YAML text.
///
///     let load = TemplateLoader.load(text: yaml, file: "nightly.yaml", environment: "test")
///     for diagnostic in load.diagnostics { print(diagnostic) }
///     let template = try load.get()
public enum TemplateLoader {
    /// The bytes of a document that nobody asked to be larger: 1 MiB, some ten thousand steps. What is larger was more likely
    /// given by mistake; whoever generates large templates raises the limit.
    public static let documentBytesMax = 1 << 20

    /// Reads a template.
    /// - Parameters:
    ///   - text: YAML.
    ///   - file: The name that the diagnostics give.
    ///   - environment: Applies the overrides of that name under `environments`.
    ///   - documentBytesMax: A longer text is refused.
    public static func load(
        text: String, file: String = "template.yaml", environment: String? = nil,
        documentBytesMax: Int = documentBytesMax
    ) -> TemplateLoad {
        load(bytes: Array(text.utf8), file: file, environment: environment, documentBytesMax: documentBytesMax)
    }

    /// Reads a template from the bytes of a file.
    public static func load(
        bytes: [UInt8], file: String = "template.yaml", environment: String? = nil,
        documentBytesMax: Int = documentBytesMax
    ) -> TemplateLoad {
        let findings = Findings(file: file)
        var template: Template?
        do throws(YAMLFault) {
            let text = try checked(bytes, bytesMax: documentBytesMax)
            let root = try YAMLReader.read(text, findings)
            template = TemplateReader.read(root, environment: environment, findings)
        } catch {
            // Text that is no YAML is the one fault worth telling.
            let alone = Findings(file: file)
            alone.error(error)
            return TemplateLoad(template: nil, diagnostics: alone.sorted)
        }
        return TemplateLoad(template: findings.hasErrors ? nil : template, diagnostics: findings.sorted)
    }

    /// The text without its byte order mark.
    static func checked(
        _ bytes: [UInt8], bytesMax: Int = documentBytesMax
    ) throws(YAMLFault) -> ArraySlice<UInt8> {
        guard bytes.count <= bytesMax else {
            throw YAMLFault(
                code: .documentTooLarge, place: .start,
                message: "the file has \(bytes.count) bytes; \(bytesMax) are allowed",
                cure: "divide the workflow, or raise the limit")
        }
        let text = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes[3...] : bytes[...]
        do throws(UTF8.ValidationError) {
            _ = try UTF8Span(validating: text.span)
        } catch {
            throw YAMLFault(
                code: .notUTF8, place: Place(offset: error.byteOffsets.lowerBound, in: text), message: "not UTF-8",
                cure: "save the file as UTF-8")
        }
        return text
    }
}
