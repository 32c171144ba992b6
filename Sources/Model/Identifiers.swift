/// The number of an event in the log: gap-free from 1. It also names what an event brings into being: a lease is the number
/// of the `attempt.started` event that granted it, so that no two leases are ever equal and a later one is greater.
public struct SequenceNumber: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt64

    @inlinable
    public init(_ rawValue: UInt64) {
        self.rawValue = rawValue
    }

    /// Before the first event; also "none" where a number is kept in a fixed place.
    public static let zero = SequenceNumber(0)

    @inlinable
    public static func < (left: SequenceNumber, right: SequenceNumber) -> Bool {
        left.rawValue < right.rawValue
    }

    @inlinable
    public var next: SequenceNumber { SequenceNumber(rawValue + 1) }

    public var description: String { "#\(rawValue)" }
}

/// An attempt held by a worker. See ``SequenceNumber``.
public typealias Lease = SequenceNumber

/// A step's place in its template, from 0.
public typealias StepIndex = Int

/// A worker of one run of the engine. Numbers start again with each start of the engine.
public struct WorkerID: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var rawValue: UInt32

    @inlinable
    public init(_ rawValue: UInt32) {
        self.rawValue = rawValue
    }

    @inlinable
    public static func < (left: WorkerID, right: WorkerID) -> Bool {
        left.rawValue < right.rawValue
    }

    public var description: String { "worker \(rawValue)" }
}
