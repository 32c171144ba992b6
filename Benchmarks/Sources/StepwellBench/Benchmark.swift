/// Something to measure. Each run is made by a process of its own, on a store of its own.
protocol Benchmark: Sendable {
    var name: String { get }
    var summary: String { get }
    /// How often it is run; nil: as often as asked for. A benchmark that measures several times within one run says 1.
    var runs: Int? { get }

    func run(_ scratch: Scratch, size: Size) async throws -> [Sample]
}

extension Benchmark {
    var runs: Int? { nil }
}

/// One measured figure.
struct Sample: Codable, Sendable {
    var metric: String
    var unit: String
    var value: Double
    /// Whether more is better; nil for a figure that only explains another one.
    var moreIsBetter: Bool?

    init(_ metric: String, _ unit: String, _ value: Double, moreIsBetter: Bool? = nil) {
        self.metric = metric
        self.unit = unit
        self.value = value
        self.moreIsBetter = moreIsBetter
    }
}

/// How much is measured.
enum Size: String {
    case full
    /// Only shows that it works: its figures mean nothing.
    case quick

    func callAsFunction(_ full: Int, quick: Int) -> Int { self == .full ? full : quick }
}

let allBenchmarks: [any Benchmark] = [
    DurableSteps(), Latency(), Chain(), Fan(), PythonSteps(workers: 1), PythonSteps(workers: 2), CommandSteps(),
    Recovery(name: "recovery", finished: 100_000), Recovery(name: "recovery_large", finished: 1_000_000), LargeStore(),
    Backup(), OpenTasks(), Validation(), Submission(), RemoteSteps(sdk: "python"), RemoteSteps(sdk: "typescript"),
    RemoteSteps(sdk: "ruby"), RemoteSteps(sdk: "rust"), RemoteSteps(sdk: "swift"), Subscribers(), IdleWorkers(),
    DBOSPipeline(database: .sqlite), DBOSPipeline(database: .postgresql),
]
