import Glibc
package import Stepwell
package import StepwellModel
import StepwellTemplates

/// A folder of template files, `*.yaml` and `*.yml`, as the service reads it at its start, when it is told to look again, and when a
/// file in it changes.
package struct TemplateFolder: Sendable {
    package let path: String
    package let environment: String?

    package init(path: String, environment: String? = nil) {
        self.path = path
        self.environment = environment
    }

    /// What became of one file.
    package struct Finding: Sendable {
        package var file: String
        /// The template, or why there is none.
        package var template: Template?
        package var error: (any StepwellError)?
    }

    /// All files, in the order of their names; those in folders within it too.
    /// - Throws: ``FileError`` when the folder cannot be read.
    package func read() throws(FileError) -> [Finding] {
        try files(in: path).map(read)
    }

    /// One file.
    package func read(_ file: String) -> Finding {
        do throws(FileError) {
            // A pipe of such a name would be waited for.
            guard Files.isRegular(file) else {
                throw FileError(path: file, reason: "is no regular file", code: "unreadable_file")
            }
            let load = TemplateLoader.load(bytes: try Files.read(file), file: file, environment: environment)
            do throws(InvalidTemplate) {
                return Finding(file: file, template: try load.get())
            } catch { return Finding(file: file, error: error) }
        } catch { return Finding(file: file, error: error) }
    }

    /// Whether a file of that name is meant to hold a template.
    static func isTemplate(_ name: String) -> Bool {
        !name.hasPrefix(".") && (name.hasSuffix(".yaml") || name.hasSuffix(".yml"))
    }

    private func files(in folder: String) throws(FileError) -> [String] {
        var files: [String] = []
        for name in try Files.names(in: folder) where !name.hasPrefix(".") {
            let file = folder + "/" + name
            if Files.isDirectory(file) {
                files += try self.files(in: file)
            } else if Self.isTemplate(name) {
                files.append(file)
            }
        }
        return files
    }
}
