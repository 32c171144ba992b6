import StepwellModel

/// Resolves the names in a template's dependencies, and finds what no order of running can satisfy.
struct StepGraph {
    private let findings: Findings
    private let steps: [StepDraft]
    /// The first step of each name.
    private let indexes: [String: StepIndex]

    init(_ steps: [StepDraft], _ findings: Findings) {
        var indexes: [String: StepIndex] = [:]
        for (index, step) in steps.enumerated() {
            guard let name = step.name else { continue }
            if let first = indexes[name] {
                findings.error(
                    .duplicateStep, at: step.place,
                    "there are two steps '\(name)', the first at \(steps[first].place.words)",
                    cure: "rename one of them")
            } else {
                indexes[name] = index
            }
        }
        self.steps = steps
        self.indexes = indexes
        self.findings = findings
    }

    /// The dependencies of each step by their places, those left out that have been reported.
    func dependencies() -> [[StepIndex]] {
        let dependencies = steps.indices.map { resolve($0) }
        reportCycles(dependencies)
        return dependencies
    }

    /// Reports overrides of steps that do not exist.
    func check(_ environments: [EnvironmentDraft]) {
        for environment in environments {
            for target in environment.overrides.map(\.target)
            where target.name != OverrideDraft.all && indexes[target.name] == nil {
                findings.error(
                    .unknownStep, at: target.place,
                    "environment '\(environment.name)' overrides '\(target.name)', which is no step",
                    cure: suggestion(for: target.name))
            }
        }
    }

    private func resolve(_ step: StepIndex) -> [StepIndex] {
        var seen = SmallSet()
        return steps[step].dependencies.compactMap { dependency in
            guard let index = indexes[dependency.name] else {
                findings.error(
                    .unknownStep, at: dependency.place,
                    "\(steps[step].title) depends on '\(dependency.name)', which is no step",
                    cure: suggestion(for: dependency.name))
                return nil
            }
            guard index != step else {
                findings.error(
                    .selfDependency, at: dependency.place, "\(steps[step].title) depends on itself",
                    cure: "remove the dependency")
                return nil
            }
            guard seen.insert(index) else {
                findings.warn(
                    .duplicateDependency, at: dependency.place,
                    "\(steps[step].title) depends on '\(dependency.name)' already", cure: "remove one of them")
                return nil
            }
            return index
        }
    }

    private func suggestion(for name: String) -> String? {
        findings.suggestion(for: name, among: steps.lazy.compactMap(\.name))
    }

    // MARK: Cycles

    /// One cycle of each knot of steps that wait for each other, beginning with the first of them in the file.
    private func reportCycles(_ dependencies: [[StepIndex]]) {
        let knots = StronglyConnected.components(of: dependencies)
        var reported = Set<Int>()
        for step in steps.indices where knots.sizes[knots.component[step]] > 1 {
            guard reported.insert(knots.component[step]).inserted else { continue }
            let cycle = shortestCycle(from: step, dependencies) { knots.component[$0] == knots.component[step] }
            findings.error(
                .cycle, at: steps[step].place, "steps that wait for each other: \(shown(cycle))",
                cure: "remove one of these dependencies; '→' means 'depends on'")
        }
    }

    /// Breadth first, within the knot, until a step depends on the one where it began.
    private func shortestCycle(
        from start: StepIndex, _ dependencies: [[StepIndex]], within isInside: (StepIndex) -> Bool
    ) -> [StepIndex] {
        var parents: [StepIndex: StepIndex] = [:]
        var queue = [start]
        var next = 0
        while next < queue.count {
            let step = queue[next]
            next += 1
            for dependency in dependencies[step] where isInside(dependency) {
                if dependency == start {
                    var cycle = [start, step]
                    while let last = cycle.last, last != start, let parent = parents[last] { cycle.append(parent) }
                    return cycle.reversed()
                }
                if parents[dependency] == nil {
                    parents[dependency] = step
                    queue.append(dependency)
                }
            }
        }
        return [start]
    }

    /// `a → b → a`; the middle of a long one is left out.
    private func shown(_ cycle: [StepIndex]) -> String {
        let names = cycle.map { steps[$0].name ?? "?" }
        guard names.count > 20 else { return names.joined(separator: " → ") }
        let left = names.prefix(9) + ["… \(names.count - 18) more …"] + names.suffix(9)
        return left.joined(separator: " → ")
    }
}

/// A set that costs nothing while it is small, as the dependencies of most steps are.
private struct SmallSet {
    private var few: [StepIndex] = []
    private var many: Set<StepIndex> = []

    /// Whether the element is new.
    mutating func insert(_ element: StepIndex) -> Bool {
        if many.isEmpty, few.count < 16 {
            guard !few.contains(element) else { return false }
            few.append(element)
            return true
        }
        if many.isEmpty { many = Set(few) }
        return many.insert(element).inserted
    }
}
