import StepwellModel
import Testing

@testable import StepwellLog

@Suite("Tasks of a store by what a person knows of them")
struct TaskLookupTests {
    let directory = TemporaryDirectory()

    @Test("finds the newest task with a key of each name, in whatever state")
    func keyOfAnyName() throws {
        let log = try LMDBLog(path: directory.store)
        let long = String(repeating: "ü", count: 300)
        var story = Story()
        let names = [("a", "x"), ("a", "y"), ("b", "x"), ("", ""), (long, long), ("b", "x"), ("a", "other")]
        for (number, (namespace, name)) in names.enumerated() {
            let state = TaskState.allCases[number % TaskState.allCases.count]
            story.submit(
                .numbered(UInt64(number)), namespace: namespace, name: name, key: name == "other" ? "l" : "k",
                state: state)
            story.submit(.numbered(UInt64(number + 100)), namespace: namespace, name: name, state: state)
            story.advance(1)
        }
        try log.append(story.take())
        #expect(try log.tasks(key: "k").map(\.id) == [5, 4, 3, 1, 0].map { .numbered($0) })
        #expect(try log.tasks(key: "l").map(\.id) == [.numbered(6)])
        #expect(try log.tasks(key: "").isEmpty)
        #expect(try log.tasks(key: "K").isEmpty)
    }

    @Test("finds a task's forks among the newest tasks of its name")
    func forks() throws {
        let log = try LMDBLog(path: directory.store)
        var story = Story()
        story.submit(.numbered(1))
        // Forks are of the same millisecond, of later ones, of another task, and of another name, which is not looked through.
        let forks: [(number: UInt64, origin: UInt64?, name: String)] = [
            (2, 1, "work"), (3, nil, "work"), (4, 2, "work"), (5, 1, "work"), (6, 1, "other"), (7, 1, "work"),
            (8, nil, "work"),
        ]
        for fork in forks {
            story.submit(.numbered(fork.number), name: fork.name, state: fork.number % 2 == 0 ? .complete : .pending)
            story.fork(.numbered(fork.number), of: fork.origin.map { .numbered($0) })
            story.advance(fork.number > 2 ? 1 : 0)
        }
        try log.append(story.take())
        let origin = try #require(try log.task(.numbered(1)))
        #expect(try log.forks(of: origin, among: 100) == [7, 5, 2].map { .numbered($0) })
        #expect(try log.forks(of: origin, among: 4) == [7, 5].map { .numbered($0) })
        #expect(try log.forks(of: origin, among: 0).isEmpty)
        #expect(try log.forks(of: try #require(try log.task(.numbered(2))), among: 100) == [.numbered(4)])
        #expect(try log.forks(of: try #require(try log.task(.numbered(3))), among: 100).isEmpty)
    }
}
