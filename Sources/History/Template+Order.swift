package import StepwellModel

extension Template {
    /// All steps that wait, directly or through others, for that one; in the template's order.
    package func heldUp(by step: StepIndex) -> [StepIndex] {
        var dependents = [[StepIndex]](repeating: [], count: steps.count)
        for (index, step) in steps.enumerated() {
            for dependency in step.dependencies { dependents[dependency].append(index) }
        }
        return reached(from: step) { dependents[$0] }
    }

    /// All steps that this one waits for, directly or through others; in the template's order.
    package func before(_ step: StepIndex) -> [StepIndex] {
        reached(from: step) { steps[$0].dependencies }
    }

    private func reached(from step: StepIndex, _ next: (StepIndex) -> [StepIndex]) -> [StepIndex] {
        var isReached = [Bool](repeating: false, count: steps.count)
        var queue = [step]
        while let present = queue.popLast() {
            for other in next(present) where !isReached[other] {
                isReached[other] = true
                queue.append(other)
            }
        }
        return steps.indices.filter { isReached[$0] }
    }
}
