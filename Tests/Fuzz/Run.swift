import Glibc

/// All clients, on one thread: the server needs the others.
struct Run {
    private let options: Options
    private let corpus: Corpus
    /// Those that are at work.
    private var clients: [Client] = []
    private var all: [Client] = []
    private var nextBatch: Int
    private var batchesDone = 0
    private var failures: [Client.Failure] = []
    private let begun = milliseconds()
    /// What came last is told this often, for whoever waits.
    private static let pause = 1000

    init(_ options: Options) throws(Fault) {
        self.options = options
        corpus = try Corpus(Files.read(options.corpus))
        nextBatch = options.first
    }

    /// - Returns: whether all was as it should be.
    mutating func perform() -> Bool {
        for number in 0..<options.clients {
            guard let batch = takeBatch() else { break }
            let client = Client(options.targets[number % options.targets.count], corpus, batch)
            all.append(client)
            if settle(client, client.begin(batch, at: milliseconds())) { clients.append(client) }
        }
        var told = milliseconds()
        while !clients.isEmpty {
            turn()
            let now = milliseconds()
            if now - told >= Self.pause {
                told = now
                tell()
            }
        }
        tell()
        for failure in failures { report(failure) }
        return failures.isEmpty
    }

    private mutating func takeBatch(after client: Client? = nil) -> Batch? {
        guard nextBatch - options.first < options.batches, failures.isEmpty,
            (milliseconds() - begun) / 1000 < options.seconds,
            all.reduce(0, { $0 + $1.answerCount }) < options.count
        else { return nil }
        defer { nextBatch += 1 }
        return Batch(seed: options.seed, number: nextBatch, lease: client?.lease ?? Array("17".utf8))
    }

    /// Waits until something can be done, and does it.
    private mutating func turn() {
        var polled = clients.map {
            pollfd(fd: $0.descriptor, events: Int16(POLLIN | ($0.wantsToSend ? POLLOUT : 0)), revents: 0)
        }
        poll(&polled, nfds_t(polled.count), 20)
        let now = milliseconds()
        var left: [Client] = []
        for (client, seen) in zip(clients, polled) {
            var state = Client.State.working
            if seen.revents & Int16(POLLIN | POLLHUP | POLLERR) != 0 {
                state = client.receive(at: now)
            } else if seen.revents & Int16(POLLOUT) != 0 {
                state = client.send(at: now)
            } else if now > client.deadline {
                state = client.endWaiting()
            }
            if settle(client, state) { left.append(client) }
        }
        clients = left
    }

    /// Lets the client go on with another batch when it is done with its own; false when it has none any more.
    private mutating func settle(_ client: Client, _ state: Client.State) -> Bool {
        var state = state
        while true {
            switch state {
            case .working: return true
            case .failed(let failure):
                failures.append(failure)
                return false
            case .done:
                batchesDone += 1
                guard let batch = takeBatch(after: client) else { return false }
                state = client.begin(batch, at: milliseconds())
            }
        }
    }

    /// One line of JSON: what has been done so far.
    private func tell() {
        var statuses = [Int](repeating: 0, count: 600)
        for client in all { for (status, count) in client.statuses.enumerated() { statuses[status] += count } }
        let list = statuses.enumerated().filter { $0.element > 0 }.map { "\"\($0.offset)\": \($0.element)" }
        Files.say(
            "{\"answers\": \(statuses.reduce(0, +)), \"batches\": \(batchesDone), \"connections\": \(all.reduce(0) { $0 + $1.connections }), "
                + "\"refused_as_no_http\": \(all.reduce(0) { $0 + $1.refusals }), \"milliseconds\": \(milliseconds() - begun), "
                + "\"failures\": \(failures.count), \"statuses\": {\(list.joined(separator: ", "))}}")
    }

    private func report(_ failure: Client.Failure) {
        let path = "\(options.failures)/fuzz-\(options.seed)-\(failure.batch)"
        Files.write(failure.bytes, to: path)
        Files.say(
            """
            FAILURE seed \(options.seed), batch \(failure.batch): \(failure.reason)
              request: \(Self.printable(failure.request, 2000))
              answer:  \(Self.printable(failure.answer, 1000))
              all that was sent is in \(path)
            """)
    }

    static func printable(_ bytes: [UInt8], _ countMax: Int) -> String {
        var text = ""
        for byte in bytes.prefix(countMax) {
            switch byte {
            case 0x0D: text += "\\r"
            case 0x0A: text += "\\n"
            case 0x5C: text += "\\\\"
            case 0x20..<0x7F: text.unicodeScalars.append(Unicode.Scalar(byte))
            default: text += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return bytes.count > countMax ? text + "… (\(bytes.count) bytes)" : text
    }
}
