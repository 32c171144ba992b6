import StepwellModel

/// What an ended command says about its attempt: its exit status, its standard output and its last words.
enum CommandResult {
    /// EX_DATAERR of sysexits.h, "the input was incorrect": no further attempt.
    static let permanentStatus: Int32 = 65
    /// Space around a result does not count against its limit, within reason.
    static let spaceMax = 4096
    private static let excerptBytes = 80

    static func outcome(
        _ status: ExitStatus, output: [UInt8], lastErrorLine: String?, limits: Limits, redaction: Redaction = .nothing
    ) -> AttemptOutcome {
        switch status {
        case .exited(0): success(trimmed(output), limits, redaction)
        case .exited(let number): .failed(failure(number, trimmed(output), lastErrorLine))
        case .signalled, .unkillable, .unknown:
            .failed(
                Failure(
                    message: "the command \(status.description)" + lastWords(lastErrorLine), errorType: "signal",
                    metadata: signalMetadata(status)))
        }
    }

    static func tooLarge(_ limits: Limits) -> AttemptOutcome {
        .failed(.resultTooLarge(limits))
    }

    // MARK: Success

    private static func success(_ output: [UInt8], _ limits: Limits, _ redaction: Redaction) -> AttemptOutcome {
        guard !output.isEmpty else { return .succeeded(.null, metadata: nil) }
        guard output.count <= limits.resultBytesMax else { return tooLarge(limits) }
        do {
            return .succeeded(try JSONText(output), metadata: nil)
        } catch {
            return .failed(
                Failure(
                    message: "standard output is not one JSON value: \(error.reason) at byte \(error.offset) "
                        + "of '\(excerpt(output, redaction))': print one JSON value, and write anything else to standard error",
                    errorType: "not_json", retryable: false))
        }
    }

    // MARK: Failure

    private static func failure(_ status: Int32, _ output: [UInt8], _ lastErrorLine: String?) -> Failure {
        if let reported = reported(output, status) { return reported }
        return Failure(
            message: "the command ended with status \(status)" + lastWords(lastErrorLine), errorType: "exit_status",
            retryable: status != permanentStatus, metadata: statusMetadata(status))
    }

    /// `{"failure": {…}}` on standard output, with the members of the worker protocol's `failure` message.
    private static func reported(_ output: [UInt8], _ status: Int32) -> Failure? {
        guard output.first == UInt8(ascii: "{"),
            let outer = try? MessageReader(output), let range = outer.range("failure"),
            let inner = try? MessageReader(Array(output[range])), var failure = try? inner.failure()
        else { return nil }
        if !inner.has("retryable") { failure.retryable = status != permanentStatus }
        failure.metadata = failure.metadata ?? statusMetadata(status)
        return failure
    }

    private static func lastWords(_ line: String?) -> String {
        line.map { ": \($0)" } ?? ""
    }

    private static func statusMetadata(_ status: Int32) -> JSONText {
        JSONText(["exit_status": .number(String(status))])
    }

    private static func signalMetadata(_ status: ExitStatus) -> JSONText? {
        guard case .signalled(let number) = status else { return nil }
        var members = [JSON.Member("signal", .number(String(number)))]
        if let name = signalName(number) { members.append(JSON.Member("signal_name", .string(name))) }
        return JSONText(.object(members))
    }

    // MARK: Bytes

    private static func trimmed(_ bytes: [UInt8]) -> [UInt8] {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || 0x09...0x0D ~= byte }
        guard let first = bytes.firstIndex(where: { !isSpace($0) }),
            let last = bytes.lastIndex(where: { !isSpace($0) })
        else { return [] }
        return first == 0 && last == bytes.count - 1 ? bytes : Array(bytes[first...last])
    }

    /// Secrets are hidden before it is cut: of half of one, nobody could tell what it is.
    private static func excerpt(_ output: [UInt8], _ redaction: Redaction) -> String {
        let bytes = redaction.bytes(output) ?? output
        let text = String(decoding: bytes.prefix(excerptBytes), as: UTF8.self)
        return text + (bytes.count > excerptBytes ? "…" : "")
    }
}
