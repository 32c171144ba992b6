import StepwellLog
import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("a worker", .timeLimit(.minutes(2)))
struct WorkerConversationTests {
    @Test("joins with what its hello offers, and is welcomed with the limits")
    func hello() throws {
        var limits = Limits()
        limits.resultBytesMax = 1000
        limits.lineBytesMax = 2000
        let stage = WorkerStage(limits: limits)
        try stage.start(
            """
            send(type='hello', protocol=1, sdk='x 1', concurrency=3,
                 handlers=[{'name': 'a'}, {'name': 'b', 'version': '2.0', 'more': 1}], other=[1])
            say(json.dumps(receive()))
            receive()
            """)
        let join = try stage.host.join("python#1")
        #expect(join.kind == .process)
        #expect(join.slots == 3)
        #expect(
            join.handlers == [
                HandlerVersion(name: "a", version: "1.0.0"), HandlerVersion(name: "b", version: "2.0"),
            ])
        #expect(
            try stage.host.notice(with: "welcome")
                == #"python#1: {"type": "welcome", "protocol": 1, "worker": "python#1", "result_bytes_max": 1000, "#
                + #""line_bytes_max": 2000}"#)
        _ = try stage.host.notice(with: "ready: ready(worker: \"python#1\"")
    }

    @Test("is told everything about an attempt")
    func attempt() throws {
        var limits = Limits()
        limits.inlineBytesMax = 20
        let stage = WorkerStage(limits: limits)
        try stage.start("hello(); send(type='result', lease=100, result=receive()); receive()")
        var task = FakeTask(.callable("h"))
        task.steps = [
            StepTemplate(name: "far", handler: .callable("h")),
            StepTemplate(name: "near", handler: .callable("h"), dependencies: [0]),
            StepTemplate(name: "large", handler: .callable("h"), dependencies: [0]),
            StepTemplate(name: "manual", handler: .callable("h"), dependencies: [0]),
            StepTemplate(
                name: "work",
                handler: HandlerTemplate(
                    target: .callable("h", method: "go"), configuration: JSONText(["k": 1])),
                dependencies: [3, 1, 2]),
        ]
        task.input = JSONText(trusted: Array("{\n  \"day\": 1.50\r\n}".utf8))
        task.results = ["near": "[2.50]", "large": #""12345678901234567890""#]
        task.checkpoint = "[\n7]"
        try stage.run(on: try stage.host.join("python#1"), task, deadline: Timestamp(milliseconds: 5))
        let trace = TraceContext(task: FakeTask.id, event: SequenceNumber(100), parent: nil).traceparent
        let expected =
            #"{"type": "attempt", "lease": 100, "task_id": "\#(FakeTask.id)", "step_id": "\#(FakeTask.id.step(4))", "#
            + #""step": "work", "namespace": "tests", "task_name": "task", "task_version": "1.2.3", "attempt": 2, "#
            + #""max_attempts": 3, "idempotency_key": "\#(FakeTask.id):work", "deadline": 5, "handler": "h", "#
            + #""method": "go", "correlation_id": "correlation", "traceparent": "\#(trace)", "input": {"day": 1.5}, "config": {"k": 1}, "#
            + #""dependency_names": ["manual", "near", "large"], "dependencies": {"manual": null, "near": [2.5]}, "#
            + #""fetchable": ["large", "far"], "checkpoint": [7]}"#
        #expect(try stage.host.outcome(of: 100).result == expected)
    }

    @Test("has its result kept byte for byte, with the metadata beside it")
    func result() throws {
        let stage = WorkerStage()
        try stage.start(
            """
            hello(); receive()
            print('{"metadata":{"m":1.0},"type":"result","result": {"a" : 1.50,"b":[ ]} ,"lease":100}', flush=True)
            receive()
            """)
        try stage.run(on: try stage.host.join("python#1"))
        guard case .succeeded(let result, let metadata) = try stage.host.outcome(of: 100) else {
            Issue.record("no success")
            return
        }
        #expect(result.description == #"{"a" : 1.50,"b":[ ]}"#)
        #expect(metadata?.description == #"{"m":1.0}"#)
    }

    @Test("reports a failure with all that it knows, or with little")
    func failure() throws {
        let stage = WorkerStage()
        try stage.start(
            """
            hello(concurrency=2)
            send(type='failure', lease=receive()['lease'], message='no', error_type='t', error_code='c',
                 retryable=False, retry_after_ms=9, backtrace='b', metadata={'m': 1})
            send(type='failure', lease=receive()['lease'], message='why', error_code=None, metadata=None)
            receive()
            """)
        let join = try stage.host.join("python#1")
        try stage.run(100, on: join)
        try stage.run(101, on: join)
        #expect(
            try stage.host.outcome(of: 100).failure
                == Failure(
                    message: "no", errorType: "t", errorCode: "c", retryable: false, retryAfter: Milliseconds(9),
                    backtrace: "b", metadata: JSONText(trusted: Array(#"{"m": 1}"#.utf8))))
        #expect(try stage.host.outcome(of: 101).failure == Failure(message: "why"))
    }

    @Test("that reports too large a result has failed for good")
    func tooLarge() throws {
        var limits = Limits()
        limits.resultBytesMax = 10
        let stage = WorkerStage(limits: limits)
        try stage.start("hello(); receive(); send(type='result', lease=100, result='123456789'); receive()")
        try stage.run(on: try stage.host.join("python#1"))
        let failure = try stage.host.outcome(of: 100).failure
        #expect(failure?.errorType == "result_too_large")
        #expect(failure?.retryable == false)
    }

    @Test("that reports twice has both reported to the host, and hears that one was rejected")
    func duplicate() throws {
        let stage = WorkerStage()
        try stage.start(
            """
            hello(); receive()
            send(type='result', lease=100, result=1)
            send(type='failure', lease=100, message='again')
            say(json.dumps(receive()))
            receive()
            """)
        let join = try stage.host.join("python#1")
        try stage.run(on: join)
        #expect(try stage.host.outcome(of: 100, 1).result == "1")
        #expect(try stage.host.outcome(of: 100, 2).failure?.message == "again")
        stage.host.runner(join.worker)?.rejected(Lease(100), because: .duplicate)
        #expect(
            try stage.host.notice(with: "rejected")
                == #"python#1: {"type": "rejected", "lease": 100, "reason": "duplicate"}"#)
    }

    @Test("has its heartbeats and log lines passed on")
    func heartbeatAndLog() throws {
        var limits = Limits()
        limits.logLineBytesMax = 8
        let stage = WorkerStage(limits: limits)
        try stage.start(
            """
            hello(); receive()
            send(type='heartbeat', lease=100)
            send(type='heartbeat', lease=100, progress={'done': 0.5})
            send(type='log', lease=100, level='warning', text='hot')
            send(type='log', lease=100, text='1234567ä')
            print('to standard error', file=sys.stderr, flush=True)
            send(type='result', lease=100, result=None)
            send(type='log', lease=100, text='late')
            send(type='heartbeat', lease=100)
            say('end')
            receive()
            """)
        try stage.run(on: try stage.host.join("python#1"))
        _ = try stage.host.notice(with: "python#1: to stand…")
        _ = try stage.host.notice(with: "python#1: end")
        var heard: [String] = []
        for happening in stage.host.happenings {
            switch happening {
            case .heartbeat(Lease(100), let progress): heard.append("heartbeat \(progress?.description ?? "-")")
            case .logged(Lease(100), let level, let text): heard.append("\(level.name) \(text)")
            case .finished: heard.append("end")
            default: break
            }
        }
        #expect(
            heard == [
                "heartbeat -", #"heartbeat {"done": 0.5}"#, "warning hot", "info 1234567…", "end", "info late",
            ])
    }

    @Test("hears when a checkpoint is on disk, and why one was refused")
    func checkpoint() throws {
        var limits = Limits()
        limits.resultBytesMax = 20
        let script = """
            hello(); receive()
            send(type='checkpoint', lease=100, data={'at': 1})
            say(json.dumps(receive()))
            send(type='checkpoint', lease=100, data='x' * 30)
            say(json.dumps(receive()))
            send(type='result', lease=100, result=1)
            send(type='checkpoint', lease=100, data=2)
            say(json.dumps(receive()))
            receive()
            """
        let stage = WorkerStage(limits: limits)
        try stage.start(script)
        try stage.run(on: try stage.host.join("python#1"))
        _ = try stage.host.notice(with: #"{"type": "checkpointed", "lease": 100}"#)
        _ = try stage.host.notice(with: "the checkpoint is larger than the limit of 20 bytes")
        _ = try stage.host.notice(with: "the attempt has ended")
        let kept = stage.host.happenings.compactMap { happening -> String? in
            if case .checkpointed(Lease(100), let data) = happening { data.description } else { nil }
        }
        #expect(kept == [#"{"at": 1}"#])

        let refusing = WorkerStage(checkpointAnswer: .unknownLease(Lease(100)))
        try refusing.start(script)
        try refusing.run(on: try refusing.host.join("python#1"))
        _ = try refusing.host.notice(with: "the worker does not hold the lease")
    }

    @Test("can fetch the results of its ancestors")
    func fetch() throws {
        let stage = WorkerStage(results: [
            "far": .success(JSONText(trusted: Array("{\n\"a\": 1.0}".utf8))), "manual": .failure(.noResult("manual")),
        ])
        try stage.start(
            """
            hello(); receive()
            send(type='fetch', lease=100, id=7, step='far')
            say(sys.stdin.readline().strip())
            send(type='fetch', lease=100, id=8, step='manual')
            say(sys.stdin.readline().strip())
            send(type='fetch', lease=100, id=9, step='stranger')
            say(sys.stdin.readline().strip())
            receive()
            """)
        try stage.run(on: try stage.host.join("python#1"))
        _ = try stage.host.notice(with: #"{"type":"fetched","lease":100,"id":7,"result":{ "a": 1.0}}"#)
        _ = try stage.host.notice(with: #""id":8,"error":"'manual' has no result"#)
        _ = try stage.host.notice(with: #""id":9,"error":"'stranger' is no ancestor"#)
    }

    @Test("stops an attempt that it is told to stop")
    func cancel() throws {
        let stage = WorkerStage()
        try stage.start(
            """
            hello(concurrency=2); receive()
            say(json.dumps(receive()))
            send(type='stopped', lease=100)
            send(type='stopped', lease=100)
            receive()
            say(json.dumps(receive()))
            send(type='result', lease=101, result=1)
            send(type='stopped', lease=101)
            say('end')
            receive()
            """)
        let join = try stage.host.join("python#1")
        try stage.run(100, on: join)
        stage.host.runner(join.worker)?.stop(Lease(100), because: .timeout)
        _ = try stage.host.notice(with: #"{"type": "cancel", "lease": 100, "reason": "timeout"}"#)
        #expect(try stage.host.outcome(of: 100).isStopped)
        try stage.run(101, on: join)
        stage.host.runner(join.worker)?.stop(Lease(101), because: .cancelled)
        _ = try stage.host.notice(with: #"{"type": "cancel", "lease": 101, "reason": "cancelled"}"#)
        _ = try stage.host.notice(with: "end")
        #expect(try stage.host.outcome(of: 101).result == "1")
        // Neither the second answer nor a stop of what has ended does anything.
        stage.host.runner(join.worker)?.stop(Lease(100), because: .shutdown)
        stage.context.reactor.advance(by: .seconds(5))
        stage.context.reactor.settle()
        let ends = stage.host.happenings.filter { happening in
            switch happening {
            case .finished, .left: true
            default: false
            }
        }
        #expect(ends.count == 2)
    }

    @Test("may send thousands of messages in one breath and messages of megabytes")
    func muchAtOnce() throws {
        let stage = WorkerStage()
        try stage.start(
            """
            hello(concurrency=1000)
            big = len(receive()['input']['big'])
            leases = [receive()['lease'] for i in range(500)]
            out = sys.stdout
            for i in range(5000):
                out.write(json.dumps({'type': 'heartbeat', 'lease': leases[0], 'progress': i}) + '\\n')
            for lease in leases:
                out.write(json.dumps({'type': 'result', 'lease': lease, 'result': lease}) + '\\n')
            out.write(json.dumps({'type': 'result', 'lease': 100, 'result': 'r' * big * 2}) + '\\n')
            out.flush()
            receive()
            """)
        let join = try stage.host.join("python#1")
        var task = FakeTask(.callable("h"))
        task.input = JSONText(["big": .string(String(repeating: "b", count: 5 << 20))])
        try stage.run(100, on: join, task)
        for lease: UInt64 in 101...600 { try stage.run(lease, on: join) }
        #expect(try stage.host.outcome(of: 100).result?.utf8.count == 10 << 20 + 2)
        for lease: UInt64 in 101...600 { #expect(try stage.host.outcome(of: lease).result == "\(lease)") }
        let beats = stage.host.happenings.count { happening in
            if case .heartbeat = happening { true } else { false }
        }
        #expect(beats == 5000)
    }
}
