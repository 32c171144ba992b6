import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("a command", .timeLimit(.minutes(2)))
struct CommandTests {
    @Test("joins as one worker with its slots")
    func joins() throws {
        let stage = CommandStage()
        let join = try stage.host.join("commands")
        #expect(join.kind == .command)
        #expect(join.slots == 4)
        #expect(join.handlers.isEmpty)
    }

    @Test(
        "whose standard output is one JSON value has that as its result, byte for byte",
        arguments: [
            ("printf '{\"a\": 1.50}'", #"{"a": 1.50}"#),
            ("printf '\\n\\t [1,  2] \\n\\n'", "[1,  2]"),
            ("printf '\"x\"\\n'", "\"x\""),
            ("true", "null"),
            ("printf ' \\n'", "null"),
        ])
    func success(_ script: String, _ result: String) throws {
        #expect(try CommandStage().outcome(FakeTask(shell: script)).result == result)
    }

    @Test("that prints anything else fails for good, with the place and a cure")
    func notJSON() throws {
        let failure = try CommandStage().outcome(FakeTask(shell: "echo Hello, world")).failure
        #expect(failure?.errorType == "not_json")
        #expect(failure?.retryable == false)
        let message = failure?.message ?? ""
        #expect(message.contains("at byte 0 of 'Hello, world'"))
        #expect(message.contains("standard error"))
    }

    @Test("that ends with a status is tried again, and the message has its last words")
    func status() throws {
        let failure = try CommandStage().outcome(
            FakeTask(shell: "echo first >&2; echo 'no such table' >&2; echo >&2; exit 3")
        ).failure
        #expect(failure?.errorType == "exit_status")
        #expect(failure?.retryable == true)
        #expect(failure?.message == "the command ended with status 3: no such table")
        #expect(failure?.metadata?.description == #"{"exit_status":3}"#)
    }

    @Test("that ends with status 65 is not tried again")
    func permanentStatus() throws {
        let failure = try CommandStage().outcome(FakeTask(shell: "exit 65")).failure
        #expect(failure?.errorType == "exit_status")
        #expect(failure?.retryable == false)
    }

    @Test("can report a failure of its own")
    func reportedFailure() throws {
        let report =
            #"{"failure":{"message":"card refused","error_type":"declined","error_code":"E7","retryable":false,"#
            + #""retry_after_ms":1500,"backtrace":"here","metadata":{"card":4}}}"#
        let failure = try CommandStage().outcome(FakeTask(shell: "echo '\(report)'; exit 1")).failure
        #expect(
            failure
                == Failure(
                    message: "card refused", errorType: "declined", errorCode: "E7", retryable: false,
                    retryAfter: Milliseconds(1500), backtrace: "here",
                    metadata: JSONText(trusted: Array(#"{"card":4}"#.utf8))))
    }

    @Test("whose report says nothing of retries follows its status")
    func reportWithStatus() throws {
        let failure = try CommandStage().outcome(
            FakeTask(shell: #"echo '{"failure":{"message":"bad row"}}'; exit 65"#)
        ).failure
        #expect(failure?.message == "bad row")
        #expect(failure?.retryable == false)
        #expect(failure?.metadata?.description == #"{"exit_status":65}"#)
    }

    @Test("that is ended by a signal is tried again")
    func signal() throws {
        let failure = try CommandStage().outcome(FakeTask(shell: "kill -SEGV $$")).failure
        #expect(failure?.errorType == "signal")
        #expect(failure?.retryable == true)
        #expect(failure?.message == "the command was ended by signal 11 (SIGSEGV)")
        #expect(failure?.metadata?.description == #"{"signal":11,"signal_name":"SIGSEGV"}"#)
    }

    @Test("writes its log to standard error, repaired and cut")
    func log() throws {
        var limits = Limits()
        limits.logLineBytesMax = 10
        let stage = CommandStage(limits: limits)
        _ = try stage.outcome(FakeTask(shell: #"printf 'one\r\ntw\377o\n12345678ä9\nlast' >&2"#))
        let lines = stage.host.happenings.compactMap { happening -> String? in
            guard case .logged(Lease(100), .info, let text) = happening else { return nil }
            return text
        }
        #expect(lines == ["one", "tw\u{FFFD}o", "12345678ä…", "last"])
    }

    @Test("that writes more than a result may be is killed and fails for good")
    func tooLarge() throws {
        var limits = Limits()
        limits.resultBytesMax = 100_000
        let failure = try CommandStage(limits: limits).outcome(FakeTask(command: "yes")).failure
        #expect(failure?.errorType == "result_too_large")
        #expect(failure?.retryable == false)
        #expect(failure?.message.contains("100000 bytes") == true)
    }

    @Test("may have a result of exactly the limit, and a line's end after it")
    func exactlyTheLimit() throws {
        var limits = Limits()
        limits.resultBytesMax = 1000
        let script = "import sys; print('\"' + 'x' * (int(sys.argv[1]) - 2) + '\"')"
        let fits = try CommandStage(limits: limits).outcome(FakeTask(command: "python3", "-c", script, "1000"))
        #expect(fits.result?.utf8.count == 1000)
        let over = try CommandStage(limits: limits).outcome(FakeTask(command: "python3", "-c", script, "1001"))
        #expect(over.failure?.errorType == "result_too_large")
    }

    @Test(
        "that cannot be started fails for good and says what to do",
        arguments: [
            (["stepwell-no-such-program"], nil, "program_not_found", "there is no program"),
            (["./no/such/program"], nil, "program_not_found", "there is no program './no/such/program'"),
            (["/etc/passwd"], nil, "program_not_executable", "chmod +x /etc/passwd"),
            (["/"], nil, "program_not_executable", "/"),
            (["sh", "-c", "true"], "/no/such/directory", "working_directory", "'/no/such/directory'"),
            (["sh", "-c", "true"], "/etc/passwd", "working_directory", "Not a directory"),
            ([], nil, "bad_arguments", "names no program"),
            (["sh", "a\0b"], nil, "bad_arguments", "zero byte"),
        ] as [([String], String?, String, String)])
    func cannotStart(_ arguments: [String], _ directory: String?, _ type: String, _ words: String) throws {
        var handler = HandlerTemplate.command(arguments)
        handler.workingDirectory = directory
        let failure = try CommandStage().outcome(FakeTask(handler)).failure
        #expect(failure?.errorType == type)
        #expect(failure?.retryable == false)
        #expect(failure?.message.contains(words) == true, "\(failure?.message ?? "")")
    }

    @Test("runs where the template says, with the template's variables and those of the attempt")
    func surroundings() throws {
        var handler = HandlerTemplate.command([
            "sh", "-c",
            #"printf '["%s","%s","%s","%s","%s","%s","%s","%s"]' "$PWD" "$COLOUR" "$STEPWELL_TASK_ID" "#
                + #""$STEPWELL_STEP" "$STEPWELL_ATTEMPT" "$STEPWELL_MAX_ATTEMPTS" "$STEPWELL_DEADLINE" "$STEPWELL_ENGINE""#,
        ])
        handler.workingDirectory = "/usr"
        handler.environment = [EnvironmentVariable("COLOUR", "blue"), EnvironmentVariable("STEPWELL_STEP", "mine")]
        let stage = CommandStage()
        stage.runner.run(FakeTask(handler).assignment(deadline: Timestamp(milliseconds: 1234)))
        #expect(
            try stage.host.outcome(of: 100).result
                == #"["/usr","blue","\#(FakeTask.id)","work","2","3","1234","tests:1"]"#)
    }

    @Test("has default signals, none blocked, no descriptors but its three, and a group of its own")
    func inheritance() throws {
        let script = """
            import json, os, signal
            names = [s.name for s in signal.valid_signals() if isinstance(s, signal.Signals)
                     and s not in (signal.SIGINT,) and signal.getsignal(s) == signal.SIG_IGN]
            blocked = [int(s) for s in signal.pthread_sigmask(signal.SIG_BLOCK, [])]
            fds = [fd for fd in os.listdir('/proc/self/fd') if os.path.exists('/proc/self/fd/' + fd)]
            print(json.dumps([names, blocked, sorted(fds), os.getpgrp() == os.getpid()]))
            """
        // Python itself ignores SIGPIPE and SIGXFSZ.
        #expect(
            try CommandStage().outcome(FakeTask(command: "python3", "-c", script)).result
                == #"[["SIGPIPE", "SIGXFSZ"], [], ["0", "1", "2"], true]"#)
        #expect(try CommandStage().outcome(FakeTask(shell: "trap | wc -l")).result == "0")
    }
}
