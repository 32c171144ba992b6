import StepwellEngine
import StepwellHistory
import StepwellModel
import StepwellSimulation

/// What the lives of a row of seeds were, added up.
struct SeedTally {
    let first: UInt64
    private(set) var count: UInt64 = 0
    private var figures = Figures()
    /// Over the hash of each life: two runs of the same seeds have the same, on every machine.
    private var digest: UInt64 = 0xCBF2_9CE4_8422_2325
    private let start = monotonicMilliseconds()

    init(first: UInt64) {
        self.first = first
    }

    mutating func add(_ outcome: Simulation.Outcome) {
        count += 1
        figures.add(outcome.figures)
        for byte in outcome.head { digest = (digest ^ UInt64(byte)) &* 0x100_0000_01B3 }
    }

    private var perSecond: Int64 { Int64(count) * 1000 / max(1, monotonicMilliseconds() - start) }
    private var digestText: String {
        let digits = String(digest, radix: 16)
        return String(repeating: "0", count: 16 - digits.count) + digits
    }

    var text: String {
        var rows = Figures.Kind.allCases.map { (String($0.rawValue.map { $0 == "_" ? " " : $0 }), "\(figures[$0])") }
        rows.append(("digest", digestText))
        rows.append(("scenarios a second", "\(perSecond)"))
        let width = rows.map(\.0.count).max() ?? 0
        return rows.map { $0.0.padded(to: width + 2) + $0.1 }.joined(separator: "\n")
    }

    func json(_ finding: Finding?) -> JSON {
        var members: [JSON.Member] = [.init("first", .number(String(first)))]
        members += Figures.Kind.allCases.map { .init($0.rawValue, .number(String(figures[$0]))) }
        members.append(.init("digest", .string(digestText)))
        members.append(.init("per_second", .number(String(perSecond))))
        members.append(.init("violation", finding?.json ?? .null))
        return .object(members)
    }
}

extension Finding {
    fileprivate var json: JSON {
        [
            "seed": .number(String(seed)), "invariant": .string(violation.invariant),
            "message": .string(violation.message), "smallest": .string(smallest.description),
        ]
    }
}

/// How far it has come, on a terminal.
struct SeedProgress {
    let count: UInt64
    private var last = monotonicMilliseconds()
    private var isShown = false

    init(count: UInt64) {
        self.count = count
    }

    mutating func show(done: UInt64) {
        guard Terminal.stderrIsTerminal, monotonicMilliseconds() - last > 200 else { return }
        last = monotonicMilliseconds()
        isShown = true
        Terminal.write("\r\(done) of \(count) lives", to: 2)
    }

    mutating func end() {
        if isShown { Terminal.write("\r\u{1B}[K", to: 2) }
        isShown = false
    }
}
