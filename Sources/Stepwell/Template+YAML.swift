public import StepwellModel
import StepwellTemplates

extension Template {
    /// Reads a template from a YAML file.
    ///
    /// ```swift
    /// let template = try Template(file: "nightly.yaml", environment: "test")
    /// ```
    ///
    /// - Parameter environment: applies the overrides of that name under `environments`.
    /// - Throws: ``FileError``, or ``InvalidTemplate`` with everything that is wrong with it. For the warnings, call
    ///   ``TemplateLoader`` yourself.
    public init(file path: String, environment: String? = nil) throws {
        self = try TemplateLoader.load(bytes: try Files.read(path), file: path, environment: environment).get()
    }

    /// Reads a template from YAML text.
    ///
    /// - Throws: ``InvalidTemplate`` with everything that is wrong with it.
    public init(yaml text: String, environment: String? = nil) throws(InvalidTemplate) {
        self = try TemplateLoader.load(text: text, environment: environment).get()
    }
}
