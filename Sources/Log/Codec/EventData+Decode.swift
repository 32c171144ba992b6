import StepwellModel

extension EventData {
    /// The event that the reader stands at. `version` is that of the shape that was written.
    @inline(__always)
    static func decode(
        _ type: EventType, version: Int, from reader: inout CBORReader, payloads: Payloads
    ) throws(CBORError) -> Event {
        switch type {
        case .engineStarted: try engineStart(from: &reader)
        case .workerJoined: try workerJoin(from: &reader)
        case .clockClamped: try clockClamp(from: &reader)
        case .storePruned: try storePruning(from: &reader)
        case .templateRegistered: try templateRegistration(from: &reader)
        case .limitSet, .limitRemoved, .limitDue: try limitEvent(type, from: &reader)
        case .taskSubmitted: try submission(from: &reader, payloads: payloads)
        case .attemptFailed: try failure(from: &reader, payloads: payloads)
        default: try stepEvent(type, version: version, from: &reader, payloads: payloads)
        }
    }

    /// The many small events about a step, an attempt or a task.
    @inline(__always)
    private static func stepEvent(
        _ type: EventType, version: Int, from reader: inout CBORReader, payloads: Payloads
    ) throws(CBORError) -> Event {
        var fields = try StepFields(from: &reader, payloads: payloads)
        EventUpcast.upcast(&fields, type: type, version: version)
        switch type {
        case .engineStopped: return .engineStopped
        case .engineDraining: return .engineDraining
        case .workerLeft: return .workerLeft(try fields.worker(), reason: try fields.require(fields.note))
        case .attemptSucceeded:
            return .attemptSucceeded(
                try fields.attemptID(), result: try fields.require(fields.result), metadata: fields.metadata)
        case .attemptTimedOut: return .attemptTimedOut(try fields.attemptID())
        case .attemptLost: return .attemptLost(try fields.attemptID(), try fields.reason(LossReason.self))
        case .attemptStopped: return .attemptStopped(try fields.attemptID())
        case .attemptCheckpointed:
            return .attemptCheckpointed(try fields.attemptID(), data: try fields.require(fields.checkpoint))
        case .resultRejected:
            let reason = try fields.reason(RejectedResult.Reason.self)
            let rejected = RejectedResult(reason: reason, succeeded: try fields.require(fields.succeeded))
            return .resultRejected(try fields.attemptID(), rejected)
        case .retryDue: return .retryDue(try fields.step())
        case .operatorRetried: return .operatorRetried(steps: try fields.require(fields.steps), reason: fields.note)
        case .operatorCancelled: return .operatorCancelled(reason: fields.note)
        case .operatorPaused: return .operatorPaused(reason: fields.note)
        case .operatorResumed: return .operatorResumed(reason: fields.note)
        case .operatorResolved:
            return .operatorResolved(try fields.step(), result: fields.result, reason: fields.note)
        case .resultAdopted:
            return .resultAdopted(
                AdoptedResult(
                    step: try fields.step(), result: try fields.require(fields.result), origin: fields.origin ?? .zero))
        case .stepAdopted: return .stepAdopted(try fields.step())
        case .stepEnqueued: return .stepEnqueued(try fields.step())
        case .attemptStarted: return .attemptStarted(try fields.attemptStart())
        case .retryScheduled: return .retryScheduled(try fields.step(), due: try fields.require(fields.due))
        case .stepCompleted: return .stepCompleted(try fields.step())
        case .stepFailed: return .stepFailed(try fields.step(), try fields.reason(FailureReason.self))
        case .stepReset: return .stepReset(try fields.step())
        case .stepResolved: return .stepResolved(try fields.step())
        case .taskWaiting: return .taskWaiting
        case .taskBlocked: return .taskBlocked
        case .taskCompleted: return .taskCompleted
        case .taskCancelled: return .taskCancelled
        case .engineStarted, .workerJoined, .clockClamped, .storePruned, .templateRegistered, .taskSubmitted,
            .attemptFailed, .limitSet, .limitRemoved, .limitDue:
            preconditionFailure("decoded apart")
        }
    }

    private static func engineStart(from reader: inout CBORReader) throws(CBORError) -> Event {
        var version: String?
        var processID: Int?
        var host: String?
        var focus: TaskID?
        var reason: String?
        var rules = 0
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Key.version: version = try reader.text()
            case Key.processID: processID = Int(try reader.integer())
            case Key.host: host = try reader.text()
            case Key.focus: focus = try reader.taskID()
            case Key.note: reason = try reader.text()
            case Key.rules: rules = try reader.unsigned(as: Int.self)
            default: try reader.skip()
            }
        }
        guard let version, let processID, let host else { throw CBORError(.missing, at: reader.offset) }
        return .engineStarted(
            EngineStart(version: version, processID: processID, host: host, focus: focus, reason: reason, rules: rules))
    }

    private static func workerJoin(from reader: inout CBORReader) throws(CBORError) -> Event {
        var worker: UInt32?
        var kind: WorkerJoin.Kind?
        var name: String?
        var handlers: [HandlerVersion] = []
        var slots: Int?
        var namespaces: [String] = []
        var labels: [WorkerLabel] = []
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Key.worker: worker = try reader.unsigned(as: UInt32.self)
            case Key.workerKind: kind = try reader.enumeration()
            case Key.name: name = try reader.text()
            case Key.handlers:
                for pair in try reader.pairs() { handlers.append(HandlerVersion(name: pair.0, version: pair.1)) }
            case Key.slots: slots = Int(try reader.integer())
            case Key.namespaces: namespaces = try reader.texts()
            case Key.labels:
                for pair in try reader.pairs() { labels.append(WorkerLabel(name: pair.0, value: pair.1)) }
            default: try reader.skip()
            }
        }
        guard let worker, let kind, let name, let slots else { throw CBORError(.missing, at: reader.offset) }
        return .workerJoined(
            WorkerJoin(
                worker: WorkerID(worker), name: name, kind: kind, handlers: handlers, slots: slots,
                namespaces: namespaces, labels: labels))
    }

    private static func clockClamp(from reader: inout CBORReader) throws(CBORError) -> Event {
        var observed: Timestamp?
        var used: Timestamp?
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Key.observed: observed = try reader.timestamp()
            case Key.used: used = try reader.timestamp()
            default: try reader.skip()
            }
        }
        guard let observed, let used else { throw CBORError(.missing, at: reader.offset) }
        return .clockClamped(observed: observed, used: used)
    }

    private static func storePruning(from reader: inout CBORReader) throws(CBORError) -> Event {
        var tasks: Int?
        var events: Int?
        var before: Timestamp?
        var reason: String?
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Key.note: reason = try reader.text()
            case Key.taskCount: tasks = try reader.unsigned(as: Int.self)
            case Key.eventCount: events = try reader.unsigned(as: Int.self)
            case Key.before: before = try reader.timestamp()
            default: try reader.skip()
            }
        }
        guard let tasks, let events, let before else { throw CBORError(.missing, at: reader.offset) }
        return .storePruned(StorePruning(taskCount: tasks, eventCount: events, before: before, reason: reason))
    }

    private static func templateRegistration(from reader: inout CBORReader) throws(CBORError) -> Event {
        var (name, version, namespace): (String?, String?, String?)
        var template: TemplateDigest?
        var previous = SequenceNumber.zero
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Key.name: name = try reader.text()
            case Key.version: version = try reader.text()
            case Key.template: template = TemplateDigest(try reader.byteArray())
            case Key.namespace: namespace = try reader.text()
            case Key.origin: previous = SequenceNumber(try reader.unsigned())
            default: try reader.skip()
            }
        }
        guard let name, let version, let namespace, let template else { throw CBORError(.missing, at: reader.offset) }
        return .templateRegistered(
            TemplateRegistration(
                template: template, namespace: namespace, name: name, version: version, previous: previous))
    }

    private static func submission(
        from reader: inout CBORReader, payloads: Payloads
    ) throws(CBORError) -> Event {
        var required: (template: TemplateDigest?, namespace: String?, name: String?, version: String?, id: String?)
        required = (nil, nil, nil, nil, nil)
        var submission = Submission(
            template: TemplateDigest([]), namespace: "", name: "", version: "", input: .null, correlationID: "")
        var hasInput = false
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Key.note: submission.reason = try reader.text()
            case Key.name: required.name = try reader.text()
            case Key.version: required.version = try reader.text()
            case Key.template: required.template = TemplateDigest(try reader.byteArray())
            case Key.namespace: required.namespace = try reader.text()
            case Key.environment: submission.environment = try reader.text()
            case Key.input:
                submission.input = try reader.json(payloads)
                hasInput = true
            case Key.priority: submission.priority = Int(try reader.integer())
            case Key.key: submission.key = try reader.text()
            case Key.correlationID: required.id = try reader.text()
            case Key.parentCorrelationID: submission.parentCorrelationID = try reader.text()
            case Key.initiator: submission.initiator = try reader.text()
            case Key.sourceSystem: submission.sourceSystem = try reader.text()
            case Key.tags: submission.tags = try reader.texts()
            case Key.forkedFrom: submission.forkedFrom = try reader.taskID()
            case Key.adopted:
                for _ in 0..<(try reader.array()) {
                    submission.adopted.append(try reader.unsigned(as: StepIndex.self))
                }
            case Key.traceparent: submission.traceparent = try reader.text()
            default: try reader.skip()
            }
        }
        guard hasInput, let template = required.template, let namespace = required.namespace, let name = required.name,
            let version = required.version, let id = required.id
        else { throw CBORError(.missing, at: reader.offset) }
        submission.template = template
        submission.namespace = namespace
        submission.name = name
        submission.version = version
        submission.correlationID = id
        return .taskSubmitted(submission)
    }

    private static func failure(from reader: inout CBORReader, payloads: Payloads) throws(CBORError) -> Event {
        var attempt = StepFields()
        var message: String?
        var errorType: String?
        var retryable: Bool?
        var failure = Failure(message: "")
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            switch key {
            case Key.metadata: failure.metadata = try reader.json(payloads)
            case Key.message: message = try reader.text()
            case Key.errorType: errorType = try reader.text()
            case Key.errorCode: failure.errorCode = try reader.text()
            case Key.retryable: retryable = try reader.bool()
            case Key.retryAfter: failure.retryAfter = Milliseconds(try reader.integer())
            case Key.backtrace: failure.backtrace = try reader.text()
            default: try attempt.read(key, from: &reader, payloads: payloads)
            }
        }
        guard let message, let errorType, let retryable else { throw CBORError(.missing, at: reader.offset) }
        failure.message = message
        failure.errorType = errorType
        failure.retryable = retryable
        return .attemptFailed(try attempt.attemptID(), failure)
    }
}

extension CBORReader {
    /// An array of arrays of two texts.
    fileprivate mutating func pairs() throws(CBORError) -> [(String, String)] {
        var pairs: [(String, String)] = []
        for _ in 0..<(try array()) {
            let start = offset
            guard try array() == 2 else { throw CBORError(.outOfRange, at: start) }
            pairs.append((try text(), try text()))
        }
        return pairs
    }

    mutating func timestamp() throws(CBORError) -> Timestamp { Timestamp(milliseconds: try integer()) }

    mutating func enumeration<Value: RawRepresentable<UInt8>>() throws(CBORError) -> Value {
        let start = offset
        guard let value = Value(rawValue: try unsigned(as: UInt8.self)) else {
            throw CBORError(.outOfRange, at: start)
        }
        return value
    }
}
