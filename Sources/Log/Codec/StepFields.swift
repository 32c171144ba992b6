import StepwellModel

/// What the data of most events consist of, as read and not yet asked for. Kept small: it is made for every event.
struct StepFields {
    private var stepValue: Int?
    private var attemptValue: Int?
    private var leaseValue: UInt64?
    private var workerValue: UInt32?
    private var kindValue: WorkerJoin.Kind?
    private var reasonValue: UInt8?
    private var offset = 0
    var succeeded: Bool?
    var deadline: Timestamp?
    var due: Timestamp?
    var result: JSONText?
    var metadata: JSONText?
    var checkpoint: JSONText?
    var note: String?
    var steps: [StepIndex]?
    var origin: SequenceNumber?
    var handlerVersion: String?

    @inline(__always)
    init() {}

    @inline(__always)
    init(from reader: inout CBORReader, payloads: Payloads) throws(CBORError) {
        var keys = try reader.map()
        while let key = try reader.key(&keys) { try read(key, from: &reader, payloads: payloads) }
        offset = reader.offset
    }

    /// Reads the value of a key; passes over what it does not know.
    @inline(__always)
    mutating func read(_ key: UInt64, from reader: inout CBORReader, payloads: Payloads) throws(CBORError) {
        switch key {
        case EventData.Key.step: stepValue = try reader.unsigned(as: Int.self)
        case EventData.Key.attempt: attemptValue = try reader.unsigned(as: Int.self)
        case EventData.Key.lease: leaseValue = try reader.unsigned()
        case EventData.Key.worker: workerValue = try reader.unsigned(as: UInt32.self)
        case EventData.Key.workerKind: kindValue = try reader.enumeration()
        case EventData.Key.deadline: deadline = try reader.timestamp()
        case EventData.Key.due: due = try reader.timestamp()
        case EventData.Key.result: result = try reader.json(payloads)
        case EventData.Key.metadata: metadata = try reader.json(payloads)
        case EventData.Key.checkpoint: checkpoint = try reader.json(payloads)
        case EventData.Key.reason: reasonValue = try reader.unsigned(as: UInt8.self)
        case EventData.Key.succeeded: succeeded = try reader.bool()
        case EventData.Key.steps:
            var steps: [StepIndex] = []
            let count = try reader.array()
            steps.reserveCapacity(count)
            for _ in 0..<count { steps.append(try reader.unsigned(as: Int.self)) }
            self.steps = steps
        case EventData.Key.note: note = try reader.text()
        case EventData.Key.origin: origin = SequenceNumber(try reader.unsigned())
        case EventData.Key.handlerVersion: handlerVersion = try reader.text()
        default: try reader.skip()
        }
    }

    @inline(__always)
    func require<Value>(_ value: Value?) throws(CBORError) -> Value {
        guard let value else { throw CBORError(.missing, at: offset) }
        return value
    }

    @inline(__always)
    func step() throws(CBORError) -> StepIndex { try require(stepValue) }

    @inline(__always)
    func worker() throws(CBORError) -> WorkerID { WorkerID(try require(workerValue)) }

    @inline(__always)
    func attemptID() throws(CBORError) -> AttemptID {
        AttemptID(
            step: try step(), attempt: try require(attemptValue), lease: Lease(try require(leaseValue)),
            worker: try worker())
    }

    @inline(__always)
    func attemptStart() throws(CBORError) -> AttemptStart {
        AttemptStart(
            step: try step(), attempt: try require(attemptValue), worker: try worker(),
            workerKind: try require(kindValue), deadline: deadline, handlerVersion: handlerVersion)
    }

    @inline(__always)
    func reason<Reason: RawRepresentable<UInt8>>(_: Reason.Type) throws(CBORError) -> Reason {
        guard let reason = Reason(rawValue: try require(reasonValue)) else { throw CBORError(.outOfRange, at: offset) }
        return reason
    }
}
