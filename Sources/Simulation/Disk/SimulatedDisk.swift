/// A disk as a program sees it, and as a power failure leaves it: what was written is seen at once, and is kept for certain only
/// after ``sync()``.
///
/// Every write and sync is a moment at which the machine can stop.
final class SimulatedDisk {
    static let sectorBytes = 512

    enum Fault: Error {
        /// No space: a part of the write may be there.
        case full
        /// The machine has stopped; whoever wrote is gone.
        case stopped
    }

    /// What becomes of unsynced writes.
    enum Failure: Sendable, Hashable {
        /// The process is killed. What it wrote is with the operating system, which brings it to the disk.
        case process
        /// The power fails: each write is kept, lost or torn, in any order.
        case power
    }

    private struct Write {
        let offset: Int
        let bytes: [UInt8]
    }

    /// What reads give.
    private(set) var seen: [UInt8] = []
    /// What is there after a power failure.
    private(set) var kept: [UInt8] = []
    private var unsynced: [Write] = []
    var isFull = false
    private(set) var hasStopped = false
    /// Writes and syncs until the machine stops.
    private var operationsLeft: Int?
    private var tally = Tally()

    /// How many writes had which fate.
    struct Tally {
        var kept = 0
        var lost = 0
        var torn = 0
        var syncs = 0
    }

    /// What has happened since it was last asked.
    func takeTally() -> Tally {
        defer { tally = Tally() }
        return tally
    }

    /// Stops the machine at the given moment from now on: before the next write or sync is 0.
    func stop(after operations: Int) { operationsLeft = operations }
    func stayOn() { operationsLeft = nil }

    // MARK: What a program does

    func write(_ bytes: some Collection<UInt8>, at offset: Int) throws(Fault) {
        try pass()
        if isFull {
            let some = bytes.prefix(Self.sectorBytes)
            if bytes.count > some.count { put(Array(some), at: offset) }
            throw .full
        }
        put(Array(bytes), at: offset)
    }

    func sync() throws(Fault) {
        try pass()
        tally.syncs += 1
        for write in unsynced { Self.apply(write.bytes[...], at: write.offset, to: &kept) }
        unsynced.removeAll(keepingCapacity: true)
    }

    /// A moment between two operations.
    func pass() throws(Fault) {
        guard !hasStopped else { throw .stopped }
        guard let left = operationsLeft else { return }
        guard left > 0 else {
            (operationsLeft, hasStopped) = (nil, true)
            throw .stopped
        }
        operationsLeft = left - 1
    }

    private func put(_ bytes: [UInt8], at offset: Int) {
        Self.apply(bytes[...], at: offset, to: &seen)
        unsynced.append(Write(offset: offset, bytes: bytes))
    }

    private static func apply(_ bytes: ArraySlice<UInt8>, at offset: Int, to content: inout [UInt8]) {
        let end = offset + bytes.count
        if content.count < end { content.append(contentsOf: repeatElement(0, count: end - content.count)) }
        content.replaceSubrange(offset..<end, with: bytes)
    }

    // MARK: The failure

    /// Starts the machine again after it has stopped, with what the failure has left.
    func restart(after failure: Failure, _ random: inout SplitMix64) {
        switch failure {
        case .process:
            for write in unsynced { Self.apply(write.bytes[...], at: write.offset, to: &kept) }
        case .power: lose(&random)
        }
        unsynced.removeAll(keepingCapacity: true)
        seen = kept
        (hasStopped, operationsLeft) = (false, nil)
    }

    private func lose(_ random: inout SplitMix64) {
        var left = unsynced
        while !left.isEmpty {
            // Any of them may have reached the disk first.
            let write = left.remove(at: random.number(0...left.count - 1))
            switch random.number(0...3) {
            case 0:
                tally.kept += 1
                Self.apply(write.bytes[...], at: write.offset, to: &kept)
            case 1: tally.lost += 1
            default:
                tally.torn += 1
                tear(write, &random)
            }
        }
    }

    /// Some of the write's sectors are there, and of some only the beginning.
    private func tear(_ write: Write, _ random: inout SplitMix64) {
        var start = 0
        while start < write.bytes.count {
            let sectorEnd = ((write.offset + start) / Self.sectorBytes + 1) * Self.sectorBytes - write.offset
            let end = min(sectorEnd, write.bytes.count)
            if random.chance(50) {
                let tornEnd = random.chance(40) ? start + random.number(0...end - start) : end
                Self.apply(write.bytes[start..<tornEnd], at: write.offset + start, to: &kept)
            }
            start = end
        }
    }
}
