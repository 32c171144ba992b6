import StepwellHistory
import StepwellModel

extension Arguments {
    /// The moment that `--at` names, or nil without it.
    func moment() throws(UsageError) -> MomentText? {
        guard let text = self[.at] else { return nil }
        guard let moment = MomentText(text) else {
            throw UsageError(
                "'--at' takes the number of an event, a time such as 2026-11-24T02:00:31Z or 02:00:31, or -10m, not '\(text)'"
            )
        }
        return moment
    }
}
