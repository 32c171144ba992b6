package import StepwellModel

/// A template with what the kernel derives from it once: who depends on whom, and who is a root. Immutable and shared by all
/// tasks of the template.
package final class Plan: Sendable {
    package let digest: TemplateDigest
    package let template: Template

    /// The dependents of all steps in one array; those of a step stand between two of `dependentBounds`.
    private let dependentSteps: [Int32]
    private let dependentBounds: [Int32]
    private let indexes: [String: StepIndex]
    package let roots: [StepIndex]

    /// A plan of a template that is valid: names unique, dependencies in range and without a cycle.
    package init(_ template: Template, digest: TemplateDigest) {
        self.digest = digest
        self.template = template
        let count = template.steps.count
        var bounds = [Int32](repeating: 0, count: count + 1)
        for step in template.steps {
            for dependency in step.dependencies { bounds[dependency + 1] += 1 }
        }
        for index in 0..<count { bounds[index + 1] += bounds[index] }
        var next = bounds
        var dependents = [Int32](repeating: 0, count: Int(bounds[count]))
        for (index, step) in template.steps.enumerated() {
            for dependency in step.dependencies {
                dependents[Int(next[dependency])] = Int32(index)
                next[dependency] += 1
            }
        }
        dependentSteps = dependents
        dependentBounds = bounds
        roots = template.steps.indices.filter { template.steps[$0].dependencies.isEmpty }
        indexes = Dictionary(
            template.steps.enumerated().map { ($1.name, $0) }, uniquingKeysWith: { first, _ in first })
    }

    package var stepCount: Int { template.steps.count }

    /// The steps that name `step` among their dependencies, in the template's order.
    package func dependents(of step: StepIndex) -> ArraySlice<Int32> {
        dependentSteps[Int(dependentBounds[step])..<Int(dependentBounds[step + 1])]
    }

    /// All steps, each behind those that it depends on.
    package var dependenciesFirst: [StepIndex] {
        var remaining = template.steps.map(\.dependencies.count)
        var order = roots
        var next = 0
        while next < order.count {
            for dependent in dependents(of: order[next]) {
                remaining[Int(dependent)] -= 1
                if remaining[Int(dependent)] == 0 { order.append(Int(dependent)) }
            }
            next += 1
        }
        return order
    }

    package func index(of name: String) -> StepIndex? { indexes[name] }

    /// The ancestors of a step, nearest first, its direct dependencies left out; at most `limit`.
    package func fartherAncestors(of step: StepIndex, limit: Int) -> [StepIndex] {
        var found: [StepIndex] = []
        search(from: step) { ancestor, isDirect in
            if !isDirect { found.append(ancestor) }
            return found.count < limit
        }
        return found
    }

    /// Whether `step` must have waited, directly or through others, for `other`.
    package func isAncestor(_ other: StepIndex, of step: StepIndex) -> Bool {
        var found = false
        search(from: step) { ancestor, _ in
            found = ancestor == other
            return !found
        }
        return found
    }

    /// Visits the ancestors of a step, nearest first, until `visit` returns false.
    private func search(from step: StepIndex, _ visit: (StepIndex, _ isDirect: Bool) -> Bool) {
        var queue = template.steps[step].dependencies
        let directCount = queue.count
        var seen = Set(queue)
        var next = 0
        while next < queue.count {
            let ancestor = queue[next]
            guard visit(ancestor, next < directCount) else { return }
            for dependency in template.steps[ancestor].dependencies where seen.insert(dependency).inserted {
                queue.append(dependency)
            }
            next += 1
        }
    }
}
