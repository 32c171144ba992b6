/// What has happened in simulated lives, added up.
package struct Figures: Sendable, Hashable {
    package enum Kind: String, Sendable, CaseIterable {
        case scenarios, tasks, events, commits, starts
        case crashesOfTheProcess = "crashes_process"
        case crashesOfThePower = "crashes_power"
        case crashesInRecovery = "crashes_in_recovery"
        case writesLost = "writes_lost"
        case writesTorn = "writes_torn"
        case fullDisks = "full_disks"
        case clocksSetBack = "clocks_set_back"
        case clocksSetForward = "clocks_set_forward"
        case failures, timeouts, deaths
        case strayReports = "stray_reports"
        case rejectedResults = "rejected_results"
        case operatorCommands = "operator_commands"
        case stops
    }

    private var counts = [Int](repeating: 0, count: Kind.allCases.count)
    private static let places: [Kind: Int] = {
        var places: [Kind: Int] = [:]
        for (place, kind) in Kind.allCases.enumerated() { places[kind] = place }
        return places
    }()

    package init() {}

    package subscript(kind: Kind) -> Int {
        get { counts[Self.places[kind] ?? 0] }
        set { counts[Self.places[kind] ?? 0] = newValue }
    }

    package mutating func add(_ other: Figures) {
        for place in counts.indices { counts[place] += other.counts[place] }
    }
}
