/// How often a step is tried, and how long it waits between attempts.
public struct RetryPolicy: Hashable, Sendable {
    /// How the wait grows with the number of the attempt that failed.
    public enum Backoff: UInt8, Hashable, Sendable, CaseIterable {
        case none = 0
        case linear = 1
        case exponential = 2
        case fibonacci = 3
    }

    /// False: a failure is final, whatever the handler says.
    public var retryable: Bool
    /// Attempts in all, the first included. A number outside ``countRange`` becomes the nearest one in it.
    public var attemptsMax: Int { didSet { attemptsMax = Self.clamped(attemptsMax) } }
    public var backoff: Backoff
    /// The wait after the first failure.
    public var initialDelay: Milliseconds
    /// No wait is longer, not even one that a handler asks for.
    public var maximumDelay: Milliseconds
    /// Spreads the waits of many steps: each is made up to a fifth shorter or longer, always the same for the same attempt.
    public var jitter: Bool
    /// The step fails when that many of its attempts were lost with their workers, again within ``countRange``. A lost
    /// attempt is not a failed one.
    public var lossesMax: Int { didSet { lossesMax = Self.clamped(lossesMax) } }

    /// A step counts its attempts and its losses in 16 bits.
    public static let countRange = 1...65_535

    public init(
        retryable: Bool = true, attemptsMax: Int = 3, backoff: Backoff = .exponential,
        initialDelay: Milliseconds = .seconds(1), maximumDelay: Milliseconds = .seconds(30), jitter: Bool = false,
        lossesMax: Int = 10
    ) {
        self.retryable = retryable
        self.attemptsMax = Self.clamped(attemptsMax)
        self.backoff = backoff
        self.initialDelay = initialDelay
        self.maximumDelay = maximumDelay
        self.jitter = jitter
        self.lossesMax = Self.clamped(lossesMax)
    }

    private static func clamped(_ count: Int) -> Int {
        min(max(count, countRange.lowerBound), countRange.upperBound)
    }
}
