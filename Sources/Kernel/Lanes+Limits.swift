import StepwellModel

// Limits and the lanes for which they hold: that of its namespace, and that of its handler.

extension Lanes {
    /// Sets a limit. What runs goes on and counts.
    mutating func set(
        _ setting: LimitSetting, by number: SequenceNumber, bucket: TokenBucket? = nil, at time: Timestamp = .zero
    ) {
        let running = lanes.reduce(0) { $0 + (setting.target.covers($1.place) ? $1.running : 0) }
        limits.set(setting, by: number, bucket: bucket, at: time, running: running)
        bindLimits()
    }

    mutating func removeLimit(of target: LimitTarget) {
        limits.remove(target)
        bindLimits()
    }

    mutating func takeLimitChanges() -> (rows: [LimitRow], gone: [SequenceNumber]) { limits.takeChanges() }

    /// Finds the limits of each lane anew.
    mutating func bindLimits() {
        groups.removeAll(keepingCapacity: true)
        groupOfHandler.removeAll(keepingCapacity: true)
        loners.removeAll(keepingCapacity: true)
        for lane in lanes.indices { bindLimits(of: lane) }
    }

    /// The same for one that stands in no group.
    mutating func bindLimits(of lane: Int) {
        let place = lanes[lane].place
        lanes[lane].namespaceLimit = limits.place(of: LimitTarget(.namespace, place.namespace))
        lanes[lane].handlerLimit =
            place.handler == Self.commandHandler ? nil : limits.place(of: LimitTarget(.handler, place.handler))
        guard lanes[lane].handlerLimit != nil else { return loners.append(lane) }
        if let group = groupOfHandler[place.handler] { return groups[group].append(lane) }
        groupOfHandler[place.handler] = groups.count
        groups.append([lane])
    }

    func isHeld(_ lane: Int, at time: Timestamp) -> Bool { !limits.isEmpty && hold(of: lane, at: time) != nil }

    /// The limit for which a lane's steps wait: of two the one that takes longer, as far as that is known.
    func hold(of lane: Int, at time: Timestamp) -> LimitTable.Hold? {
        let namespace = lanes[lane].namespaceLimit.flatMap { limits[$0].hold(at: time) }
        let handler = lanes[lane].handlerLimit.flatMap { limits[$0].hold(at: time) }
        guard let namespace, let handler else { return namespace ?? handler }
        guard let first = namespace.due, let second = handler.due else {
            return namespace.due == nil ? namespace : handler
        }
        return first < second ? handler : namespace
    }

    /// Which limit's rate is the next to let a step start that waits for nothing else, and when. Of several at the same time the
    /// one that was set first.
    func nextLimit() -> (due: Timestamp, number: SequenceNumber)? {
        guard limits.hasRates, waitingCount > 0, freeCount > 0 else { return nil }
        var next: (due: Timestamp, number: SequenceNumber)?
        for lane in lanes.indices where lanes[lane].count > 0 {
            guard let found = wakeUp(of: lane), leastBusy(serving: lane) != nil else { continue }
            if next.map({ (found.due, found.number) < ($0.due, $0.number) }) ?? true { next = found }
        }
        return next
    }

    /// When the rates of a lane's limits let its next step start; nil when it has none, or is held up by what has no time.
    private func wakeUp(of lane: Int) -> (due: Timestamp, number: SequenceNumber)? {
        var last: (due: Timestamp, number: SequenceNumber)?
        for place in [lanes[lane].namespaceLimit, lanes[lane].handlerLimit] {
            guard let place else { continue }
            let limit = limits[place]
            if let most = limit.setting.concurrencyMax, limit.running >= most { return nil }
            guard let due = limit.due else { continue }
            if let known = last, due < known.due || due == known.due && limit.number > known.number { continue }
            last = (due, limit.number)
        }
        return last
    }

    // MARK: Looking on

    /// The last start of each handler in each namespace of which anything has started, in the order of their names.
    var handlerStarts: [StateContent.LastStart] {
        lanes.filter { $0.lastStart != .zero }
            .map { .init(namespace: $0.place.namespace, handler: $0.place.handler, number: $0.lastStart) }
            .sorted { ($0.namespace, $0.handler ?? "") < ($1.namespace, $1.handler ?? "") }
    }

    var limitContents: [StateContent.Limit] {
        limits.entries.map {
            .init(setting: $0.setting, row: LimitRow(number: $0.number, bucket: $0.bucket), running: $0.running)
        }.sorted { $0.setting.target < $1.setting.target }
    }

    /// For each limit how many steps wait because of it at that time.
    func waitingCounts(at time: Timestamp) -> [Int] {
        var counts = [Int](repeating: 0, count: limits.count)
        guard !limits.isEmpty else { return counts }
        for lane in lanes where lane.count > 0 {
            for place in [lane.namespaceLimit, lane.handlerLimit] {
                guard let place, limits[place].hold(at: time) != nil else { continue }
                counts[place] += lane.count
            }
        }
        return counts
    }
}

extension LimitTarget {
    /// Whether the steps of a lane are the target's.
    fileprivate func covers(_ lane: Lanes.Place) -> Bool {
        switch scope {
        case .namespace: lane.namespace == name
        // The lane of commands has a name that no target has.
        case .handler: lane.handler == name
        }
    }
}
