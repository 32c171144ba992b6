import Stepwell
import StepwellModel

extension Arguments {
    /// What `--input` holds or names; an empty object without it.
    func readInput() throws -> JSONText {
        guard let word = self[.input] else { return .emptyObject }
        let bytes = word.hasPrefix("@") ? try Files.read(String(word.dropFirst())) : Array(word.utf8)
        do throws(JSONError) {
            return try JSONText(bytes)
        } catch {
            throw UsageError("'--input' is \(error)")
        }
    }
}
