package import StepwellModel

/// What one turn of the loop has made: events to write in one commit, and effects to release after it.
package struct Turn: Sendable {
    /// The time of every event of the turn.
    package let time: Timestamp
    package fileprivate(set) var records: [EventRecord] = []
    package fileprivate(set) var effects: [Effect] = []
    /// Every task that an event concerns, as it is now.
    package fileprivate(set) var summaries: [TaskSummary] = []

    /// Slots of open tasks that were touched; a slot may stand here more than once.
    fileprivate var touched: [Int] = []
    /// The fact that the decisions being made follow from.
    fileprivate var cause: SequenceNumber = .zero
    fileprivate var actor: Actor = .scheduler

    package init(time: Timestamp) {
        self.time = time
    }
}

extension State {
    /// Decides on a command, applies the fact, and makes every decision that follows from it.
    ///
    /// - Throws: the reason for which the command was refused; then nothing has changed.
    package mutating func perform(
        _ command: Command, by actor: Actor, closed: TaskSummary? = nil, in turn: inout Turn
    ) throws(Rejection) {
        if case .submitTask(_, let submission, let template, _, _) = command, template.unsupported.isEmpty {
            if routes[submission.template] == nil { adopt(Plan(template, digest: submission.template)) }
        }
        let fact = try decide(command, closed: closed)
        perform(fact, by: actor, closed: closed, in: &turn)
    }

    /// Fires every timer that has come due.
    package mutating func performDueTimers(in turn: inout Turn) {
        while let fact = dueFact(at: turn.time) { perform(fact, by: .engine, in: &turn) }
    }

    /// Records a fact and all that follows from it.
    package mutating func perform(_ fact: Fact, by actor: Actor, closed: TaskSummary? = nil, in turn: inout Turn) {
        var next = turn.records.count
        turn.cause = .zero
        turn.actor = actor
        if let id = fact.task, slots[id] == nil, let closed {
            recordOnClosed(fact.event, closed, &turn)
        } else {
            record(fact.event, task: fact.task, slot: fact.task.flatMap { slots[$0] }, &turn)
        }
        turn.cause = turn.records[next].number
        turn.actor = .scheduler
        while next < turn.records.count {
            follow(turn.records[next], &turn)
            next += 1
        }
        schedule(&turn)
    }

    /// Ends a turn: sums up the tasks that it touched, and forgets those that have closed.
    package mutating func end(_ turn: inout Turn) {
        turn.touched.sort()
        var previous = -1
        for slot in turn.touched where slot != previous {
            previous = slot
            guard let task = tasks[slot] else { continue }
            turn.summaries.append(task.summary)
            if task.state.isClosed { remove(slot: slot) }
        }
        turn.touched.removeAll(keepingCapacity: true)
    }

    mutating func record(_ event: Event, slot: Int, _ turn: inout Turn) {
        record(event, task: tasks[slot]!.id, slot: slot, &turn)
    }

    private mutating func record(_ event: Event, task: TaskID?, slot: Int?, _ turn: inout Turn) {
        // Numbers are read one by one: a copy of the task would make the next change copy its steps.
        let eventCount = slot.flatMap { tasks[$0]?.eventCount } ?? 0
        let previous = slot.flatMap { tasks[$0]?.last } ?? .zero
        append(
            EventRecord(
                number: last.next, task: task, taskNumber: task == nil ? 0 : eventCount + 1, previous: previous,
                time: turn.time, actor: turn.actor, cause: turn.cause, event: event),
            &turn)
        if let task, let slot = slot ?? slots[task], turn.touched.last != slot { turn.touched.append(slot) }
    }

    /// A closed task is not in memory; its place in the log comes from the index, and goes back there.
    private mutating func recordOnClosed(_ event: Event, _ closed: TaskSummary, _ turn: inout Turn) {
        // An earlier fact of this turn may have been about the same task.
        let known = turn.summaries.firstIndex { $0.id == closed.id }
        var summary = known.map { turn.summaries[$0] } ?? closed
        let record = EventRecord(
            number: last.next, task: summary.id, taskNumber: summary.eventCount + 1, previous: summary.last,
            time: turn.time, actor: turn.actor, cause: turn.cause, event: event)
        append(record, &turn)
        summary.last = record.number
        summary.eventCount += 1
        summary.changed = record.time
        if let known { turn.summaries[known] = summary } else { turn.summaries.append(summary) }
    }

    private mutating func append(_ record: EventRecord, _ turn: inout Turn) {
        do {
            try apply(record)
        } catch {
            // Only a bug in the scheduler can record what the machines do not allow.
            preconditionFailure("\(record.event): \(error)")
        }
        turn.records.append(record)
        if case .taskCancelled = record.event { stopAttempts(of: record.task, &turn) }
        if let effect = effect(of: record) { turn.effects.append(effect) }
    }

    private func stopAttempts(of task: TaskID?, _ turn: inout Turn) {
        for entry in leases.entries where entry.task == task && entry.givenUp == .cancelled {
            turn.effects.append(.stop(entry.lease, worker: entry.worker, timedOut: false))
        }
    }
}
