import StepwellModel

/// Somewhere that events leave to. A ``Follower`` asks it on a thread of its own, so it may block.
protocol Destination: AnyObject, Sendable {
    /// Names it in metrics and in notices.
    var label: String { get }
    /// How long it may fail before it is given up; nil: for ever.
    var patience: Patience { get }
    /// What of this event leaves, in order; mostly nothing.
    func parcels(for record: EventRecord) throws -> [Parcel]
    /// Sends one once.
    func send(_ parcel: Parcel, at now: Timestamp) -> Delivery
    /// Breaks off what is being sent. From any thread.
    func interrupt()
}

/// One request that is to be sent. It is the same however often it is sent.
struct Parcel: Sendable {
    /// By which the receiver knows one that it has got already.
    var id: String
    var body: [UInt8]
}

/// What came of sending a parcel.
enum Delivery: Hashable, Sendable {
    case delivered
    /// Another try may do better.
    case failed(String, retryAfter: Milliseconds?)
    /// The receiver will never take this one; the next may do.
    case refused(String)
    /// The receiver wants nothing any more.
    case gone(String)
}
