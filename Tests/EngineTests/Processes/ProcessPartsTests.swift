import Glibc
import StepwellModel
import Testing

@testable import StepwellEngine

@Suite("a command in one string")
struct ShellWordsTests {
    @Test(
        "is taken apart as a shell would",
        arguments: [
            ("python3 -m stepwell worker x.py", ["python3", "-m", "stepwell", "worker", "x.py"]),
            ("  a\t b \n", ["a", "b"]),
            (#"a 'b c' "d e" f\ g"#, ["a", "b c", "d e", "f g"]),
            (#"a 'it'\''s' "say \"x\" \n" x"y"z"#, ["a", "it's", #"say "x" \n"#, "xyz"]),
            ("a '' \"\"", ["a", "", ""]),
            ("a '$HOME *.py' b#c", ["a", "$HOME *.py", "b#c"]),
            ("a x=1", ["a", "x=1"]),
            ("'A=1' b", ["A=1", "b"]),
        ])
    func words(_ text: String, _ expected: [String]) throws {
        #expect(try ShellWords(text).arguments == expected)
    }

    @Test("may begin with variables")
    func variables() throws {
        let words = try ShellWords("PYTHONPATH=src:lib NAME='a b' python3 x.py")
        #expect(words.variables == [EnvironmentVariable("PYTHONPATH", "src:lib"), EnvironmentVariable("NAME", "a b")])
        #expect(words.arguments == ["python3", "x.py"])
    }

    @Test(
        "that only a shell understands is refused with the way out",
        arguments: ["cd x && y", "a | b", "a $HOME", "a \"$HOME\"", "a `b`", "a *.py", "a > b", "~/a", "(a)", "a # b"])
    func refused(_ text: String) {
        #expect {
            try ShellWords(text)
        } throws: { error in
            (error as? ShellWords.Fault)?.cure?.contains("sh -c") == true
        }
    }

    @Test("must name a program and close its quotes")
    func faults() {
        #expect(throws: ShellWords.Fault.empty) { try ShellWords("  ") }
        #expect(throws: ShellWords.Fault.empty) { try ShellWords("A=1") }
        #expect(throws: ShellWords.Fault.empty) { try ShellWords("''") }
        #expect(throws: ShellWords.Fault.openQuote("'")) { try ShellWords("a 'b") }
    }

    @Test(
        "gives a short name",
        arguments: [
            ("python3 x", "python"), ("/usr/bin/python3.11", "python"), ("./worker", "worker"), ("node-20", "node"),
            ("7", "7"), (".build/release/Pipeline --x", "Pipeline"),
        ])
    func baseName(_ text: String, _ name: String) throws {
        #expect(try ShellWords(text).baseName == name)
    }
}

@Suite("lines from a pipe")
struct ByteQueueTests {
    /// Feeds the queue through a real pipe, in pieces of that size, and takes the lines as they come.
    private func lines(_ text: [UInt8], pieces: Int) -> (lines: [[UInt8]], rest: [UInt8]) {
        var ends: (Int32, Int32) = (0, 0)
        withUnsafeMutableBytes(of: &ends) { _ = pipe($0.assumingMemoryBound(to: Int32.self).baseAddress) }
        defer {
            close(ends.0)
            close(ends.1)
        }
        var queue = ByteQueue()
        var lines: [[UInt8]] = []
        var offset = 0
        while offset < text.count {
            let piece = Array(text[offset..<min(text.count, offset + pieces)])
            offset += write(ends.1, piece, piece.count)
            _ = queue.read(from: ends.0)
            while let line = queue.takeLine() { lines.append(line) }
        }
        return (lines, queue.takeAll())
    }

    @Test("come out whole, however they arrive", arguments: [1, 7, 1000, 60_000])
    func pieces(_ size: Int) {
        let words = (0..<2000).map { String(repeating: "x", count: $0 % 137) + "\($0)" }
        let text = Array((words.joined(separator: "\n") + "\nrest").utf8)
        let (lines, rest) = lines(text, pieces: size)
        #expect(lines.map { String(decoding: $0, as: UTF8.self) } == words)
        #expect(rest == Array("rest".utf8))
    }

    @Test("may be longer than any buffer")
    func long() {
        let line = [UInt8](repeating: 0x61, count: 3 << 20)
        let (lines, rest) = lines(Array("a\n".utf8) + line + Array("\nb\n".utf8), pieces: 60_000)
        #expect(lines.map(\.count) == [1, 3 << 20, 1])
        #expect(rest.isEmpty)
    }
}

@Suite("leases of a worker")
struct HeldLeasesTests {
    @Test("are known while they run, for a thousand ends after that, and then forgotten")
    func memory() {
        var leases = HeldLeases()
        for number: UInt64 in 1...2500 {
            leases.begin(FakeTask(.callable("h")).assignment(lease: number))
            guard case .running = leases[Lease(number)] else {
                Issue.record("lease \(number) is not running")
                return
            }
            leases.end(Lease(number))
        }
        #expect(leases.running.isEmpty)
        for (number, isKnown): (UInt64, Bool) in [(1, false), (1500, false), (1501, true), (2500, true), (2501, false)]
        {
            if case .ended = leases[Lease(number)] { #expect(isKnown) } else { #expect(!isKnown) }
        }
    }
}

@Suite("timers")
struct TimerListTests {
    @Test("come due in order, those of the same moment in the order in which they were set")
    func order() {
        var timers = TimerList()
        var fired: [String] = []
        _ = timers.insert(due: 5) { fired.append("c") }
        _ = timers.insert(due: 1) { fired.append("a") }
        let removed = timers.insert(due: 2) { fired.append("never") }
        _ = timers.insert(due: 5) { fired.append("d") }
        _ = timers.insert(due: 3) { fired.append("b") }
        timers.remove(removed)
        while let body = timers.popDue(at: 4) { body() }
        #expect(fired == ["a", "b"])
        #expect(timers.nextDue == 5)
        while let body = timers.popDue(at: 5) { body() }
        #expect(fired == ["a", "b", "c", "d"])
    }
}
