package import StepwellModel

extension StoreView {
    /// A template's bytes, as the log keeps them.
    package func templateBytes(_ digest: TemplateDigest) throws(LogError) -> [UInt8]? {
        try digest.bytes.withRawBytes { key throws(LogError) in
            guard !key.isEmpty else { return nil }
            return try transaction.get(tables.templates, key).map { Array($0) }
        }
    }

    /// A task's events, oldest first, with their bytes.
    package func events(of task: TaskSummary) throws(LogError) -> [(record: EventRecord, bytes: [UInt8])] {
        let cursor = try transaction.cursor(tables.events)
        var found: [(record: EventRecord, bytes: [UInt8])] = []
        var next = task.last
        while next > .zero {
            let value = try withUnsafeBytes(of: RowKey.number(next)) { key throws(LogError) in try cursor.find(key) }
            guard let value else { throw .corrupt("the event is missing, though others name it", at: next) }
            let record = try EventCodec.decode(value, number: next, payloads: .included)
            guard record.previous < next, record.task == task.id else {
                throw .corrupt("it is not one of task \(task.id)", at: next)
            }
            found.append((record, Array(value)))
            next = record.previous
        }
        found.reverse()
        return found
    }

    /// The events of a commit that the store has.
    package func events(of commit: Commit) throws(LogError) -> [StoredEvent] {
        let cursor = try transaction.cursor(tables.events)
        var found: [StoredEvent] = []
        var row = try withUnsafeBytes(of: RowKey.number(commit.first)) { key throws(LogError) in try cursor.seek(key) }
        while let (key, value) = row {
            let number = try RowKey.number(from: key)
            guard number <= commit.last else { break }
            found.append(StoredEvent(number: number, bytes: value))
            row = try cursor.move(.next)
        }
        try commit.check(found)
        return found
    }

    /// The runs of a commit of the form of runs. Those that `isKept` refuses stand as hashes.
    package func runs(
        of commit: Commit, keeping isKept: (_ run: (task: TaskID?, first: SequenceNumber), [StoredEvent]) -> Bool
    ) throws(LogError) -> [CommitRun] {
        try commit.runs(of: try events(of: commit), keeping: isKept)
    }

    /// The log lines of one task, by lease and number.
    package func logLines(of task: TaskID, _ body: (LogLine) throws -> Void) throws {
        var start: [UInt8] = []
        RowKey.logLine(task, LogLinePosition(lease: .zero, number: 0), into: &start)
        try logLines(from: start) { line in
            guard line.task == task else { return false }
            try body(line)
            return true
        }
    }

    /// All log lines, task by task; those that cannot be read may be passed over.
    package func logLines(passingOverDamage: Bool, _ body: (LogLine) throws -> Void) throws {
        try logLines(from: [], passingOverDamage: passingOverDamage) { line in
            try body(line)
            return true
        }
    }

    private func logLines(
        from start: [UInt8], passingOverDamage: Bool = false, _ body: (LogLine) throws -> Bool
    ) throws {
        let cursor = try transaction.cursor(tables.logs)
        var row = try start.isEmpty ? cursor.move(.first) : start.withRawBytes { try cursor.seek($0) }
        while let (key, value) = row {
            guard let position = RowKey.logLinePosition(from: key) else {
                throw LogError.corrupt("the key of a log line is malformed", at: nil)
            }
            let task = TaskID(high: key.bigEndian(at: 0), low: key.bigEndian(at: 8))
            row = try cursor.move(.next)
            let line: LogLine
            do throws(LogError) {
                line = try RowCodec.logLine(of: task, at: position, from: value)
            } catch {
                guard passingOverDamage else { throw error }
                continue
            }
            guard try body(line) else { return }
        }
    }
}
