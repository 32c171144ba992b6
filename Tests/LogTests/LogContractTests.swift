import StepwellModel
import Testing

@testable import StepwellLog

/// What every log does, whatever keeps it.
@Suite("every log")
struct LogContractTests {
    enum Kind: CaseIterable {
        case memory, lmdb

        func make(in directory: TemporaryDirectory) throws(LogError) -> any EventLog {
            switch self {
            case .memory: MemoryLog()
            // The least map, so that growing is part of every test.
            case .lmdb: try LMDBLog(path: directory.store, mapSize: 64 << 10)
            }
        }
    }

    let directory = TemporaryDirectory()
    let one = TaskID.numbered(1)
    let two = TaskID.numbered(2)

    @Test("begins empty", arguments: Kind.allCases)
    func empty(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        #expect(log.head == .empty)
        #expect(try log.currentHead() == .empty)
        #expect(try log.allEvents().isEmpty)
        #expect(try log.openTasks().isEmpty)
        #expect(try log.event(SequenceNumber(1)) == nil)
        #expect(try log.task(one) == nil)
        #expect(try log.allEvents(of: one).isEmpty)
        #expect(try log.snapshot(of: one) == nil)
        #expect(try log.template(TemplateDigest(SHA256.hash([]))) == nil)
        #expect(try log.template(TemplateDigest([])) == nil)
        #expect(try log.tasks(matching: TaskFilter(), limit: 10).isEmpty)
        #expect(try log.tasks(idPrefix: "", limit: 10).isEmpty)
        #expect(try log.task(namespace: "", name: "", key: "") == nil)
        #expect(try log.allLines(of: one).isEmpty)
        try log.append(LogBatch())
        #expect(log.head == .empty)
    }

    @Test("keeps the limits that are in force, and how far they are used", arguments: Kind.allCases)
    func limits(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        func row(_ number: UInt64, _ level: Int64? = nil) -> LimitRow {
            LimitRow(
                number: SequenceNumber(number),
                bucket: level.map { TokenBucket(level: $0, time: Timestamp(milliseconds: 1_700_000_000_000)) })
        }
        #expect(try log.limits().isEmpty)
        for (rows, gone) in [([row(300, 5), row(2, -7)], []), ([row(300, 4), row(40)], [SequenceNumber(2)])] {
            var batch = LogBatch()
            (batch.limits, batch.limitsGone) = (rows, gone)
            batch.events = [
                EventRecord(
                    number: log.head.number.next, task: nil, taskNumber: 0, previous: .zero, time: log.head.time,
                    actor: .engine, cause: .zero, event: .engineStopped)
            ]
            try log.append(batch)
        }
        #expect(try log.limits() == [row(40), row(300, 4)])
    }

    @Test("gives back every event as it was appended, in one batch or many", arguments: Kind.allCases)
    func events(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var generator = SeededGenerator(seed: 1)
        var story = Story()
        story.add(.engineStarted(EngineStart(version: "1", processID: 7, host: "here")), actor: .engine)
        for round in 0..<40 {
            for type in EventType.allCases {
                story.add(generator.event(type), task: [one, two, nil].randomElement(using: &generator)!)
            }
            if round % 3 == 0 { try log.append(story.take()) }
        }
        try log.append(story.take())
        #expect(try log.allEvents() == story.events)
        #expect(try log.allEvents(after: SequenceNumber(1000)) == Array(story.events.dropFirst(1000)))
        #expect(try log.allEvents(after: log.head.number).isEmpty)
        #expect(try log.event(SequenceNumber(77)) == story.events[76])
        #expect(try log.event(log.head.number.next) == nil)
        #expect(try log.event(.zero) == nil)
        #expect(log.head.number == story.events.last?.number)
        #expect(log.head.time == story.events.last?.time)
        for task in [one, two] {
            let ofTask = story.events.filter { $0.task == task }
            #expect(try log.allEvents(of: task) == ofTask)
            let middle = ofTask[ofTask.count / 2].number
            #expect(try log.allEvents(of: task, after: middle) == ofTask.filter { $0.number > middle })
            #expect(try log.allEvents(of: task, after: ofTask.last!.number).isEmpty)
        }
    }

    @Test("stops reading when told to, also by an error", arguments: Kind.allCases)
    func stopping(_ kind: Kind) throws {
        struct Enough: Error {}
        let log = try kind.make(in: directory)
        var story = Story()
        for index in 0..<2000 { story.add(.stepCompleted(index), task: one) }
        try log.append(story.take())
        var seen = 0
        try log.events(after: .zero, payloads: .skipped) { _ in
            seen += 1
            return seen < 1500
        }
        #expect(seen == 1500)
        #expect(throws: Enough.self) {
            try log.events(of: one, after: .zero, payloads: .skipped) { record in
                if record.number == SequenceNumber(700) { throw Enough() }
            }
        }
    }

    @Test("may be appended to and asked while it is read", arguments: Kind.allCases)
    func reentrancy(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var story = Story()
        for index in 0..<10 { story.add(.stepCompleted(index), task: one) }
        try log.append(story.take())
        var seen = 0
        try log.events(after: .zero, payloads: .included) { record in
            seen += 1
            #expect(try log.event(record.number) == record)
            if seen <= 10 {
                story.add(.stepReset(seen), task: one)
                try log.append(story.take())
            }
            return true
        }
        // What was appended meanwhile may be seen or not, but in order and once.
        #expect(seen >= 10 && seen <= 20)
        #expect(try log.allEvents(of: one).count == 20)
    }

    @Test("refuses a batch that does not follow, and is as before", arguments: Kind.allCases)
    func unexpectedHead(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var story = Story()
        story.add(.taskWaiting, task: one)
        story.add(.taskWaiting, task: one)
        let first = story.take()
        try log.append(first)
        let head = log.head

        #expect(throws: LogError.unexpectedHead(expected: .zero, found: SequenceNumber(2))) { try log.append(first) }
        story.add(.taskWaiting, task: one)
        _ = story.take()
        story.add(.taskWaiting, task: one)
        let gap = story.take()
        #expect(throws: LogError.unexpectedHead(expected: SequenceNumber(3), found: SequenceNumber(2))) {
            try log.append(gap)
        }
        var early = LogBatch()
        var record = first.events[0]
        record.number = SequenceNumber(3)
        record.time = Timestamp(milliseconds: 1)
        early.events = [record]
        #expect(throws: LogError.self) { try log.append(early) }
        #expect(log.head == head)
        #expect(try log.allEvents().count == 2)

        record.time = first.events[1].time
        early.events = [record]
        try log.append(early)
        #expect(log.head.number == SequenceNumber(3))
    }

    @Test("knows the open tasks, in the order of their ids", arguments: Kind.allCases)
    func openTasks(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var story = Story()
        for number in [5, 3, 9, 1] as [UInt64] { story.submit(.numbered(number)) }
        try log.append(story.take())
        #expect(try log.openTasks().map(\.id) == [1, 3, 5, 9].map { TaskID.numbered($0) })

        story.set(.numbered(3), .complete)
        story.set(.numbered(5), .blockedByFailures)
        // Submitted and closed within one batch: never open on disk.
        story.submit(.numbered(4))
        story.snapshot(.numbered(4), [1])
        story.set(.numbered(4), .cancelled)
        try log.append(story.take())
        #expect(try log.openTasks().map(\.id) == [1, 5, 9].map { TaskID.numbered($0) })
        #expect(try log.openTasks().first { $0.id == .numbered(5) }?.state == .blockedByFailures)
        #expect(try log.task(.numbered(3)) == story.tasks[.numbered(3)])
        #expect(try log.snapshot(of: .numbered(4)) == nil)
    }

    @Test("finds the newest task with a key", arguments: Kind.allCases)
    func keys(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var story = Story()
        story.submit(one, namespace: "a", name: "b", key: "c")
        try log.append(story.take())
        #expect(try log.task(namespace: "a", name: "b", key: "c") == one)
        // The parts have lengths of their own: no other split of the same letters is the same key.
        #expect(try log.task(namespace: "ab", name: "", key: "c") == nil)
        #expect(try log.task(namespace: "", name: "ab", key: "c") == nil)

        story.submit(two, namespace: "a", name: "b", key: "c")
        try log.append(story.take())
        #expect(try log.task(namespace: "a", name: "b", key: "c") == two)
        story.set(one, .complete)
        try log.append(story.take())
        #expect(try log.task(namespace: "a", name: "b", key: "c") == two)
    }

    @Test("lists tasks by namespace, name and state, newest first", arguments: Kind.allCases)
    func filters(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var generator = SeededGenerator(seed: 3)
        var story = Story()
        let names = ["a", "ab", "b", "", String(repeating: "n", count: 300), "nul\u{0}", "\u{1}x", "é"]
        for number in 0..<300 {
            let id = TaskID.numbered(generator.next())
            story.submit(
                id, namespace: names.randomElement(using: &generator)!, name: names.randomElement(using: &generator)!)
            if number % 7 == 0 { story.advance(1) }
            if number % 50 == 0 { try log.append(story.take()) }
        }
        try log.append(story.take())
        for id in story.tasks.keys.sorted() where generator.bool() {
            story.set(id, TaskState.allCases.randomElement(using: &generator)!)
        }
        try log.append(story.take())

        let newest = story.tasks.values.sorted { ($0.submitted, $0.id) > ($1.submitted, $1.id) }
        for namespace in names.map(Optional.some) + [nil] {
            for name in names.map(Optional.some) + [nil, "absent"] {
                for state in [nil, .pending, .complete, .paused] as [TaskState?] {
                    let filter = TaskFilter(namespace: namespace, name: name, state: state)
                    let expected = newest.filter { task in
                        (namespace ?? task.namespace) == task.namespace && (name ?? task.name) == task.name
                            && (state ?? task.state) == task.state
                    }
                    #expect(try log.tasks(matching: filter, limit: 1000) == expected)
                    #expect(try log.tasks(matching: filter, limit: 3) == Array(expected.prefix(3)))
                }
            }
        }
        #expect(try log.tasks(matching: TaskFilter(), limit: 0).isEmpty)
    }

    @Test("finds tasks by the beginning of their ids", arguments: Kind.allCases)
    func prefixes(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var generator = SeededGenerator(seed: 4)
        var story = Story()
        for _ in 0..<200 { story.submit(TaskID(high: generator.next() & 0x0F0F_FFFF_FFFF_FFFF, low: generator.next())) }
        try log.append(story.take())
        let ids = story.tasks.keys.sorted()
        for id in ids.prefix(20) {
            for count in [0, 1, 2, 7, 8, 9, 13, 36] {
                let prefix = String(id.description.prefix(count))
                let expected = ids.filter { $0.description.hasPrefix(prefix) }
                #expect(try log.tasks(idPrefix: prefix, limit: 1000).map(\.id) == expected)
                #expect(try log.tasks(idPrefix: prefix.uppercased(), limit: 2).map(\.id) == Array(expected.prefix(2)))
            }
        }
        #expect(try log.tasks(idPrefix: "xyz", limit: 10).isEmpty)
        #expect(try log.tasks(idPrefix: String(repeating: "0", count: 33), limit: 10).isEmpty)
    }

    @Test("keeps a task's newest snapshot until the task closes", arguments: Kind.allCases)
    func snapshots(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var story = Story()
        story.submit(one)
        story.snapshot(one, [])
        try log.append(story.take())
        #expect(try log.snapshot(of: one) == TaskSnapshotBytes(task: one, number: SequenceNumber(1), bytes: []))
        story.add(.stepCompleted(0), task: one)
        story.snapshot(one, [UInt8](repeating: 7, count: 100_000))
        try log.append(story.take())
        let snapshot = try log.snapshot(of: one)
        #expect(snapshot?.number == SequenceNumber(2))
        #expect(snapshot?.bytes.count == 100_000)
        story.add(.taskCompleted, task: one)
        story.set(one, .complete)
        try log.append(story.take())
        #expect(try log.snapshot(of: one) == nil)
    }

    @Test("keeps log lines by lease and number, also without any event", arguments: Kind.allCases)
    func logLines(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var story = Story()
        story.submit(one)
        try log.append(story.take())
        let head = log.head
        for number in 0..<1200 as Range<UInt32> { story.log(one, lease: 20, number, "b\(number)") }
        story.log(two, lease: 3, 0, "other")
        try log.append(story.take())
        story.log(one, lease: 3, 1, "a1")
        story.log(one, lease: 3, 0, "a0")
        story.log(one, lease: 1 << 40, 0, "c0")
        try log.append(story.take())
        #expect(log.head == head)
        let expected = ["a0", "a1"] + (0..<1200).map { "b\($0)" } + ["c0"]
        #expect(try log.allLines(of: one) == expected)
        #expect(
            try log.allLines(of: one, after: LogLinePosition(lease: Lease(20), number: 1100))
                == Array(expected.suffix(100)))
        #expect(try log.allLines(of: one, after: LogLinePosition(lease: Lease(4), number: 0)).first == "b0")
        #expect(try log.allLines(of: two) == ["other"])
        var first: LogLine?
        try log.logLines(of: one, after: nil) { line in
            first = line
            return false
        }
        #expect(first?.lease == Lease(3))
        #expect(first?.level == .info)
    }

    @Test("keeps templates under their digests, once", arguments: Kind.allCases)
    func templates(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var generator = SeededGenerator(seed: 6)
        var story = Story()
        let template = generator.template()
        let digest = story.add(template)
        story.submit(one)
        try log.append(story.take())
        #expect(try log.template(digest) == template)
        #expect(story.add(template) == digest)
        story.submit(two)
        try log.append(story.take())
        #expect(try log.template(digest) == template)
    }

    @Test("follows a task of many events without recursion", arguments: Kind.allCases)
    func longTask(_ kind: Kind) throws {
        let log = try kind.make(in: directory)
        var story = Story()
        story.submit(one)
        for index in 0..<100_000 { story.add(.stepCompleted(index), task: index % 10 == 0 ? two : one) }
        try log.append(story.take())
        var last = SequenceNumber.zero
        var count = 0
        try log.events(of: one, after: .zero, payloads: .skipped) { record in
            #expect(record.previous == last)
            last = record.number
            count += 1
        }
        #expect(count == 90_001)
    }

    @Test("has the same head as the other logs after the same batches")
    func sameHash() throws {
        let logs = try Kind.allCases.map { try $0.make(in: directory) }
        var generator = SeededGenerator(seed: 8)
        var story = Story()
        for _ in 0..<20 {
            for type in EventType.allCases { story.add(generator.event(type), task: one) }
            let batch = story.take()
            for log in logs { try log.append(batch) }
            #expect(logs[0].head == logs[1].head)
        }
    }
}
