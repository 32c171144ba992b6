package import StepwellModel

/// What one turn of the loop has made: events to write in one commit, and effects to release after it.
package struct Turn: Sendable {
    /// The time of every event of the turn.
    package let time: Timestamp
    package fileprivate(set) var records: [EventRecord] = []
    package fileprivate(set) var effects: [Effect] = []
    /// Every task that an event concerns, as it is now.
    package fileprivate(set) var summaries: [TaskSummary] = []
    /// Every limit that was set, and every one whose bucket has changed, as it is now; and those that are no more.
    package fileprivate(set) var limits: [LimitRow] = []
    package fileprivate(set) var limitsGone: [SequenceNumber] = []

    /// The slots of the tasks that were touched, each once.
    fileprivate var touched: [Int] = []
    /// The slots of the tasks of the records that follow from the present fact, for the scheduler to look at each.
    fileprivate var slots: [Int?] = []
    /// The fact that the decisions being made follow from.
    fileprivate var cause: SequenceNumber = .zero
    fileprivate var actor: Actor = .scheduler
    /// The first event that the machines did not allow; nothing is recorded after it.
    fileprivate(set) var fault: FoldError?

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
        let fact = try decide(command, closed: closed)
        if let (submission, template) = command.submitted, routes[submission.template] == nil {
            adopt(Plan(template, digest: submission.template))
        }
        perform(fact, by: actor, closed: closed, in: &turn)
        guard case .forkTask(let id, _, _, let results) = command else { return }
        let places = Dictionary(uniqueKeysWithValues: results.enumerated().map { ($1.step, $0) })
        // Dependents first: else a step whose dependencies are adopted would be enqueued before its own result is.
        for step in self[id]?.plan.dependenciesFirst.reversed() ?? [] {
            guard let place = places[step] else { continue }
            perform(Fact(.resultAdopted(results[place]), task: id), by: actor, in: &turn)
        }
    }

    /// Fires every timer that has come due.
    package mutating func performDueTimers(in turn: inout Turn) {
        while let fact = dueFact(at: turn.time) { perform(fact, by: .engine, in: &turn) }
    }

    /// Records a fact and all that follows from it.
    package mutating func perform(_ fact: Fact, by actor: Actor, closed: TaskSummary? = nil, in turn: inout Turn) {
        do throws(FoldError) {
            try replay(fact, by: actor, closed: closed, in: &turn)
        } catch {
            // Only a bug in the scheduler can record what the machines do not allow.
            preconditionFailure("\(error)")
        }
    }

    /// The same with a fact that was read from somewhere.
    /// - Throws: ``FoldError`` when the fact cannot follow what was before; the state and the turn are then of no use.
    package mutating func replay(
        _ fact: Fact, by actor: Actor, closed: TaskSummary? = nil, in turn: inout Turn
    ) throws(FoldError) {
        let first = turn.records.count
        turn.slots.removeAll(keepingCapacity: true)
        turn.cause = .zero
        turn.actor = actor
        let slot = fact.task.flatMap { slots[$0] }
        if slot == nil, fact.task != nil, let closed {
            recordOnClosed(fact.event, closed, &turn)
        } else {
            record(fact.event, task: fact.task, slot: slot, &turn)
        }
        if let fault = turn.fault { throw fault }
        turn.cause = turn.records[first].number
        turn.actor = .scheduler
        var next = 0
        while next < turn.slots.count {
            follow(turn.records[first + next].event, slot: turn.slots[next], &turn)
            next += 1
        }
        schedule(&turn)
        if let fault = turn.fault { throw fault }
    }

    /// Ends a turn: sums up the tasks that it touched, and forgets those that have closed.
    package mutating func end(_ turn: inout Turn) {
        for slot in turn.touched {
            turn.summaries.append(tasks[slot].summary)
            if tasks[slot].state.isClosed { remove(slot) }
        }
        turn.touched.removeAll(keepingCapacity: true)
        (turn.limits, turn.limitsGone) = lanes.takeLimitChanges()
    }

    mutating func record(_ event: Event, slot: Int, _ turn: inout Turn) {
        record(event, task: tasks[slot].id, slot: slot, &turn)
    }

    private mutating func record(_ event: Event, task: TaskID?, slot: Int?, _ turn: inout Turn) {
        var slot = slot
        var (taskNumber, previous): (UInt32, SequenceNumber) = (task == nil ? 0 : 1, .zero)
        if let slot { (taskNumber, previous) = (tasks[slot].eventCount + 1, tasks[slot].last) }
        let record = EventRecord(
            number: last.next, task: task, taskNumber: taskNumber, previous: previous, time: turn.time,
            actor: turn.actor, cause: turn.cause, event: event)
        append(record, slot: &slot, &turn)
        guard turn.fault == nil else { return }
        // What the task's last event was before tells whether this turn has touched it already.
        if let slot, previous < turn.records[0].number { turn.touched.append(slot) }
    }

    /// A closed task is not in memory; its place in the log comes from the index, and goes back there.
    private mutating func recordOnClosed(_ event: Event, _ closed: TaskSummary, _ turn: inout Turn) {
        // An earlier fact of this turn may have been about the same task.
        let known = turn.summaries.firstIndex { $0.id == closed.id }
        var summary = known.map { turn.summaries[$0] } ?? closed
        let record = EventRecord(
            number: last.next, task: summary.id, taskNumber: summary.eventCount + 1, previous: summary.last,
            time: turn.time, actor: turn.actor, cause: turn.cause, event: event)
        var slot: Int?
        append(record, slot: &slot, &turn)
        summary.last = record.number
        summary.eventCount += 1
        summary.changed = record.time
        if let known { turn.summaries[known] = summary } else { turn.summaries.append(summary) }
    }

    /// Applies a record and keeps it; a task that it submits gets its slot.
    private mutating func append(_ record: EventRecord, slot: inout Int?, _ turn: inout Turn) {
        guard turn.fault == nil else { return }
        do throws(FoldError) {
            try apply(record, task: record.task, slot: slot)
        } catch {
            turn.fault = error
            return
        }
        if slot == nil { slot = record.task.flatMap { slots[$0] } }
        turn.records.append(record)
        turn.slots.append(slot)
        if case .taskCancelled = record.event { stopAttempts(of: record.task, &turn) }
        if let effect = effect(of: record, slot: slot) { turn.effects.append(effect) }
    }

    private func stopAttempts(of task: TaskID?, _ turn: inout Turn) {
        for entry in leases.held where entry.task == task && entry.givenUp == .cancelled {
            turn.effects.append(.stop(entry.lease, worker: entry.worker, timedOut: false))
        }
    }
}
