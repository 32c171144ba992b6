import Stepwell
import StepwellModel
import StepwellServer
import StepwellTemplates

// The folder of templates: read at the start, watched, and read again when somebody asks for it.

extension Serving {
    /// What makes the server look at its files again.
    enum Wish: Sendable {
        case hangup
        case change(FolderWatch.Change)
        /// Changes are not noticed.
        case blind(FileError)
    }

    /// The files of the folder, before the store is touched.
    func readTemplates() throws -> [TemplateFolder.Finding] {
        guard let folder = settings.folder else { return [] }
        let findings = try folder.read()
        let faults = findings.compactMap { finding in finding.error.map { "\(finding.file): \($0)" } }
        for fault in faults { note(fault) }
        guard faults.isEmpty else { throw UnusableTemplates(count: faults.count, folder: folder.path) }
        return findings
    }

    /// Notices changes from now on. Where the system does not allow it, SIGHUP is left.
    func watchTemplates() -> FolderWatch? {
        guard let folder = settings.folder else { return nil }
        do throws(FileError) {
            return try FolderWatch(folder.path)
        } catch {
            tellBlind(error)
            return nil
        }
    }

    /// Obeys one after the other.
    func obey(_ wishes: AsyncStream<Wish>, _ host: ServiceHost, _ files: TemplateFiles?) async {
        for await wish in wishes {
            switch wish {
            case .hangup:
                manager.reloading()
                reloadCertificate(host)
                await readAgain(host, files)
                manager.ready(status(host))
            case .change(let change):
                do {
                    for news in try await files?.look(at: change) ?? [] { tell(news) }
                } catch { note("the templates cannot be read: \(error)") }
            case .blind(let error): tellBlind(error)
            }
        }
    }

    /// Reads the whole folder. What cannot be used is told, and the others count.
    private func readAgain(_ host: ServiceHost, _ files: TemplateFiles?) async {
        guard let files else { return }
        do {
            var added = 0
            for news in try await files.lookAgain() {
                if case .added = news { added += 1 }
                tell(news)
            }
            note("templates read again: \(added) new, \(host.service.catalog.all.count) in all")
        } catch { note("the templates were not read again: \(error)") }
    }

    private func tell(_ news: TemplateFiles.News) {
        switch news {
        case .added(let file, let template): note("\(file): \(template.title) is known now")
        case .refused(let file, let error): note("\(file): \(error)")
        case .gone(let file, let template):
            note("\(file) is gone: \(template.title) stays known, and its tasks go on")
        }
    }

    private func tellBlind(_ error: FileError) {
        note("changes of templates are not noticed, but SIGHUP is obeyed: \(error)")
    }
}

extension Template {
    fileprivate var title: String { "'\(namespace)/\(name)' \(version)" }
}

/// Template files that cannot be used.
private struct UnusableTemplates: StepwellError {
    let count: Int
    let folder: String

    var code: String { "invalid_template" }
    var message: String { "\(counted(count, "file")) in '\(folder)' cannot be used" }
    var cure: String? { "'stepwell validate' tells more" }
}
