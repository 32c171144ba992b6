package import StepwellModel

/// A task from elsewhere, with the commits that its events are of.
package struct ImportedTask: Sendable {
    package var summary: TaskSummary
    package var events: [(number: SequenceNumber, bytes: [UInt8])]
    /// Each with its runs, and the hash of the commit before.
    package var commits: [Commit]
    package var template: (digest: TemplateDigest, bytes: [UInt8])
    package var logLines: [LogLine]

    package init(
        summary: TaskSummary, events: [(number: SequenceNumber, bytes: [UInt8])], commits: [Commit],
        template: (digest: TemplateDigest, bytes: [UInt8]), logLines: [LogLine]
    ) {
        self.summary = summary
        self.events = events
        self.commits = commits
        self.template = template
        self.logLines = logLines
    }
}

extension StoreEditor {
    /// Puts a task where its events' numbers say, in one transaction. The caller has made sure that its commits are those of the
    /// store, or that the store has none in their places.
    package func take(_ task: ImportedTask) throws(LogError) {
        let tables = environment.tables
        var rows = RowWriter()
        let size = task.events.reduce(4096) { $0 + $1.bytes.count + 64 } + task.template.bytes.count
        try environment.write(size: size) { transaction in
            for event in task.events {
                try withUnsafeBytes(of: RowKey.number(event.number)) { key in
                    try event.bytes.withRawBytes { try transaction.insert(tables.events, key, $0) }
                }
            }
            for commit in task.commits {
                var merged = try transaction.commit(commit.last, tables)?.merged(with: commit) ?? commit
                if commit.form == .flat { merged.runs = try transaction.presence(in: commit, tables) }
                try rows.put(merged, in: transaction, tables)
            }
            try task.template.digest.bytes.withRawBytes { key in
                try task.template.bytes.withRawBytes { try transaction.insert(tables.templates, key, $0) }
            }
            try putTask(task.summary, &rows, transaction)
            for line in task.logLines { try rows.put(line, in: transaction, tables) }
            try environment.countAbsent(transaction)
        }
    }

    /// Writes the summary with its indexes; a newer task of the same key keeps the key.
    private func putTask(
        _ task: TaskSummary, _ rows: inout RowWriter, _ transaction: borrowing WriteTransaction
    ) throws {
        let tables = environment.tables
        let identity = task.key.map { RowKey.identity(namespace: task.namespace, name: task.name, key: $0) }
        let owner = try identity?.withRawBytes { try transaction.get(tables.keys, $0).flatMap { RowKey.id(from: $0) } }
        try rows.put(task, in: transaction, tables)
        guard let identity, let owner, owner != task.id else { return }
        try withUnsafeBytes(of: RowKey.id(owner)) { id in
            guard let row = try transaction.get(tables.tasks, id),
                try RowCodec.task(owner, from: row).first > task.first
            else { return }
            try identity.withRawBytes { try transaction.put(tables.keys, $0, id) }
        }
    }
}

extension Commit {
    /// This row of a store, after the events have come that another row of the same commit knows.
    fileprivate func merged(with other: Commit) throws(LogError) -> Commit {
        guard form == .runs, let runs, let others = other.runs else { return self }
        guard runs.map(\.count) == others.map(\.count) else {
            throw .corrupt("its commit has other runs than were exported", at: last)
        }
        var merged = self
        let all = zip(runs, others).map { CommitRun(count: $0.count, hash: $1.hash == nil ? nil : $0.hash) }
        merged.runs = all.allSatisfy { $0.hash == nil } ? nil : all
        return merged
    }
}

extension WriteTransaction {
    fileprivate func commit(_ last: SequenceNumber, _ tables: Tables) throws -> Commit? {
        try withUnsafeBytes(of: RowKey.number(last)) { key in
            try get(tables.commits, key).map { try RowCodec.commit(last: last, from: $0) }
        }
    }

    /// Which events of a commit are there. Its form knows no hashes of runs, so that zeros stand for them.
    fileprivate func presence(in commit: Commit, _ tables: Tables) throws -> [CommitRun]? {
        let gone = [UInt8](repeating: 0, count: SHA256.byteCount)
        var runs: [CommitRun] = []
        var number = commit.first
        while number <= commit.last {
            let isThere = try withUnsafeBytes(of: RowKey.number(number)) { try get(tables.events, $0) != nil }
            let hash = isThere ? nil : gone
            if let last = runs.last, last.hash == hash {
                runs[runs.count - 1].count += 1
            } else {
                runs.append(CommitRun(count: 1, hash: hash))
            }
            number = number.next
        }
        return runs.count == 1 && runs[0].hash == nil ? nil : runs
    }
}
