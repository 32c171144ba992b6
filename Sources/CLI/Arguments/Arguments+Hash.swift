import StepwellHistory
import StepwellLog
import StepwellModel

extension Arguments {
    /// The hash that an option gives, or nil without it.
    func hash(_ option: Option, for command: String) throws(UsageError) -> [UInt8]? {
        guard let text = self[option] else { return nil }
        guard let hash = bytes(hexadecimal: text), hash.count == SHA256.byteCount else {
            throw UsageError(
                "'\(option.name)' takes the 64 hexadecimal digits of a hash, not '\(text)'", command: command)
        }
        return hash
    }
}
