import StepwellModel

extension Ledger {
    private func handler(of waiting: Waiting) -> HandlerTemplate {
        tasks[waiting.task].template.steps[waiting.step].handler
    }
    private func namespace(of waiting: Waiting) -> String { tasks[waiting.task].submission.namespace }

    /// Whether limits surely let the step start.
    func surelyAllows(_ waiting: Waiting, at time: Timestamp) -> Bool {
        limits.isEmpty || limits.surelyAllow(namespace(of: waiting), handler(of: waiting), at: time)
    }

    /// Whether a step goes before another for which the same worker would do: its namespace's last start is longer ago; in the same
    /// namespace, by priority and age. Those that share the limit of a handler go by that handler's last start in their namespaces.
    func goes(_ one: Waiting, before other: Waiting) -> Bool {
        if !limits.isEmpty {
            let group = limits.groupStart(namespace(of: one), handler(of: one))
            if let group, handler(of: one).target == handler(of: other).target {
                let otherGroup = limits.groupStart(namespace(of: other), handler(of: other)) ?? .zero
                return group == otherGroup ? precedes(one, other) : group < otherGroup
            }
            // Another one of its group, which goes before it, is looked at for itself.
            if let group, waiting.contains(where: { isFirst($0, in: group, of: one) }) { return false }
        }
        let (last, otherLast) = (lastStarts[namespace(of: one)] ?? .zero, lastStarts[namespace(of: other)] ?? .zero)
        return last == otherLast ? precedes(one, other) : last < otherLast
    }

    private func isFirst(_ candidate: Waiting, in group: SequenceNumber, of one: Waiting) -> Bool {
        guard handler(of: candidate).target == handler(of: one).target, namespace(of: candidate) != namespace(of: one)
        else { return false }
        let start = limits.groupStart(namespace(of: candidate), handler(of: candidate)) ?? .zero
        return start == group ? precedes(candidate, one) : start < group
    }

    private func precedes(_ one: Waiting, _ other: Waiting) -> Bool {
        one.priority == other.priority ? one.number < other.number : one.priority > other.priority
    }
}
