import Glibc
import Stepwell
import StepwellHistory
import StepwellLog
import StepwellModel

/// Recorded runs below a folder: what `export` and `prune` have written, and whole stores.
struct Recordings {
    /// Where runs are read from.
    enum Source {
        case file(String)
        case store(String)

        var path: String {
            switch self {
            case .file(let path), .store(let path): path
            }
        }
    }

    private(set) var sources: [Source] = []

    /// Looks through a folder and those in it, in the order of their names. What begins with a dot is left
    /// out, and so are links to folders, which may go round.
    /// - Throws: ``FileError``
    init(_ folder: String) throws(FileError) {
        try search(folder)
    }

    private mutating func search(_ folder: String) throws(FileError) {
        if Files.exists(folder + "/data.mdb") { return sources.append(.store(folder)) }
        for name in try Files.names(in: folder) where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)"
            if Files.isDirectory(path) {
                try search(path)
            } else if name.hasSuffix(".stepwell") || name.hasSuffix(".zst") {
                sources.append(.file(path))
            }
        }
    }

    /// Reads the runs of a source, one after the other, of those templates alone if there are any.
    /// - Parameter visit: a run; nil for one of another template.
    /// - Throws: ``BundleError``, ``FileError``, ``LogError``, ``FoldError``: the source is not what was written.
    static func read(_ source: Source, of names: [TaskFilter], _ visit: (RecordedRun?) throws -> Void) throws {
        func isWanted(_ namespace: String, _ name: String) -> Bool {
            names.isEmpty || names.contains { $0.namespace == namespace && $0.name == name }
        }
        switch source {
        case .file(let path):
            for bundle in try RunBundle.read(Archive.content(of: Files.read(path, bytesMax: .max))) {
                let run = try RecordedRun(bundle)
                let template = run.story.template
                try visit(isWanted(template.namespace, template.name) ? run : nil)
            }
        case .store(let path):
            let reader = try LMDBReader(path: path)
            try reader.checkPages()
            _ = try Verification.run(reader)
            // Oldest first.
            for task in try reader.tasks(matching: TaskFilter(), limit: .max).reversed() {
                try visit(isWanted(task.namespace, task.name) ? RecordedRun(task.id, from: reader) : nil)
            }
        }
    }
}
