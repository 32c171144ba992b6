import StepwellHistory

/// Does long work on files and shows on a terminal how far it is: `total` and `done` are numbers of bytes.
func withProgress<Result: Sendable>(
    _ what: String, total: Int, done: @escaping @Sendable () -> Int, _ work: @escaping @Sendable () throws -> Result
) async throws -> Result {
    guard Terminal.stderrIsTerminal else { return try work() }
    let status = StatusLine()
    let ticker = Task.detached {
        while true {
            try await Task.sleep(for: .milliseconds(200))
            let percent = min(99, done() * 100 / max(1, total))
            status.show("\(what): \(byteCount(done())) of \(byteCount(total)), \(percent)%")
        }
    }
    let result = await Task.detached { Swift.Result { try work() } }.value
    ticker.cancel()
    _ = await ticker.result
    status.end()
    return try result.get()
}
