import StepwellModel

/// The limits that are in force, and how far each is used.
struct LimitTable: Sendable {
    struct Entry: Sendable {
        let setting: LimitSetting
        /// The `limit.set` event.
        let number: SequenceNumber
        /// Attempts that workers hold, also those that were given up and have not ended yet.
        var running: Int
        /// Of a limit with a rate.
        fileprivate(set) var bucket: TokenBucket?
        fileprivate var isChanged = false

        /// Why nothing may start at that time.
        func hold(at time: Timestamp) -> Hold? {
            if let most = setting.concurrencyMax, running >= most { return Hold(setting: setting, due: nil) }
            guard let rate = setting.rate, let bucket, !bucket.hasToken(rate, at: time) else { return nil }
            return Hold(setting: setting, due: bucket.due(rate))
        }

        var due: Timestamp? { setting.rate.flatMap { bucket?.due($0) } }
    }

    /// What a step waits for.
    struct Hold: Sendable {
        let setting: LimitSetting
        /// When its rate lets the next one start; nil: one that runs must end before.
        let due: Timestamp?
    }

    private(set) var entries: ContiguousArray<Entry> = []
    private var places: [LimitTarget: Int] = [:]
    private var byNumber: [SequenceNumber: Int] = [:]
    /// Those whose rows are to be written.
    private var changed: [SequenceNumber] = []
    /// Those that were removed since the changes were last taken.
    private var gone: [SequenceNumber] = []
    private(set) var hasRates = false

    var count: Int { entries.count }
    var isEmpty: Bool { entries.isEmpty }

    subscript(place: Int) -> Entry {
        get { entries[place] }
        set { entries[place] = newValue }
    }

    func place(of target: LimitTarget) -> Int? { places[target] }
    func number(of target: LimitTarget) -> SequenceNumber? { places[target].map { entries[$0].number } }
    func target(of number: SequenceNumber) -> LimitTarget? { entry(number)?.setting.target }

    /// When a limit's rate lets the next attempt start.
    func due(of number: SequenceNumber) -> Timestamp? { entry(number)?.due }

    private func entry(_ number: SequenceNumber) -> Entry? { byNumber[number].map { entries[$0] } }

    /// - Parameters:
    ///   - bucket: as it was written down; nil for a limit that is set at that time.
    ///   - running: how many attempts of the target workers hold.
    mutating func set(
        _ setting: LimitSetting, by number: SequenceNumber, bucket: TokenBucket?, at time: Timestamp, running: Int
    ) {
        var entry = Entry(setting: setting, number: number, running: running, bucket: bucket, isChanged: true)
        changed.append(number)
        if bucket == nil, let rate = setting.rate { entry.bucket = TokenBucket(full: rate, at: time) }
        if let place = places[setting.target] {
            let old = entries[place]
            if let before = old.setting.rate, let rate = setting.rate, var kept = old.bucket {
                kept.change(from: before, to: rate, at: time)
                entry.bucket = kept
            }
            gone.append(old.number)
            byNumber[old.number] = nil
            byNumber[number] = place
            entries[place] = entry
        } else {
            places[setting.target] = entries.count
            byNumber[number] = entries.count
            entries.append(entry)
        }
        hasRates = entries.contains { $0.setting.rate != nil }
    }

    mutating func remove(_ target: LimitTarget) {
        guard let place = places.removeValue(forKey: target) else { return }
        gone.append(entries[place].number)
        byNumber[entries[place].number] = nil
        entries.remove(at: place)
        for later in place..<entries.count {
            places[entries[later].setting.target] = later
            byNumber[entries[later].number] = later
        }
        hasRates = entries.contains { $0.setting.rate != nil }
    }

    /// An attempt has started.
    mutating func start(_ place: Int, at time: Timestamp) {
        entries[place].running += 1
        guard let rate = entries[place].setting.rate else { return }
        entries[place].bucket?.take(rate, at: time)
        guard !entries[place].isChanged else { return }
        entries[place].isChanged = true
        changed.append(entries[place].number)
    }

    /// All that is to be written down, and what is to be forgotten; from then on nothing is.
    mutating func takeChanges() -> (rows: [LimitRow], gone: [SequenceNumber]) {
        guard !changed.isEmpty || !gone.isEmpty else { return ([], []) }
        var rows: [LimitRow] = []
        // What was set and replaced since is not there.
        for place in changed.compactMap({ byNumber[$0] }) {
            entries[place].isChanged = false
            rows.append(LimitRow(number: entries[place].number, bucket: entries[place].bucket))
        }
        defer { (changed, gone) = ([], []) }
        return (rows, gone)
    }
}
