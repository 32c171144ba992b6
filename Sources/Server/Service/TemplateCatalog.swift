package import StepwellLog
package import StepwellModel
import Synchronization

/// The templates that tasks can be submitted by name of: for each namespace and name all versions, and the newest.
package final class TemplateCatalog: Sendable {
    private struct Name: Hashable {
        var namespace: String
        var name: String
    }

    private let entries = Mutex<[Name: [Template]]>([:])

    package init() {}

    /// Adds a template.
    /// - Returns: whether it is new; false when it is there already.
    /// - Throws: ``CatalogError/changed`` when that version has another text.
    @discardableResult
    package func add(_ template: Template) throws(CatalogError) -> Bool {
        let name = Name(namespace: template.namespace, name: template.name)
        let result: Result<Bool, CatalogError> = entries.withLock { entries in
            var versions = entries[name] ?? []
            if let known = versions.first(where: { $0.version == template.version }) {
                guard known.digest != template.digest else { return .success(false) }
                return .failure(.changed(template.namespace, template.name, template.version))
            }
            versions.append(template)
            versions.sort { Self.precedes($0.version, $1.version) }
            entries[name] = versions
            return .success(true)
        }
        return try result.get()
    }

    /// Takes back what could not be written.
    func remove(_ template: Template) {
        let name = Name(namespace: template.namespace, name: template.name)
        entries.withLock { entries in entries[name]?.removeAll { $0.version == template.version } }
    }

    /// All that the log knows.
    package func load(_ log: any EventReader) throws {
        for registration in try log.registrations() {
            guard let template = try log.template(registration.template) else {
                throw LogError.corrupt("the template \(registration.template) is missing", at: nil)
            }
            try add(template)
        }
    }

    /// The template of that name; without a version the newest.
    /// - Parameter scope: the namespaces that whoever asks may hear of.
    package func find(
        namespace: String, name: String, version: String?, for scope: NamespaceScope = .all
    ) throws(CatalogError) -> Template {
        let (versions, others) = entries.withLock { entries in
            (
                entries[Name(namespace: namespace, name: name)] ?? [],
                entries.keys.filter { $0.name == name && scope.includes($0.namespace) }.map(\.namespace)
            )
        }
        if let found = version.map({ version in versions.first { $0.version == version } }) ?? versions.last {
            return found
        }
        guard versions.isEmpty else {
            throw .unknownVersion(namespace, name, version ?? "", versions.map(\.version))
        }
        throw .unknown(namespace, name, others.sorted())
    }

    /// All templates, sorted by namespace, name and version.
    package var all: [Template] {
        entries.withLock { Array($0.values.joined()) }.sorted {
            ($0.namespace, $0.name) == ($1.namespace, $1.name)
                ? Self.precedes($0.version, $1.version) : ($0.namespace, $0.name) < ($1.namespace, $1.name)
        }
    }

    /// By their parts as numbers: 1.9.0 before 1.10.0; a release after what comes before it, as semantic versioning has it.
    static func precedes(_ left: String, _ right: String) -> Bool {
        let (left, right) = (parts(left), parts(right))
        for (one, other) in zip(left.numbers, right.numbers) where one != other { return one < other }
        if left.numbers.count != right.numbers.count { return left.numbers.count < right.numbers.count }
        guard !left.rest.isEmpty, !right.rest.isEmpty else { return !left.rest.isEmpty && right.rest.isEmpty }
        return left.rest < right.rest
    }

    private static func parts(_ version: String) -> (numbers: [Int], rest: String) {
        let halves = version.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        return (halves[0].split(separator: ".").map { Int($0) ?? 0 }, halves.count > 1 ? String(halves[1]) : "")
    }
}

/// A template that cannot be had or put.
package enum CatalogError: StepwellError {
    case unknown(String, String, [String])
    case unknownVersion(String, String, String, [String])
    case changed(String, String, String)

    package var code: String {
        switch self {
        case .unknown, .unknownVersion: "unknown_template"
        case .changed: "template_changed"
        }
    }

    package var message: String {
        switch self {
        case .unknown(let namespace, let name, _): "there is no template '\(name)' in the namespace '\(namespace)'"
        case .unknownVersion(let namespace, let name, let version, _):
            "the template '\(namespace)/\(name)' has no version \(version)"
        case .changed(let namespace, let name, let version):
            "version \(version) of the template '\(namespace)/\(name)' is there already, with another text"
        }
    }

    package var cure: String? {
        switch self {
        case .unknown(_, _, let namespaces):
            namespaces.isEmpty
                ? "'GET /v1/templates' lists them" : "there is one in: " + namespaces.joined(separator: ", ")
        case .unknownVersion(_, _, _, let versions): "its versions are: " + versions.joined(separator: ", ")
        case .changed: "give the new text a new version"
        }
    }
}
