import Glibc
import StepwellLog
import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("the standard input of a command", .timeLimit(.minutes(2)))
struct CommandInputTests {
    /// `work` needs `left` and `right`, which need `root`; `left` was resolved by hand.
    private var diamond: FakeTask {
        var task = FakeTask(command: "cat")
        task.steps = [
            StepTemplate(name: "root", handler: .callable("h")),
            StepTemplate(name: "left", handler: .callable("h"), dependencies: [0]),
            StepTemplate(name: "right", handler: .callable("h"), dependencies: [0]),
            StepTemplate(
                name: "work",
                handler: HandlerTemplate(
                    target: .command(["cat"]), configuration: JSONText(trusted: Array(#"{"k": 1.0}"#.utf8))),
                dependencies: [2, 1]),
        ]
        task.results = ["right": #"{"r": 2.50}"#]
        task.input = JSONText(trusted: Array(#"{"day": "2026-11-24"}"#.utf8))
        return task
    }

    @Test("is one document with everything about the attempt and the results of all ancestors")
    func document() throws {
        let stage = CommandStage(results: ["root": .success(JSONText(["rows": 3]))])
        var task = diamond
        task.checkpoint = #"{"page": 7}"#
        stage.runner.run(task.assignment(deadline: Timestamp(milliseconds: 99)))
        let trace = TraceContext(task: FakeTask.id, event: SequenceNumber(100), parent: nil).traceparent
        let expected =
            #"{"task_id":"\#(FakeTask.id)","step_id":"\#(FakeTask.id.step(3))","step":"work","namespace":"tests","#
            + #""task_name":"task","task_version":"1.2.3","attempt":2,"max_attempts":3,"#
            + #""idempotency_key":"\#(FakeTask.id):work","deadline":99,"correlation_id":"correlation","#
            + #""traceparent":"\#(trace)","#
            + #""input":{"day": "2026-11-24"},"config":{"k": 1.0},"dependency_names":["right","left"],"#
            + #""checkpoint":{"page": 7},"dependencies":{"right":{"r": 2.50},"left":null,"root":{"rows":3}}}"#
        #expect(try stage.host.outcome(of: 100).result == expected)
    }

    @Test("has neither a checkpoint nor a deadline when there is none")
    func without() throws {
        let result = try CommandStage().outcome(FakeTask(command: "cat")).result
        #expect(result?.contains("checkpoint") == false)
        #expect(result?.contains(#""deadline":null"#) == true)
        #expect(result?.hasSuffix(#""dependencies":{}}"#) == true)
    }

    @Test("an ancestor's result that cannot be read fails the attempt")
    func unreadable() throws {
        let broken = FetchError.log(.corrupt("bits", at: nil))
        let failure = try CommandStage(results: ["root": .failure(broken)]).outcome(diamond).failure
        #expect(failure?.message.contains("the result of 'root' cannot be read") == true)
        #expect(failure?.retryable == true)
    }

    @Test("may be closed early, with much of it unread")
    func closedEarly() throws {
        var task = FakeTask(shell: "head -c 10 >/dev/null; exec <&-; echo '\"enough\"'")
        task.input = JSONText(["big": .string(String(repeating: "x", count: 8 << 20))])
        #expect(try CommandStage().outcome(task).result == "\"enough\"")
    }

    @Test("and the standard output may be huge")
    func huge() throws {
        let script = "import json,sys; d = json.load(sys.stdin); json.dump(d['input']['big'] * 2, sys.stdout)"
        var task = FakeTask(command: "python3", "-c", script)
        task.input = JSONText(["big": .string(String(repeating: "y", count: 6 << 20))])
        #expect(try CommandStage().outcome(task).result?.utf8.count == 12 << 20 + 2)
    }

    @Test("is read for the command only as fast as the command takes it")
    func backpressure() throws {
        let count = 200
        var task = FakeTask(shell: "sleep 1000 >/dev/null 2>&1 & echo $! >&2; wait; wc -c")
        let work = task.steps[0]
        task.steps = (0..<count).map { place in
            StepTemplate(name: "s\(place)", handler: .callable("h"), dependencies: place == 0 ? [] : [place - 1])
        }
        task.steps.append(
            StepTemplate(name: "work", handler: work.handler, dependencies: [count - 1]))
        task.results = ["s\(count - 1)": "1"]
        let big = JSONText(.string(String(repeating: "z", count: 100_000)))
        let results = (0..<count - 1).map { ("s\($0)", Result<JSONText, FetchError>.success(big)) }
        let stage = CommandStage(results: Dictionary(uniqueKeysWithValues: results))
        stage.runner.run(task.assignment())
        let sleeper = try #require(WatchedProcess(try stage.processes()[0]))
        stage.context.reactor.settle()
        var asked: Int {
            stage.host.happenings.count { happening in
                if case .asked = happening { true } else { false }
            }
        }
        #expect(asked < 20)
        sleeper.signal(SIGKILL)
        let written = Int(try stage.host.outcome(of: 100).result ?? "") ?? 0
        #expect(written > (count - 1) * 100_000)
        #expect(asked == count - 1)
    }
}
