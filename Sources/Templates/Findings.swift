/// What is found while one file is read: the diagnostics, and the features that it asks for in vain.
final class Findings {
    private(set) var diagnostics: [Diagnostic] = []
    private var unsupported: [(place: Place, feature: String)] = []
    private var suggestions = Suggestions()
    let file: String

    init(file: String) {
        self.file = file
    }

    var hasErrors: Bool { diagnostics.contains { $0.severity == .error } }

    func error(_ code: Diagnostic.Code, at place: Place, _ message: String, cure: String? = nil) {
        add(.error, code, place, message, cure)
    }

    func warn(_ code: Diagnostic.Code, at place: Place, _ message: String, cure: String? = nil) {
        add(.warning, code, place, message, cure)
    }

    func error(_ fault: YAMLFault) {
        error(fault.code, at: fault.place, fault.message, cure: fault.cure)
    }

    /// A feature that this version does not have. The template loads, and says so; a task of it is refused.
    func notSupported(_ feature: String, of owner: String? = nil, at place: Place) {
        let details = [owner, "line \(place.line)"].compactMap(\.self).joined(separator: ", ")
        unsupported.append((place, "\(feature) (\(details))"))
        warn(
            .notSupportedYet, at: place, "not supported yet: \(feature)",
            cure: "a task of this template is refused until this is removed")
    }

    /// `did you mean 'dependencies'?`, or nil when nothing is near.
    func suggestion(for word: String, among candidates: some Sequence<String>) -> String? {
        suggestions.nearest(to: word, among: candidates).map { "did you mean '\($0)'?" }
    }

    /// The diagnostics in the order of the file, each once: an alias brings the same fault again.
    var sorted: [Diagnostic] {
        let ordered = diagnostics.enumerated().sorted {
            ($0.element.line, $0.element.column, $0.offset) < ($1.element.line, $1.element.column, $1.offset)
        }
        var seen: Set<Diagnostic> = []
        return ordered.map(\.element).filter { seen.insert($0).inserted }
    }

    /// The features of ``Template/unsupported``.
    var unsupportedFeatures: [String] {
        var seen: Set<String> = []
        return unsupported.sorted { $0.place < $1.place }.map(\.feature).filter { seen.insert($0).inserted }
    }

    private func add(
        _ severity: Diagnostic.Severity, _ code: Diagnostic.Code, _ place: Place, _ message: String, _ cure: String?
    ) {
        diagnostics.append(
            Diagnostic(severity, code, message, cure: cure, file: file, line: place.line, column: place.column))
    }
}
