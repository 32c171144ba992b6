import Glibc

extension Arguments {
    /// The folder of ``Option/secrets``; nil without the option.
    func secretsDirectory(command: String) throws -> String? {
        guard let path = self[.secrets] else { return nil }
        var status = stat()
        guard stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR else {
            throw UsageError("'--secrets': there is no folder '\(path)'", command: command)
        }
        return path
    }
}
