/// What one wait knows of its server's absence, such as while it is started again: who waits for a task anyway goes on waiting.
struct Absence {
    /// How long a server may be away.
    private static let patience = Duration.seconds(300)
    private static let pauseMin = Duration.milliseconds(100)
    private static let pauseMax = Duration.seconds(2)

    /// When the wait is over.
    private let end: ContinuousClock.Instant?
    private var begun: ContinuousClock.Instant?
    private var pause = pauseMin

    init(waitUntil end: ContinuousClock.Instant?) { self.end = end }

    /// Pauses before the server is asked again.
    /// - Throws: the error, if it does not pass or has lasted for too long.
    mutating func outlast(_ error: ClientError) async throws {
        let now = ContinuousClock.now
        let over = min((begun ?? now) + Self.patience, end ?? now + Self.patience)
        begun = begun ?? now
        guard error.mayPass, now < over else { throw error }
        try await Task.sleep(for: min(pause, over - now))
        pause = min(pause * 2, Self.pauseMax)
    }

    /// The server has answered.
    mutating func ended() { self = Absence(waitUntil: end) }
}
