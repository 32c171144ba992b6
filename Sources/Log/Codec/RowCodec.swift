package import StepwellModel

/// The values of the tables beside the events: summaries of tasks, commits, log lines.
package enum RowCodec {
    // MARK: Tasks

    package static func encode(_ task: TaskSummary, into writer: inout CBORWriter) {
        writer.checked { write(task, to: &$0) }
    }

    private static func write(_ task: TaskSummary, to writer: inout CBORWriter) {
        writer.map(14 + (task.key == nil ? 0 : 1) + (task.forkedFrom == nil ? 0 : 1))
        writer.key(1)
        writer.text(task.namespace)
        writer.key(2)
        writer.text(task.name)
        writer.key(3)
        writer.text(task.version)
        writer.key(4)
        writer.byteString(task.template.bytes)
        if let key = task.key {
            writer.key(5)
            writer.text(key)
        }
        writer.key(6)
        writer.integer(task.priority)
        writer.key(7)
        writer.unsigned(task.state.rawValue)
        writer.key(8)
        writer.integer(task.submitted.milliseconds)
        writer.key(9)
        writer.integer(task.changed.milliseconds)
        writer.key(10)
        writer.unsigned(task.first.rawValue)
        writer.key(11)
        writer.unsigned(task.last.rawValue)
        writer.key(12)
        writer.unsigned(task.eventCount)
        writer.key(13)
        writer.integer(task.stepCount)
        writer.key(14)
        writer.integer(task.stepsDone)
        writer.key(15)
        writer.integer(task.stepsFailed)
        if let origin = task.forkedFrom {
            writer.key(16)
            writer.taskID(origin)
        }
    }

    package static func task(_ id: TaskID, from bytes: UnsafeRawBufferPointer) throws(LogError) -> TaskSummary {
        do throws(CBORError) {
            var reader = try CBORReader(checked: bytes)
            var task = TaskSummary(
                id: id, namespace: "", name: "", version: "", template: TemplateDigest([]), key: nil, priority: 0,
                state: .pending, submitted: .zero, changed: .zero, first: .zero, last: .zero, eventCount: 0,
                stepCount: 0, stepsDone: 0, stepsFailed: 0)
            var seen = KeySet()
            var keys = try reader.map()
            while let key = try reader.key(&keys) {
                seen.insert(key)
                switch key {
                case 1: task.namespace = try reader.text()
                case 2: task.name = try reader.text()
                case 3: task.version = try reader.text()
                case 4: task.template = TemplateDigest(try reader.byteArray())
                case 5: task.key = try reader.text()
                case 6: task.priority = Int(try reader.integer())
                case 7: task.state = try reader.enumeration()
                case 8: task.submitted = try reader.timestamp()
                case 9: task.changed = try reader.timestamp()
                case 10: task.first = SequenceNumber(try reader.unsigned())
                case 11: task.last = SequenceNumber(try reader.unsigned())
                case 12: task.eventCount = try reader.unsigned(as: UInt32.self)
                case 13: task.stepCount = Int(try reader.integer())
                case 14: task.stepsDone = Int(try reader.integer())
                case 15: task.stepsFailed = Int(try reader.integer())
                case 16: task.forkedFrom = try reader.taskID()
                default: try reader.skip()
                }
            }
            try reader.end()
            try seen.require([1, 2, 3, 4, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15], at: reader.offset)
            return task
        } catch {
            throw .corrupt("the summary of task \(id): \(error)", at: nil)
        }
    }

    /// Only what decides over the rows of the indexes: an append reads it for every task that it touches.
    static func state(of id: TaskID, from bytes: UnsafeRawBufferPointer) throws(LogError) -> (TaskState, Timestamp) {
        do throws(CBORError) {
            var reader = try CBORReader(checked: bytes)
            var state: TaskState?
            var keys = try reader.map()
            while let key = try reader.key(&keys) {
                switch key {
                case 7: state = try reader.enumeration()
                case 8:
                    guard let state else { throw CBORError(.missing, at: reader.offset) }
                    return (state, try reader.timestamp())
                default: try reader.skip()
                }
            }
            throw CBORError(.missing, at: reader.offset)
        } catch {
            throw .corrupt("the summary of task \(id): \(error)", at: nil)
        }
    }

    /// Only where a task was forked from: of many tasks that are looked at, few were.
    static func forkedFrom(_ id: TaskID, from bytes: UnsafeRawBufferPointer) throws(LogError) -> TaskID? {
        do throws(CBORError) {
            var reader = try CBORReader(checked: bytes)
            var keys = try reader.map()
            while let key = try reader.key(&keys) {
                if key == 16 { return try reader.taskID() }
                try reader.skip()
            }
            return nil
        } catch {
            throw .corrupt("the summary of task \(id): \(error)", at: nil)
        }
    }

    // MARK: Commits

    static func encode(_ commit: Commit, into writer: inout CBORWriter) {
        writer.checked { write(commit, to: &$0) }
    }

    private static func write(_ commit: Commit, to writer: inout CBORWriter) {
        var count = commit.form == .flat ? 3 : 4
        if commit.runs != nil { count += 1 }
        if commit.previous != nil { count += 1 }
        writer.map(count)
        writer.key(1)
        writer.unsigned(commit.first.rawValue)
        writer.key(2)
        writer.integer(commit.time.milliseconds)
        writer.key(3)
        writer.byteString(commit.hash)
        if commit.form != .flat {
            writer.key(4)
            writer.unsigned(commit.form.rawValue)
        }
        if let runs = commit.runs {
            writer.key(5)
            writer.array(runs.count)
            for run in runs {
                writer.array(run.hash == nil ? 1 : 2)
                writer.unsigned(run.count)
                if let hash = run.hash { writer.byteString(hash) }
            }
        }
        if let previous = commit.previous {
            writer.key(6)
            writer.byteString(previous)
        }
    }

    static func commit(last: SequenceNumber, from bytes: UnsafeRawBufferPointer) throws(LogError) -> Commit {
        do throws(CBORError) {
            var reader = try CBORReader(checked: bytes)
            var commit = Commit(first: .zero, last: last, time: .zero, hash: [], form: .flat)
            var seen = KeySet()
            var keys = try reader.map()
            while let key = try reader.key(&keys) {
                seen.insert(key)
                switch key {
                case 1: commit.first = SequenceNumber(try reader.unsigned())
                case 2: commit.time = try reader.timestamp()
                case 3: commit.hash = try hash(from: &reader)
                case 4: commit.form = try reader.enumeration()
                case 5: commit.runs = try runs(from: &reader)
                case 6: commit.previous = try hash(from: &reader)
                default: try reader.skip()
                }
            }
            try reader.end()
            try seen.require([1, 2, 3], at: reader.offset)
            // The key has no checksum: a commit in the place of another would begin behind its end.
            guard commit.first > .zero, commit.first <= last else { throw CBORError(.outOfRange, at: 0) }
            return commit
        } catch {
            throw .corrupt("the record of the commit: \(error)", at: last)
        }
    }

    private static func runs(from reader: inout CBORReader) throws(CBORError) -> [CommitRun] {
        var runs: [CommitRun] = []
        for _ in 0..<(try reader.array()) {
            let start = reader.offset
            let parts = try reader.array()
            guard parts == 1 || parts == 2 else { throw CBORError(.outOfRange, at: start) }
            let count = Int(try reader.unsigned(as: UInt32.self))
            runs.append(CommitRun(count: count, hash: parts == 2 ? try hash(from: &reader) : nil))
        }
        return runs
    }

    private static func hash(from reader: inout CBORReader) throws(CBORError) -> [UInt8] {
        let start = reader.offset
        let hash = try reader.byteArray()
        guard hash.count == SHA256.byteCount else { throw CBORError(.outOfRange, at: start) }
        return hash
    }

    // MARK: Log lines

    package static func encode(_ line: LogLine, into writer: inout CBORWriter) {
        writer.checked { write(line, to: &$0) }
    }

    private static func write(_ line: LogLine, to writer: inout CBORWriter) {
        writer.map(5)
        writer.key(1)
        writer.integer(line.step)
        writer.key(2)
        writer.integer(line.attempt)
        writer.key(3)
        writer.integer(line.time.milliseconds)
        writer.key(4)
        writer.unsigned(line.level.rawValue)
        writer.key(5)
        writer.text(line.text)
    }

    package static func logLine(
        of task: TaskID, at position: LogLinePosition, from bytes: UnsafeRawBufferPointer
    ) throws(LogError) -> LogLine {
        do throws(CBORError) {
            var reader = try CBORReader(checked: bytes)
            var line = LogLine(
                task: task, step: 0, attempt: 0, lease: position.lease, number: position.number, time: .zero,
                level: .info, text: "")
            var seen = KeySet()
            var keys = try reader.map()
            while let key = try reader.key(&keys) {
                seen.insert(key)
                switch key {
                case 1: line.step = Int(try reader.integer())
                case 2: line.attempt = Int(try reader.integer())
                case 3: line.time = try reader.timestamp()
                case 4: line.level = try reader.enumeration()
                case 5: line.text = try reader.text()
                default: try reader.skip()
                }
            }
            try reader.end()
            try seen.require([1, 2, 3, 4, 5], at: reader.offset)
            return line
        } catch {
            throw .corrupt("a log line of task \(task): \(error)", at: nil)
        }
    }
}
