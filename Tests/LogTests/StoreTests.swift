import CLMDB
import Foundation
import Glibc
import StepwellModel
import Testing

@testable import StepwellLog

/// A store as a directory: made, opened again, refused.
struct StoreTests {
    let directory = TemporaryDirectory()
    let one = TaskID.numbered(1)
    let two = TaskID.numbered(2)

    @Test("a store that is opened again is as it was left")
    func reopening() throws {
        var story = Story()
        var generator = SeededGenerator(seed: 1)
        let template = generator.template()
        let digest = story.add(template)
        story.submit(one, namespace: "a", name: "b", key: "c")
        story.snapshot(one, [1, 2, 3])
        story.log(one, lease: 1, 0, "hello")
        let head = try {
            let log = try LMDBLog(path: directory.store)
            try log.append(story.take())
            return log.head
        }()

        let log = try LMDBLog(path: directory.store)
        #expect(log.head == head)
        #expect(log.head.number == SequenceNumber(1))
        #expect(try log.allEvents() == story.events)
        #expect(try log.template(digest) == template)
        #expect(try log.snapshot(of: one)?.bytes == [1, 2, 3])
        #expect(try log.allLines(of: one) == ["hello"])
        #expect(try log.openTasks().map(\.id) == [one])
        #expect(try log.task(namespace: "a", name: "b", key: "c") == one)
        story.add(.taskWaiting, task: one)
        try log.append(story.take())
        #expect(try log.allEvents() == story.events)
    }

    @Test("directories above the store are made too")
    func deepPath() throws {
        let path = directory.path + "/a/b/c"
        _ = try LMDBLog(path: path)
        #expect(FileManager.default.fileExists(atPath: path + "/data.mdb"))
    }

    @Test("what a crash leaves of a store that was being made is taken for a new one")
    func unfinished() throws {
        try FileManager.default.createDirectory(atPath: directory.store, withIntermediateDirectories: true)
        try Data().write(to: URL(fileURLWithPath: directory.data))
        #expect(throws: LogError.self) { try LMDBReader(path: directory.store) }
        #expect(try LMDBLog(path: directory.store).head == .empty)
    }

    @Test("a second engine is refused with the id of the first, here and in another process")
    func locking() async throws {
        let log = try LMDBLog(path: directory.store)
        let owner = Int(getpid())
        #expect(throws: LogError.locked(path: directory.store, owner: owner)) { try LMDBLog(path: directory.store) }
        let store = directory.store
        await #expect(processExitsWith: .success) { [store = store as String, owner = owner as Int] in
            do {
                _ = try LMDBLog(path: store)
            } catch LogError.locked(store, owner) {
                exit(0)
            }
            exit(1)
        }
        _ = log.head
    }

    @Test("an engine that ends without a word leaves no lock behind")
    func deadOwner() async throws {
        let store = directory.store
        await #expect(processExitsWith: .signal(SIGKILL)) { [store = store as String] in
            let log = try LMDBLog(path: store)
            var story = Story()
            story.submit(.numbered(1))
            try log.append(story.take())
            kill(getpid(), SIGKILL)
        }
        #expect(try LMDBLog(path: store).head.number == SequenceNumber(1))
    }

    @Test("a reader in the writer's process shares what is open, and outlives the writer")
    func sharing() throws {
        var log: LMDBLog? = try LMDBLog(path: directory.store)
        let reader = try LMDBReader(path: directory.store)
        var story = Story()
        story.submit(one)
        try log?.append(story.take())
        #expect(try reader.allEvents() == story.events)
        #expect(try reader.currentHead() == log?.head)
        log = nil
        #expect(try reader.allEvents() == story.events)
        // LMDB forbids to open it twice: the next writer shares what is open as well.
        let next = try LMDBLog(path: directory.store)
        story.submit(two)
        try next.append(story.take())
        #expect(try reader.allEvents() == story.events)
        #expect(try reader.currentHead() == next.head)
    }

    @Test("a writer that gives the store back can be read, writes no more, and makes room for another")
    func givingBack() throws {
        let first = try LMDBLog(path: directory.store)
        var story = Story()
        story.submit(one)
        try first.append(story.take())
        #expect(code { _ = try LMDBLog(path: directory.store) } == "store_locked")
        first.endWriting()
        let second = try LMDBLog(path: directory.store)
        #expect(second.head == first.head)
        story.submit(two)
        let batch = story.take()
        #expect(code { try first.append(batch) } == "store_not_writable")
        try second.append(batch)
        #expect(try first.allEvents() == story.events)
    }

    @Test("an engine's lock goes with its end, also while a child that is being started shares it")
    func lockOfAChild() throws {
        let store = StoreDirectory(path: directory.store)
        try store.create()
        // As after a fork: another descriptor of the same open file.
        let copy = try dup(EngineLock(store).descriptor)
        defer { close(copy) }
        _ = try EngineLock(store)
    }

    @Test("a store that this process has open for reading alone cannot be opened for writing")
    func readingAlone() throws {
        do { _ = try LMDBLog(path: directory.store) }
        let reader = try LMDBReader(path: directory.store)
        #expect(code { _ = try LMDBLog(path: directory.store) } == "store_not_writable")
        #expect(try reader.currentHead() == .empty)
    }

    @Test("what is no store is refused, and stays as it is")
    func refusing() throws {
        let reader: (String) throws -> Void = { _ = try LMDBReader(path: $0) }
        let writer: (String) throws -> Void = { _ = try LMDBLog(path: $0) }
        let missing = directory.path + "/missing"
        #expect(throws: LogError.notFound(path: missing)) { try reader(missing) }
        #expect(!FileManager.default.fileExists(atPath: missing))
        // Nothing, or what an engine leaves that died before it had made its store, is no store yet.
        #expect(code { try reader(directory.path) } == "store_not_found")
        try Data().write(to: URL(fileURLWithPath: directory.path + "/engine.lock"))
        #expect(code { try reader(directory.path) } == "store_not_found")

        let file = directory.path + "/file"
        try Data("text".utf8).write(to: URL(fileURLWithPath: file))
        #expect(code { try reader(directory.path) } == "not_a_store")
        #expect(code { try reader(file) } == "not_a_store")
        #expect(code { try writer(file) } == "not_a_store")

        var generator = SeededGenerator(seed: 2)
        for count in [1, 100, 4096, 8192, 100_000] {
            let store = directory.path + "/garbage\(count)"
            let garbage = Data((0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) })
            try FileManager.default.createDirectory(atPath: store, withIntermediateDirectories: true)
            try garbage.write(to: URL(fileURLWithPath: store + "/data.mdb"))
            #expect(code { try reader(store) } == "not_a_store")
            #expect(code { try writer(store) } == "not_a_store")
            #expect(FileManager.default.contents(atPath: store + "/data.mdb") == garbage)
        }
    }

    @Test("a store whose first page is all that was made is none yet, and the next writer makes it whole")
    func unmade() throws {
        try FileManager.default.createDirectory(atPath: directory.store, withIntermediateDirectories: true)
        var environment: OpaquePointer?
        #expect(mdb_env_create(&environment) == MDB_SUCCESS)
        #expect(mdb_env_open(environment, directory.store, 0, 0o644) == MDB_SUCCESS)
        mdb_env_close(environment)
        #expect(code { _ = try LMDBReader(path: directory.store) } == "store_not_found")
        do { #expect(try LMDBLog(path: directory.store).head == .empty) }
        #expect(try LMDBReader(path: directory.store).currentHead() == .empty)
    }

    @Test("what a crash leaves of a store that was being made is made anew")
    func draft() throws {
        try FileManager.default.createDirectory(atPath: directory.store, withIntermediateDirectories: true)
        for garbage in [0, 100, 4096, 8192, 16384] {
            try Data(repeating: 7, count: garbage).write(to: URL(fileURLWithPath: directory.store + "/data.new"))
            #expect(code { _ = try LMDBReader(path: directory.store) } == "store_not_found")
            do { #expect(try LMDBLog(path: directory.store).head == .empty) }
            #expect(try LMDBReader(path: directory.store).currentHead() == .empty)
            #expect(!FileManager.default.fileExists(atPath: directory.store + "/data.new"))
            try FileManager.default.removeItem(atPath: directory.data)
        }
    }

    @Test("a lock that a dead engine's child still has for a moment is waited for")
    func deadOwner() throws {
        try FileManager.default.createDirectory(atPath: directory.store, withIntermediateDirectories: true)
        let descriptor = open(directory.store + "/engine.lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        #expect(flock(descriptor, LOCK_EX) == 0)
        // No process has a number so high.
        #expect(pwrite(descriptor, "99999999\n", 9, 0) == 9)
        let thread = Thread {
            usleep(20_000)
            close(descriptor)
        }
        thread.start()
        #expect(try LMDBLog(path: directory.store).head == .empty)
    }

    @Test("a copy of a store has its id, and is known to be at another place")
    func copies() throws {
        let log = try LMDBLog(path: directory.store)
        try FileManager.default.copyItem(atPath: directory.store, toPath: directory.path + "/copy")
        let copy = try LMDBLog(path: directory.path + "/copy")
        #expect(try log.storeID() == copy.storeID())
        #expect(try log.placedID() != copy.placedID())
        #expect(try log.placedID() == log.placedID())
    }

    @Test("a store of another format is refused by its number")
    func otherFormat() throws {
        do {
            let log = try LMDBLog(path: directory.store)
            try log.environment.write(size: 0) { transaction in
                try Array("format".utf8).withUnsafeBytes { key in
                    try [UInt8(7)].withUnsafeBytes { try transaction.put(log.environment.tables.meta, key, $0) }
                }
            }
        }
        let expected = LogError.otherFormat(path: directory.store, found: 7, supported: 2)
        #expect(throws: expected) { try LMDBLog(path: directory.store) }
        #expect(throws: expected) { try LMDBReader(path: directory.store) }
    }

    @Test("a place that cannot be written is refused as such")
    func readOnly() throws {
        // Not even root makes a directory there.
        #expect(code { _ = try LMDBLog(path: "/proc/stepwell/store") } == "store_not_writable")
    }

    @Test("no descriptor of the store is inherited by the commands that an engine starts")
    func closeOnExec() throws {
        let log = try LMDBLog(path: directory.store)
        var count = 0
        for name in try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd") {
            guard let descriptor = Int32(name),
                let target = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\(name)"),
                target.hasPrefix(directory.store)
            else { continue }
            count += 1
            #expect(fcntl(descriptor, F_GETFD) & FD_CLOEXEC != 0, "\(target)")
        }
        #expect(count == 4)
        _ = log.head
    }

    private func code(_ body: () throws -> Void) -> String? {
        do {
            try body()
            return nil
        } catch {
            return (error as? LogError)?.code
        }
    }
}
