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

    /// Whether all files of the folder can be used.
    func checkTemplates() throws {
        guard let folder = settings.folder else { return }
        var count = 0
        for finding in try folder.read() {
            guard let error = finding.error else { continue }
            count += 1
            journal.tell(.error, "template_refused", file: finding.file, error)
        }
        guard count == 0 else { throw UnusableTemplates(count: count, folder: folder.path) }
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
                } catch {
                    journal.tell(
                        .error, "templates_unreadable", "the templates cannot be read", Journal.fields(of: error))
                }
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
            let count = host.service.catalog.all.count
            journal.tell(
                .info, "templates_read", "templates read again: \(added) new, \(count) in all",
                [.init("new", added), .init("all", count)])
        } catch {
            journal.tell(
                .error, "templates_unreadable", "the templates were not read again", Journal.fields(of: error))
        }
    }

    func tell(_ news: TemplateFiles.News) {
        switch news {
        case .added(let file, let template):
            journal.tell(
                .info, "template_known", "\(file): \(template.title) is known now", template.fields(in: file))
        case .refused(let file, let error): journal.tell(.error, "template_refused", file: file, error)
        case .gone(let file, let template):
            journal.tell(
                .warning, "template_gone", "\(file) is gone: \(template.title) stays known, and its tasks go on",
                template.fields(in: file))
        }
    }

    private func tellBlind(_ error: FileError) {
        journal.tell(
            .warning, "watch_failed", "changes of templates are not noticed, but SIGHUP is obeyed",
            Journal.fields(of: error))
    }
}

extension Template {
    fileprivate var title: String { "'\(namespace)/\(name)' \(version)" }

    fileprivate func fields(in file: String) -> [Journal.Field] {
        [.init("file", file), .init("namespace", namespace), .init("name", name), .init("version", version)]
    }
}

/// Template files that cannot be used.
private struct UnusableTemplates: StepwellError {
    let count: Int
    let folder: String

    var code: String { "invalid_template" }
    var message: String { "\(counted(count, "file")) in '\(folder)' cannot be used" }
    var cure: String? { "'stepwell validate' tells more" }
}
