import StepwellHistory
import StepwellLog
import StepwellModel

/// What commands ask for, of a store on this machine or of a server: they print the same whichever it is.
protocol Backend: Sendable {
    /// Newest first, as lists show them.
    func tasks(matching filter: TaskFilter, limit: Int) throws -> [JSON]
    /// The task that a word names: an id or the beginning of one, a key, or `last`.
    func findTask(_ word: String) throws -> TaskID
    /// - Parameter needsText: whether the answer is for people.
    func answer(_ question: Question, needsText: Bool) throws -> Answer
    /// Hands over events as lines, oldest first; with `follows` for ever.
    func events(
        of task: String?, after: SequenceNumber, as form: EventForm, follows: Bool,
        _ body: @escaping (String) -> Void) async throws
    /// Hands over what the handlers of a task have written.
    func logLines(of task: TaskID, step: String?, _ body: (JSON) -> Void) throws
    /// A task as a file.
    func export(_ task: String, redacting pointers: [String]) throws -> [UInt8]
    func graph(ofTask task: String, _ format: GraphText.Format) throws -> String
    /// - Parameter version: nil: the newest.
    func graph(ofTemplate name: TemplateName, _ format: GraphText.Format) throws -> String
    /// All templates with their versions, as lists show them.
    func templates() throws -> [JSON]
    /// Who works for the engine now.
    func workers() throws -> [JSON]
    /// Limits of namespaces and handlers.
    func limits() throws -> [JSON]
    /// Whether a server gives nothing to workers.
    var isHeld: Bool { get }
    /// What a wish would come to; without one, what comes next.
    func plan(_ wish: Wish?, for task: TaskID) throws -> DryRun
    func perform(_ wish: Wish, on task: TaskID) async throws
}

/// The name of a template, with its version if one is meant.
struct TemplateName: Sendable {
    var namespace: String
    var name: String
    var version: String?

    /// Reads `NAMESPACE/NAME`.
    init?(_ word: String, version: String?) {
        let parts = word.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 2, !parts.contains("") else { return nil }
        (namespace, name, self.version) = (parts[0], parts[1], version)
    }
}

/// What can be asked about tasks and stores.
enum Question: Sendable {
    case report(task: String, details: Bool)
    case explanation(task: String, step: String?)
    case difference(String, String)
    /// The whole engine; nil: now.
    case world(at: String?)
    case statistics
}

/// What came of a question, in the form that was needed.
enum Answer {
    case text(String, isAlike: Bool)
    case document(JSONText)

    /// Of a comparison: whether there was nothing to tell.
    var isAlike: Bool {
        switch self {
        case .text(_, let isAlike): isAlike
        case .document(let document): document.json["alike"]?.bool ?? false
        }
    }
}

extension Backend {
    /// Says that nothing starts, where somebody may wait in vain.
    func tellHold() {
        if isHeld { note("the server is on hold: nothing starts until 'stepwell release'") }
    }

    /// Asks, and prints the answer.
    @discardableResult
    func show(_ question: Question, _ format: OutputFormat) throws -> Answer {
        let answer = try answer(question, needsText: format == .table)
        switch answer {
        case .text(let text, _): output(text)
        case .document(let document): output(format == .json ? document.json.pretty : document.description)
        }
        return answer
    }
}

/// A change of one task that somebody wishes.
enum Wish: Sendable {
    case cancel(reason: String?)
    case pause(reason: String?)
    case unpause(reason: String?)
    /// No steps: all that have failed.
    case retry(steps: [String], reason: String?)
    case resolve(step: String, result: JSONText?, reason: String?)
}
