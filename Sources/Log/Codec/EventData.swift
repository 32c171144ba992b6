import StepwellModel

/// The data of an event: a map whose keys mean the same in every event. They never change and are never used again.
enum EventData {
    enum Key {
        static let step: UInt64 = 1
        static let attempt: UInt64 = 2
        static let lease: UInt64 = 3
        static let worker: UInt64 = 4
        static let workerKind: UInt64 = 5
        static let deadline: UInt64 = 6
        static let due: UInt64 = 7
        static let result: UInt64 = 8
        static let metadata: UInt64 = 9
        static let checkpoint: UInt64 = 10
        /// A number of the event's own list of reasons.
        static let reason: UInt64 = 11
        static let succeeded: UInt64 = 12
        static let steps: UInt64 = 13
        /// A person's or a program's words.
        static let note: UInt64 = 14
        static let message: UInt64 = 15
        static let errorType: UInt64 = 16
        static let errorCode: UInt64 = 17
        static let retryable: UInt64 = 18
        static let retryAfter: UInt64 = 19
        static let backtrace: UInt64 = 20
        static let name: UInt64 = 21
        static let version: UInt64 = 22
        static let handlers: UInt64 = 23
        static let slots: UInt64 = 24
        static let processID: UInt64 = 25
        static let host: UInt64 = 26
        static let observed: UInt64 = 27
        static let used: UInt64 = 28
        static let template: UInt64 = 29
        static let namespace: UInt64 = 30
        static let environment: UInt64 = 31
        static let input: UInt64 = 32
        static let priority: UInt64 = 33
        static let key: UInt64 = 34
        static let correlationID: UInt64 = 35
        static let parentCorrelationID: UInt64 = 36
        static let initiator: UInt64 = 37
        static let sourceSystem: UInt64 = 38
        static let tags: UInt64 = 39
        static let focus: UInt64 = 40
        static let forkedFrom: UInt64 = 41
        static let adopted: UInt64 = 42
        static let origin: UInt64 = 43
        static let namespaces: UInt64 = 44
        static let labels: UInt64 = 45
        static let handlerVersion: UInt64 = 46
        static let rules: UInt64 = 47
        static let taskCount: UInt64 = 50
        static let eventCount: UInt64 = 51
        static let before: UInt64 = 52
        static let scope: UInt64 = 60
        static let concurrencyMax: UInt64 = 61
        static let rate: UInt64 = 62
        static let period: UInt64 = 63
        static let burst: UInt64 = 64
        static let limit: UInt64 = 65
        static let traceparent: UInt64 = 70
    }

    static func encode(_ event: Event, into writer: inout CBORWriter) {
        switch event {
        case .engineDraining, .engineStopped, .taskWaiting, .taskBlocked, .taskCompleted, .taskCancelled: writer.map(0)
        case .retryDue(let step), .stepEnqueued(let step), .stepCompleted(let step), .stepReset(let step),
            .stepResolved(let step), .stepAdopted(let step):
            writer.map(1)
            writer.field(Key.step, step)
        case .attemptTimedOut(let attempt), .attemptStopped(let attempt):
            writer.map(4)
            writer.attempt(attempt)
        case .attemptStarted(let start):
            writer.map(4 + (start.deadline == nil ? 0 : 1) + (start.handlerVersion == nil ? 0 : 1))
            writer.field(Key.step, start.step)
            writer.field(Key.attempt, start.attempt)
            writer.field(Key.worker, start.worker.rawValue)
            writer.field(Key.workerKind, start.workerKind.rawValue)
            if let deadline = start.deadline { writer.field(Key.deadline, deadline) }
            writer.field(Key.handlerVersion, start.handlerVersion)
        case .attemptSucceeded(let attempt, let result, let metadata):
            writer.map(metadata == nil ? 5 : 6)
            writer.attempt(attempt)
            writer.field(Key.result, result)
            writer.field(Key.metadata, metadata)
        case .attemptFailed(let attempt, let failure): encode(failure, of: attempt, into: &writer)
        case .attemptLost(let attempt, let reason):
            writer.map(5)
            writer.attempt(attempt)
            writer.field(Key.reason, reason.rawValue)
        case .attemptCheckpointed(let attempt, let data):
            writer.map(5)
            writer.attempt(attempt)
            writer.field(Key.checkpoint, data)
        case .resultRejected(let attempt, let rejected):
            writer.map(6)
            writer.attempt(attempt)
            writer.field(Key.reason, rejected.reason.rawValue)
            writer.field(Key.succeeded, rejected.succeeded)
        case .retryScheduled(let step, let due):
            writer.map(2)
            writer.field(Key.step, step)
            writer.field(Key.due, due)
        case .stepFailed(let step, let reason):
            writer.map(2)
            writer.field(Key.step, step)
            writer.field(Key.reason, reason.rawValue)
        case .operatorRetried(let steps, let note):
            writer.map(note == nil ? 1 : 2)
            writer.key(Key.steps)
            writer.array(steps.count)
            for step in steps { writer.unsigned(step) }
            writer.field(Key.note, note)
        case .operatorCancelled(let note), .operatorPaused(let note), .operatorResumed(let note):
            writer.map(note == nil ? 0 : 1)
            writer.field(Key.note, note)
        case .operatorResolved(let step, let result, let note):
            writer.map(1 + (result == nil ? 0 : 1) + (note == nil ? 0 : 1))
            writer.field(Key.step, step)
            writer.field(Key.result, result)
            writer.field(Key.note, note)
        case .resultAdopted(let adopted):
            writer.map(adopted.origin == .zero ? 2 : 3)
            writer.field(Key.step, adopted.step)
            writer.field(Key.result, adopted.result)
            if adopted.origin != .zero { writer.field(Key.origin, adopted.origin.rawValue) }
        case .workerLeft(let worker, let note):
            writer.map(2)
            writer.field(Key.worker, worker.rawValue)
            writer.field(Key.note, note)
        case .templateRegistered(let registration):
            writer.map(registration.previous == .zero ? 4 : 5)
            writer.field(Key.name, registration.name)
            writer.field(Key.version, registration.version)
            writer.key(Key.template)
            writer.byteString(registration.template.bytes)
            writer.field(Key.namespace, registration.namespace)
            if registration.previous != .zero { writer.field(Key.origin, registration.previous.rawValue) }
        case .storePruned(let pruning):
            writer.map(pruning.reason == nil ? 3 : 4)
            writer.field(Key.note, pruning.reason)
            writer.field(Key.taskCount, pruning.taskCount)
            writer.field(Key.eventCount, pruning.eventCount)
            writer.field(Key.before, pruning.before)
        case .limitSet(let change): encode(change, into: &writer)
        case .limitRemoved(let removal): encode(removal, into: &writer)
        case .limitDue(let limit):
            writer.map(1)
            writer.field(Key.limit, limit.rawValue)
        case .clockClamped(let observed, let used):
            writer.map(2)
            writer.field(Key.observed, observed)
            writer.field(Key.used, used)
        case .engineStarted(let start):
            writer.map(3 + (start.focus == nil ? 0 : 1) + (start.reason == nil ? 0 : 1) + (start.rules == 0 ? 0 : 1))
            writer.field(Key.note, start.reason)
            writer.field(Key.version, start.version)
            writer.field(Key.processID, start.processID)
            writer.field(Key.host, start.host)
            if let focus = start.focus {
                writer.key(Key.focus)
                writer.taskID(focus)
            }
            if start.rules != 0 { writer.field(Key.rules, start.rules) }
        case .workerJoined(let join): encode(join, into: &writer)
        case .taskSubmitted(let submission): encode(submission, into: &writer)
        }
    }

    private static func encode(_ failure: Failure, of attempt: AttemptID, into writer: inout CBORWriter) {
        var count = 7
        if failure.metadata != nil { count += 1 }
        if failure.errorCode != nil { count += 1 }
        if failure.retryAfter != nil { count += 1 }
        if failure.backtrace != nil { count += 1 }
        writer.map(count)
        writer.attempt(attempt)
        writer.field(Key.metadata, failure.metadata)
        writer.field(Key.message, failure.message)
        writer.field(Key.errorType, failure.errorType)
        writer.field(Key.errorCode, failure.errorCode)
        writer.field(Key.retryable, failure.retryable)
        if let wait = failure.retryAfter {
            writer.key(Key.retryAfter)
            writer.integer(wait.rawValue)
        }
        writer.field(Key.backtrace, failure.backtrace)
    }

    private static func encode(_ join: WorkerJoin, into writer: inout CBORWriter) {
        writer.map(5 + (join.namespaces.isEmpty ? 0 : 1) + (join.labels.isEmpty ? 0 : 1))
        writer.field(Key.worker, join.worker.rawValue)
        writer.field(Key.workerKind, join.kind.rawValue)
        writer.field(Key.name, join.name)
        writer.key(Key.handlers)
        writer.array(join.handlers.count)
        for handler in join.handlers {
            writer.array(2)
            writer.text(handler.name)
            writer.text(handler.version)
        }
        writer.field(Key.slots, join.slots)
        if !join.namespaces.isEmpty {
            writer.key(Key.namespaces)
            writer.array(join.namespaces.count)
            for namespace in join.namespaces { writer.text(namespace) }
        }
        if !join.labels.isEmpty {
            writer.key(Key.labels)
            writer.array(join.labels.count)
            for label in join.labels {
                writer.array(2)
                writer.text(label.name)
                writer.text(label.value)
            }
        }
    }

    private static func encode(_ change: LimitChange, into writer: inout CBORWriter) {
        let setting = change.setting
        writer.map(
            2 + (change.reason == nil ? 0 : 1) + (setting.concurrencyMax == nil ? 0 : 1)
                + (setting.rate == nil ? 0 : 3) + (change.previous == .zero ? 0 : 1))
        writer.field(Key.note, change.reason)
        writer.field(Key.name, setting.target.name)
        writer.field(Key.scope, setting.target.scope.rawValue)
        if let most = setting.concurrencyMax { writer.field(Key.concurrencyMax, most) }
        if let rate = setting.rate {
            writer.field(Key.rate, rate.count)
            writer.key(Key.period)
            writer.integer(rate.period.rawValue)
            writer.field(Key.burst, rate.burst)
        }
        if change.previous != .zero { writer.field(Key.limit, change.previous.rawValue) }
    }

    private static func encode(_ removal: LimitRemoval, into writer: inout CBORWriter) {
        writer.map(removal.reason == nil ? 3 : 4)
        writer.field(Key.note, removal.reason)
        writer.field(Key.name, removal.target.name)
        writer.field(Key.scope, removal.target.scope.rawValue)
        writer.field(Key.limit, removal.limit.rawValue)
    }

    private static func encode(_ submission: Submission, into writer: inout CBORWriter) {
        var count = 8
        if submission.environment != nil { count += 1 }
        if submission.key != nil { count += 1 }
        if submission.parentCorrelationID != nil { count += 1 }
        if submission.initiator != nil { count += 1 }
        if submission.sourceSystem != nil { count += 1 }
        if submission.reason != nil { count += 1 }
        if submission.forkedFrom != nil { count += 2 }
        if submission.traceparent != nil { count += 1 }
        writer.map(count)
        writer.field(Key.note, submission.reason)
        writer.field(Key.name, submission.name)
        writer.field(Key.version, submission.version)
        writer.key(Key.template)
        writer.byteString(submission.template.bytes)
        writer.field(Key.namespace, submission.namespace)
        writer.field(Key.environment, submission.environment)
        writer.field(Key.input, submission.input)
        writer.key(Key.priority)
        writer.integer(submission.priority)
        writer.field(Key.key, submission.key)
        writer.field(Key.correlationID, submission.correlationID)
        writer.field(Key.parentCorrelationID, submission.parentCorrelationID)
        writer.field(Key.initiator, submission.initiator)
        writer.field(Key.sourceSystem, submission.sourceSystem)
        writer.key(Key.tags)
        writer.array(submission.tags.count)
        for tag in submission.tags { writer.text(tag) }
        if let origin = submission.forkedFrom {
            writer.key(Key.forkedFrom)
            writer.taskID(origin)
            writer.key(Key.adopted)
            writer.array(submission.adopted.count)
            for step in submission.adopted { writer.unsigned(step) }
        }
        writer.field(Key.traceparent, submission.traceparent)
    }
}

extension CBORWriter {
    fileprivate mutating func attempt(_ attempt: AttemptID) {
        field(EventData.Key.step, attempt.step)
        field(EventData.Key.attempt, attempt.attempt)
        field(EventData.Key.lease, attempt.lease.rawValue)
        field(EventData.Key.worker, attempt.worker.rawValue)
    }

    /// A process id from elsewhere may be anything; a count may not be negative.
    fileprivate mutating func field(_ key: UInt64, _ value: Int) {
        self.key(key)
        integer(value)
    }

    fileprivate mutating func field(_ key: UInt64, _ value: some FixedWidthInteger & UnsignedInteger) {
        self.key(key)
        unsigned(value)
    }

    fileprivate mutating func field(_ key: UInt64, _ value: Timestamp) {
        self.key(key)
        integer(value.milliseconds)
    }

    fileprivate mutating func field(_ key: UInt64, _ value: Bool) {
        self.key(key)
        bool(value)
    }

    fileprivate mutating func field(_ key: UInt64, _ value: String?) {
        guard let value else { return }
        self.key(key)
        text(value)
    }

    fileprivate mutating func field(_ key: UInt64, _ value: JSONText?) {
        guard let value else { return }
        self.key(key)
        json(value)
    }
}
