import Glibc

/// A worker on standard input and output: it says what is right for a while, and what is almost right now and then, until the engine
/// ends it for that and starts the next.
struct LineWorker {
    private let corpus: Corpus
    private var dice: Dice
    private var lease: [UInt8]?
    private var input: [UInt8] = []
    private var said = 0
    /// So many lines at a time, so that the engine has others to serve as well.
    private static let burst = 20
    private static let told = 1000

    init(_ options: Options) throws(Fault) {
        // Another one in each life; the engine passes on which.
        let seed = options.seed &+ UInt64(getpid())
        Files.say("life \(seed)", on: 2)
        dice = Dice(seed)
        // Written when the server runs.
        while access(options.corpus, R_OK) != 0 { usleep(10_000) }
        corpus = try Corpus(Files.read(options.corpus))
    }

    /// Until it is ended, or the engine is.
    mutating func perform() {
        // Right: a worker of another protocol is given up, and a server that was just started ends with it.
        guard write(dice.pick(corpus.entries[.hello]!).body + [0x0A]) else { return }
        while read() {
            var lines: [UInt8] = []
            for _ in 0..<Self.burst { lines += line() + [0x0A] }
            guard write(lines) else { return }
            if said % Self.told < Self.burst { Files.say("said \(Self.told)", on: 2) }
        }
    }

    private mutating func line() -> [UInt8] {
        said += 1
        let isFree = lease == nil
        var body = dice.pick(corpus.entries[isFree ? .note : .line]!).body
        if let held = lease {
            body = Session(id: [], lease: held).filled(body)
            // These end the attempt; what is said of it later would be malformed.
            if ["\"result\"", "\"failure\"", "\"stopped\""].contains(where: {
                body.firstRange(of: Array($0.utf8)) != nil
            }) {
                lease = nil
            }
        }
        if dice.chance(2) { Mutator.bend(&body, isJSON: true, &dice) }
        return body
    }

    /// Takes what has come; false at the end.
    private mutating func read() -> Bool {
        var polled = pollfd(fd: 0, events: Int16(POLLIN), revents: 0)
        guard poll(&polled, 1, 10) > 0 else { return true }
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        let count = Glibc.read(0, &buffer, buffer.count)
        guard count > 0 else { return false }
        input += buffer[..<count]
        while let end = input.firstIndex(of: 0x0A) {
            let line = input[..<end]
            if line.starts(with: "{\"type\":\"attempt\"".utf8),
                let found = line.firstRange(of: Array("\"lease\":".utf8))
            {
                lease = Array(line[found.upperBound...].prefix { 0x30...0x39 ~= $0 })
            }
            input.removeSubrange(...end)
        }
        return true
    }

    private func write(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(1, $0.baseAddress! + done, $0.count - done) }
            guard count > 0 else { return false }
            done += count
        }
        return true
    }
}
