import Stepwell
import StepwellModel
import StepwellTemplates

extension TemplateLoader {
    /// Loads a template from a file and prints its warnings to standard error.
    /// - Throws: ``FileError``, or ``InvalidTemplate`` with everything that is wrong with it.
    static func load(path: String, environment: String?) throws -> Template {
        let load = load(bytes: try Files.read(path), file: path, environment: environment)
        for warning in load.warnings { note(warning.description) }
        return try load.get()
    }
}
