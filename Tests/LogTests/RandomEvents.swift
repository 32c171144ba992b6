import StepwellModel

@testable import StepwellLog

extension SeededGenerator {
    mutating func json() -> JSONText {
        let values: [JSON] = [
            .null, .bool(true), .number("1.50e2"), .string(text()), .array([.number("0"), .string(text())]),
            .object([JSON.Member(text(), .string(text())), JSON.Member("b", .object([]))]),
        ]
        return JSONText(values.randomElement(using: &self)!)
    }

    mutating func timestamp() -> Timestamp { Timestamp(milliseconds: signed()) }

    mutating func taskID() -> TaskID { TaskID(time: Timestamp(milliseconds: Int64(small())), random: (next(), next())) }

    mutating func attempt() -> AttemptID {
        AttemptID(
            step: small(), attempt: small(), lease: Lease(number()),
            worker: WorkerID(UInt32(truncatingIfNeeded: number())))
    }

    mutating func submission() -> Submission {
        Submission(
            template: TemplateDigest(SHA256.hash(Array(text().utf8))), namespace: text(), name: text(), version: text(),
            environment: maybe { $0.text() }, input: json(), priority: Int.random(in: -100...100, using: &self),
            key: maybe { $0.text() }, correlationID: text(), parentCorrelationID: maybe { $0.text() },
            initiator: maybe { $0.text() }, sourceSystem: maybe { $0.text() }, reason: maybe { $0.text() },
            tags: (0..<Int.random(in: 0..<3, using: &self)).map { _ in text() }, traceparent: maybe { $0.text() })
    }

    mutating func failure() -> Failure {
        Failure(
            message: text(), errorType: text(), errorCode: maybe { $0.text() }, retryable: bool(),
            retryAfter: maybe { Milliseconds($0.signed()) }, backtrace: maybe { $0.text() },
            metadata: maybe { $0.json() })
    }

    /// One that may be set.
    mutating func limitChange() -> LimitChange {
        let target = LimitTarget(LimitTarget.Scope.allCases.randomElement(using: &self)!, "n\(small())")
        var setting = LimitSetting(target, concurrencyMax: maybe { Int.random(in: 0...1_000_000, using: &$0) })
        if setting.concurrencyMax == nil || bool() {
            setting.rate = StartRate(
                count: Int.random(in: 1...StartRate.countMax, using: &self),
                period: Milliseconds(Int64.random(in: 1...StartRate.periodMax.rawValue, using: &self)),
                burst: Int.random(in: 1...StartRate.countMax, using: &self))
        }
        return LimitChange(setting, previous: SequenceNumber(UInt64(small())), reason: maybe { $0.text() })
    }

    mutating func event(_ type: EventType) -> Event {
        switch type {
        case .engineStarted:
            .engineStarted(
                EngineStart(
                    version: text(), processID: Int(signed()), host: text(), focus: maybe { $0.taskID() },
                    reason: maybe { $0.text() }, rules: Int.random(in: 0...2, using: &self)))
        case .engineDraining: .engineDraining
        case .engineStopped: .engineStopped
        case .workerJoined:
            .workerJoined(
                WorkerJoin(
                    worker: WorkerID(UInt32(small())), name: text(),
                    kind: [.inProcess, .command, .process, .remote].randomElement(using: &self)!,
                    handlers: (0..<Int.random(in: 0..<4, using: &self)).map { _ in
                        HandlerVersion(name: text(), version: text())
                    }, slots: small(), namespaces: (0..<Int.random(in: 0..<3, using: &self)).map { _ in text() },
                    labels: (0..<Int.random(in: 0..<3, using: &self)).map { _ in
                        WorkerLabel(name: text(), value: text())
                    }))
        case .workerLeft: .workerLeft(WorkerID(UInt32(small())), reason: text())
        case .clockClamped: .clockClamped(observed: timestamp(), used: timestamp())
        case .templateRegistered:
            .templateRegistered(
                TemplateRegistration(
                    template: TemplateDigest((0..<32).map { _ in .random(in: .min ... .max, using: &self) }),
                    namespace: text(), name: text(), version: text(), previous: SequenceNumber(UInt64(small()))))
        case .storePruned:
            .storePruned(
                StorePruning(
                    taskCount: small(), eventCount: small(), before: timestamp(), reason: maybe { $0.text() }))
        case .limitSet: .limitSet(limitChange())
        case .limitRemoved:
            .limitRemoved(
                LimitRemoval(
                    LimitTarget(LimitTarget.Scope.allCases.randomElement(using: &self)!, text()),
                    limit: SequenceNumber(UInt64(small())), reason: maybe { $0.text() }))
        case .limitDue: .limitDue(SequenceNumber(UInt64(small())))
        case .taskSubmitted: .taskSubmitted(submission())
        case .attemptSucceeded: .attemptSucceeded(attempt(), result: json(), metadata: maybe { $0.json() })
        case .attemptFailed: .attemptFailed(attempt(), failure())
        case .attemptTimedOut: .attemptTimedOut(attempt())
        case .attemptLost: .attemptLost(attempt(), LossReason.allCases.randomElement(using: &self)!)
        case .attemptStopped: .attemptStopped(attempt())
        case .attemptCheckpointed: .attemptCheckpointed(attempt(), data: json())
        case .resultRejected:
            .resultRejected(
                attempt(),
                RejectedResult(
                    reason: RejectedResult.Reason.allCases.randomElement(using: &self)!, succeeded: bool()))
        case .retryDue: .retryDue(small())
        case .resultAdopted:
            .resultAdopted(
                AdoptedResult(step: small(), result: json(), origin: SequenceNumber(UInt64(small()))))
        case .operatorRetried:
            .operatorRetried(
                steps: (0..<Int.random(in: 0..<5, using: &self)).map { _ in small() }, reason: maybe { $0.text() })
        case .operatorCancelled: .operatorCancelled(reason: maybe { $0.text() })
        case .operatorPaused: .operatorPaused(reason: maybe { $0.text() })
        case .operatorResumed: .operatorResumed(reason: maybe { $0.text() })
        case .operatorResolved:
            .operatorResolved(small(), result: maybe { $0.json() }, reason: maybe { $0.text() })
        case .stepEnqueued: .stepEnqueued(small())
        case .attemptStarted:
            .attemptStarted(
                AttemptStart(
                    step: small(), attempt: small(), worker: WorkerID(UInt32(small())), workerKind: .process,
                    deadline: maybe { $0.timestamp() }, handlerVersion: maybe { $0.text() }))
        case .retryScheduled: .retryScheduled(small(), due: timestamp())
        case .stepCompleted: .stepCompleted(small())
        case .stepFailed: .stepFailed(small(), FailureReason.allCases.randomElement(using: &self)!)
        case .stepReset: .stepReset(small())
        case .stepResolved: .stepResolved(small())
        case .stepAdopted: .stepAdopted(small())
        case .taskWaiting: .taskWaiting
        case .taskBlocked: .taskBlocked
        case .taskCompleted: .taskCompleted
        case .taskCancelled: .taskCancelled
        }
    }

    /// A record with any envelope; it need not follow any other.
    mutating func record(_ type: EventType) -> EventRecord {
        EventRecord(
            number: SequenceNumber(number() | 1), task: maybe { $0.taskID() },
            taskNumber: UInt32(truncatingIfNeeded: number()), previous: SequenceNumber(bool() ? 0 : number()),
            time: timestamp(), actor: Actor(Actor.Kind.allCases.randomElement(using: &self)!, id: bool() ? "" : text()),
            cause: SequenceNumber(bool() ? 0 : number()), event: event(type))
    }
}
