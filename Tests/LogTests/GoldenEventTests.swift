import StepwellModel
import Testing

@testable import StepwellLog

/// What the first release has written must be read by every later one, and be written the same: the hash chain binds the bytes.
/// A line here may be added, never changed.
struct GoldenEventTests {
    @Test("the bytes of every event are frozen", arguments: EventType.allCases)
    func frozen(_ type: EventType) throws {
        let record = try #require(Self.records[type])
        let hex = try #require(Golden.events[type])
        let checked = checked(bytes(hex))
        #expect(encode(record) == checked)
        #expect(try decode(checked, number: record.number) == record)
        // As the first format had it.
        #expect(try decode(bytes(hex), number: record.number) == record)
    }

    @Test("the checksum is CRC-32C")
    func checksums() {
        // RFC 3720, appendix B.4.
        #expect(crc32c([UInt8](repeating: 0, count: 32)) == 0x8A91_36AA)
        #expect(crc32c([UInt8](repeating: 0xFF, count: 32)) == 0x62A8_AB43)
        #expect(crc32c(Array(0..<32)) == 0x46DD_794E)
    }

    /// A value with its checksum, as the page about the format says.
    private func checked(_ value: [UInt8]) -> [UInt8] {
        let sum = crc32c(value)
        return [0x82] + value + [0x44] + (0..<4).reversed().map { UInt8(truncatingIfNeeded: sum >> ($0 * 8)) }
    }

    /// Bit by bit, by the definition.
    private func crc32c(_ bytes: [UInt8]) -> UInt32 {
        var rest = ~UInt32(0)
        for byte in bytes {
            rest ^= UInt32(byte)
            for _ in 0..<8 { rest = rest & 1 == 1 ? rest >> 1 ^ 0x82F6_3B78 : rest >> 1 }
        }
        return ~rest
    }

    private static let attempt = AttemptID(step: 2, attempt: 1, lease: Lease(300), worker: WorkerID(4))
    private static let result = JSONText(trusted: Array(#"{"total": 3849.68}"#.utf8))

    private static let events: [Event] = [
        .engineStarted(EngineStart(version: "0.1.0", processID: 4242, host: "db1", rules: 0)),
        .engineStopped,
        .workerJoined(
            WorkerJoin(
                worker: WorkerID(4), name: "python#1", kind: .process,
                handlers: [HandlerVersion(name: "extract_sales", version: "1.0.0")], slots: 8)),
        .workerLeft(WorkerID(4), reason: "signal 9"),
        .clockClamped(
            observed: Timestamp(milliseconds: 1_764_000_000_000), used: Timestamp(milliseconds: 1_764_000_000_500)),
        .taskSubmitted(
            Submission(
                template: TemplateDigest([UInt8](repeating: 0xAB, count: 32)), namespace: "data", name: "report",
                version: "1.2.0", environment: "production",
                input: JSONText(trusted: Array(#"{"day":"2026-11-24"}"#.utf8)),
                priority: -5, key: "2026-11-24", correlationID: "c", parentCorrelationID: "p", initiator: "cron",
                sourceSystem: "crm", reason: "nightly", tags: ["a", "b"])),
        .attemptSucceeded(attempt, result: result, metadata: .emptyObject),
        .attemptFailed(
            attempt,
            Failure(
                message: "503", errorType: "http_error", errorCode: "E1", retryable: true,
                retryAfter: Milliseconds(1500), backtrace: "line 1", metadata: .emptyObject)),
        .attemptTimedOut(attempt),
        .attemptLost(attempt, .workerDied),
        .attemptStopped(attempt),
        .attemptCheckpointed(attempt, data: result),
        .resultRejected(attempt, RejectedResult(reason: .cancelled, succeeded: true)),
        .retryDue(2),
        .operatorRetried(steps: [2, 7], reason: "fixed"),
        .operatorCancelled(reason: "obsolete"),
        .operatorResolved(2, result: result, reason: "by hand"),
        .stepEnqueued(2),
        .attemptStarted(
            AttemptStart(
                step: 2, attempt: 1, worker: WorkerID(4), workerKind: .process,
                deadline: Timestamp(milliseconds: 1_764_000_030_000))),
        .retryScheduled(2, due: Timestamp(milliseconds: 1_764_000_002_000)),
        .stepCompleted(2),
        .stepFailed(2, .attemptsExhausted),
        .stepReset(2),
        .stepResolved(2),
        .taskWaiting,
        .taskBlocked,
        .taskCompleted,
        .taskCancelled,
        .engineDraining,
        .storePruned(
            StorePruning(
                taskCount: 500, eventCount: 12_345, before: Timestamp(milliseconds: 1_764_000_000_000), reason: "old")),
        .resultAdopted(AdoptedResult(step: 2, result: result, origin: SequenceNumber(77))),
        .stepAdopted(2),
        .operatorPaused(reason: "the warehouse is being moved"),
        .operatorResumed(reason: "done"),
        .templateRegistered(
            TemplateRegistration(
                template: TemplateDigest([UInt8](0..<32)), namespace: "data_pipeline", name: "nightly",
                version: "1.2.0",
                previous: SequenceNumber(77))),
        .limitSet(
            LimitChange(
                LimitSetting(
                    LimitTarget(.handler, "mail.send"), concurrencyMax: 4,
                    rate: StartRate(count: 100, period: Milliseconds(60_000), burst: 20)),
                previous: SequenceNumber(77), reason: "the provider asks for it")),
        .limitRemoved(LimitRemoval(LimitTarget(.namespace, "billing"), limit: SequenceNumber(77), reason: "done")),
        .limitDue(SequenceNumber(77)),
    ]

    static let records: [EventType: EventRecord] = Dictionary(
        uniqueKeysWithValues: events.enumerated().map { place, event in
            let type = event.type
            let ofTask = type.number >= EventType.taskSubmitted.number && !type.name.hasPrefix("limit.")
            return (
                type,
                EventRecord(
                    number: SequenceNumber(UInt64(1000 + place)),
                    task: ofTask ? TaskID("019ab4c2-7d00-7123-8456-789abcdef012") : nil,
                    taskNumber: ofTask ? UInt32(place + 1) : 0,
                    previous: SequenceNumber(ofTask ? UInt64(900 + place) : 0),
                    time: Timestamp(milliseconds: 1_764_000_000_000),
                    actor: type.isDecision ? .scheduler : Actor(.operator, id: "ann"),
                    cause: SequenceNumber(type.isDecision ? 999 : 0), event: event)
            )
        })
}
