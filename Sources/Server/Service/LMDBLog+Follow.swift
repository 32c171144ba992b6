import StepwellLog
import StepwellModel

/// Ends a walk early.
private struct Enough: Error {}

extension LMDBLog {
    /// Events after a number, of one task or of all, until `body` says false.
    func followedEvents(
        of task: TaskID?, after number: SequenceNumber, _ body: (EventRecord) throws -> Bool
    ) throws {
        guard let task else { return try events(after: number, payloads: .included, body) }
        do {
            try events(of: task, after: number, payloads: .included) { record in
                guard try body(record) else { throw Enough() }
            }
        } catch {
            guard error is Enough else { throw error }
        }
    }
}
