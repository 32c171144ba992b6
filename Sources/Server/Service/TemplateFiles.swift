import Glibc
import Stepwell
package import StepwellModel

/// The files of a folder and what is known of each, so that only news is told.
package actor TemplateFiles {
    /// What a look at a file has found that nobody knew.
    package enum News: Sendable {
        /// A template, or a version of one, that is known from now on.
        case added(file: String, Template)
        /// What was known before stays.
        case refused(file: String, any Error)
        /// The template stays known, and its tasks go on.
        case gone(file: String, Template)
    }

    private let folder: TemplateFolder
    private let register: @Sendable (Template) async throws -> Bool
    private var templates: [String: Template] = [:]
    /// What was wrong with a file when it was looked at last.
    private var faults: [String: String] = [:] { didSet { faultCount.set(faults.count) } }
    private let faultCount: Gauge

    /// - Parameters:
    ///   - faultCount: counts the files that are at fault.
    ///   - register: makes a template known; false when it is already.
    package init(
        _ folder: TemplateFolder, faults faultCount: Gauge,
        register: @escaping @Sendable (Template) async throws -> Bool
    ) {
        self.folder = folder
        self.faultCount = faultCount
        self.register = register
    }

    /// Makes known what the server was started with.
    /// - Returns: the files at fault. One of them must not keep the start from the work that is there: it may be one after a crash, at night.
    /// - Throws: what else has gone wrong, and is no fault of a file.
    package func add(_ findings: [TemplateFolder.Finding]) async throws -> [News] {
        var news: [News] = []
        for finding in findings {
            var fault = finding.error
            if let template = finding.template {
                do {
                    _ = try await register(template)
                    templates[finding.file] = template
                } catch let error as CatalogError { fault = error }
            }
            guard let fault else { continue }
            faults[finding.file] = "\(fault)"
            news.append(.refused(file: finding.file, fault))
        }
        return news
    }

    /// Looks at files that have changed.
    /// - Throws: ``FileError`` when the folder cannot be read.
    package func look(at change: FolderWatch.Change) async throws -> [News] {
        switch change {
        case .everything: return try await lookAtAll()
        case .files(let files):
            var news: [News] = []
            for file in files.sorted() {
                let isThere = access(file, F_OK) == 0
                news += isThere ? await take(folder.read(file)) : forget(file)
            }
            return news
        }
    }

    /// Looks at all files, and tells again what is still wrong.
    package func lookAgain() async throws -> [News] {
        faults = [:]
        return try await lookAtAll()
    }

    private func lookAtAll() async throws -> [News] {
        let findings = try folder.read()
        let files = Set(findings.map(\.file))
        var news: [News] = []
        for file in (Set(templates.keys).union(faults.keys)).subtracting(files).sorted() { news += forget(file) }
        for finding in findings { news += await take(finding) }
        return news
    }

    private func take(_ finding: TemplateFolder.Finding) async -> [News] {
        do {
            if let error = finding.error { throw error }
            guard let template = finding.template else { return [] }
            let isNew = try await register(template)
            templates[finding.file] = template
            faults[finding.file] = nil
            return isNew ? [.added(file: finding.file, template)] : []
        } catch {
            let text = "\(error)"
            defer { faults[finding.file] = text }
            return faults[finding.file] == text ? [] : [.refused(file: finding.file, error)]
        }
    }

    private func forget(_ file: String) -> [News] {
        faults[file] = nil
        return templates.removeValue(forKey: file).map { [.gone(file: file, $0)] } ?? []
    }
}
