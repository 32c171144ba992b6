import StepwellHTTP
import StepwellHistory
import StepwellLog
import StepwellModel

/// Events of a server as they come. When the connection breaks, it is made again, and the events go on behind the last that came.
struct Following {
    private let connection: ServerConnection
    private let path: [String]
    private let form: EventForm
    private(set) var last: SequenceNumber
    /// Whether the server has answered: then whatever breaks will pass.
    private var hasBegun: Bool
    private let tell: (String) -> Void

    /// - Parameters:
    ///   - task: nil: all events.
    ///   - isKnown: the server has answered before.
    ///   - tell: says that the connection is broken.
    init(
        _ connection: ServerConnection, task: TaskID?, after: SequenceNumber, as form: EventForm, isKnown: Bool = false,
        tell: @escaping (String) -> Void = { note($0) }
    ) {
        self.connection = connection
        path = (task.map { ["tasks", $0.description] } ?? []) + ["events", "stream"]
        self.form = form
        last = after
        hasBegun = isKnown
        self.tell = tell
    }

    /// Hands events over until `body` says false, or, if it does not follow, until the last of now.
    /// - Parameter patience: how long to try again; nil: for ever.
    /// - Throws: `HTTPError.interrupted` when the client was interrupted.
    mutating func run(
        follows: Bool, patience: Int64?, _ body: @escaping (ServerSentEvents.Event) -> Bool
    ) throws {
        var absence = Absence()
        while true {
            let position = Position(last)
            var trouble: (any Error)?
            do {
                try connection.stream(
                    path,
                    [
                        ("after", "\(last.rawValue)"), ("format", form.rawValue),
                        ("follow", follows ? nil : "false"),
                    ], lastID: "\(last.rawValue)", onOpen: { position.isOpen = true }
                ) { event in
                    if event.id.isEmpty {
                        if event.type == "end" { position.isAtEnd = true }
                        return !position.isAtEnd
                    }
                    if let number = UInt64(event.id) { position.last = SequenceNumber(number) }
                    position.isAtEnd = !body(event)
                    return !position.isAtEnd
                }
                hasBegun = true
            } catch  where (hasBegun || position.isOpen) && Absence.explains(error) {
                (hasBegun, trouble) = (true, error)
            }
            if position.isAtEnd {
                last = position.last
                return
            }
            if position.last > last { absence.end() }
            last = position.last
            try absence.wait(trouble, for: connection, patience: patience, tell: tell)
        }
    }

    /// Where the stream stands, for the closure that the client calls on this same thread.
    private final class Position {
        var last: SequenceNumber
        var isAtEnd = false
        /// Whether the server has said anything.
        var isOpen = false

        init(_ last: SequenceNumber) { self.last = last }
    }
}
