import Foundation

/// The files of the repository, without what `.gitignore` names.
struct SourceTree {
    struct File {
        /// From the top of the repository.
        let path: String
        let text: String

        var lines: [Substring] { text.split(separator: "\n", omittingEmptySubsequences: false) }
    }

    let root: URL
    private let ignored: [String]

    init() throws {
        root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: ".gitignore"), encoding: .utf8)
        ignored = text.split(separator: "\n").map { $0.hasSuffix("/") ? String($0.dropLast()) : String($0) }
    }

    /// What stands at the top.
    func topEntries() throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root.path).filter { !isIgnored($0) }.sorted()
    }

    /// All files below a folder that are text.
    func files(in folder: String = "") throws -> [File] {
        let names = try FileManager.default.contentsOfDirectory(atPath: root.appending(path: folder).path).sorted()
        return try names.filter { !isIgnored($0) }.flatMap { name in
            let path = folder.isEmpty ? name : "\(folder)/\(name)"
            if isFolder(path) { return try files(in: path) }
            guard let text = try? String(contentsOf: root.appending(path: path), encoding: .utf8) else { return [] }
            return [File(path: path, text: text)]
        }
    }

    func swiftFiles(in folder: String) throws -> [File] {
        try files(in: folder).filter { $0.path.hasSuffix(".swift") }
    }

    func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: root.appending(path: path).standardized.path)
    }

    private func isFolder(_ path: String) -> Bool {
        var isFolder: ObjCBool = false
        return FileManager.default.fileExists(atPath: root.appending(path: path).path, isDirectory: &isFolder)
            && isFolder.boolValue
    }

    private func isIgnored(_ name: String) -> Bool {
        name == ".git" || ignored.contains { $0.hasPrefix("*") ? name.hasSuffix($0.dropFirst()) : name == $0 }
    }
}
