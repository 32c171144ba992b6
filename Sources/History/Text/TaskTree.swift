package import StepwellModel

/// A task's steps as a tree: each step under the last of its dependencies, so that it stands once.
package struct TaskTree {
    package struct Line {
        package var step: Int
        /// The branches before the name, such as `│  └─ `.
        package var branch: String

        package init(step: Int, branch: String) {
            self.step = step
            self.branch = branch
        }
    }

    package let lines: [Line]

    package init(_ template: Template) {
        self.init(dependencies: template.steps.map(\.dependencies))
    }

    /// - Parameter dependencies: of each step.
    package init(dependencies: [[StepIndex]]) {
        var children = [[Int]](repeating: [], count: dependencies.count)
        var roots: [Int] = []
        for (index, dependencies) in dependencies.enumerated() {
            if let parent = dependencies.max() { children[parent].append(index) } else { roots.append(index) }
        }
        var lines: [Line] = []
        // A stack of its own: a chain may be 100,000 steps long.
        var stack = roots.reversed().map { (step: $0, prefix: "", isLast: true, isRoot: true) }
        while let next = stack.popLast() {
            // Far down, deeper indentation tells nothing more.
            let prefix = next.prefix.count > 60 ? String(next.prefix.prefix(60)) : next.prefix
            lines.append(Line(step: next.step, branch: next.isRoot ? "" : prefix + (next.isLast ? "└─ " : "├─ ")))
            let below = next.isRoot ? "" : prefix + (next.isLast ? "   " : "│  ")
            for (place, child) in children[next.step].enumerated().reversed() {
                stack.append((child, below, place == children[next.step].count - 1, false))
            }
        }
        self.lines = lines
    }
}

extension StepState {
    package var symbol: String {
        switch self {
        case .pending: "·"
        case .enqueued: "○"
        case .inProgress: "▶"
        case .waitingForRetry: "↻"
        case .complete: "✓"
        case .error: "✗"
        case .skipped: "–"
        case .cancelled: "⊘"
        case .resolvedManually: "✓"
        }
    }

    package var color: Color {
        switch self {
        case .complete, .resolvedManually: .green
        case .error, .cancelled: .red
        case .waitingForRetry: .yellow
        case .inProgress, .enqueued: .blue
        case .pending, .skipped: .gray
        }
    }
}

extension TaskState {
    package var color: Color {
        switch self {
        case .complete, .resolvedManually: .green
        case .error, .cancelled, .blockedByFailures: .red
        case .waitingForRetry, .paused: .yellow
        case .pending, .inProgress: .blue
        }
    }
}
