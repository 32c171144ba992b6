import Glibc

/// Where the server listens.
enum Target {
    case port(Int)
    case path(String)

    /// A connection that does not block; nil when nobody listens.
    func connect() -> Int32? {
        let descriptor: Int32
        let isConnected: Bool
        switch self {
        case .port(let port):
            descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = UInt16(port).bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            isConnected = Self.connect(descriptor, &address)
        case .path(let path):
            descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8.prefix($0.count - 1)) }
            isConnected = Self.connect(descriptor, &address)
        }
        var yes: Int32 = 1
        guard isConnected, ioctl(descriptor, UInt(FIONBIO), &yes) == 0 else {
            close(descriptor)
            return nil
        }
        return descriptor
    }

    private static func connect<Address>(_ descriptor: Int32, _ address: inout Address) -> Bool {
        withUnsafeBytes(of: &address) { bytes in
            Glibc.connect(descriptor, bytes.baseAddress!.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
                == 0
        }
    }
}

/// One connection of the fuzzer and the batch that it is at. Sends all requests of a phase, reads their answers, and looks at each.
final class Client {
    enum State {
        case working
        /// The batch is done, or its connection was closed as it may be.
        case done
        case failed(Failure)
    }

    /// What was found, with all that is needed to see it again.
    struct Failure {
        var reason: String
        var batch: Int
        /// All that was sent, up to the request.
        var bytes: [UInt8]
        var request: [UInt8]
        var answer: [UInt8]
    }

    private let target: Target
    private let corpus: Corpus
    private(set) var descriptor: Int32 = -1
    private var batch: Batch
    private var writer = RequestWriter()
    private var answers = Answers()
    private var sent = 0
    private var answered = 0
    private var buffer = [UInt8](repeating: 0, count: 1 << 16)
    private var begun = 0
    private(set) var deadline = 0
    var statuses: [Int]
    /// The sum of `statuses`.
    private(set) var answerCount = 0
    /// Answers by the library, not by Stepwell.
    private(set) var refusals = 0
    private(set) var connections = 0
    private(set) var closed = 0

    init(_ target: Target, _ corpus: Corpus, _ batch: Batch) {
        self.target = target
        self.corpus = corpus
        self.batch = batch
        statuses = [Int](repeating: 0, count: 600)
    }

    deinit { if descriptor >= 0 { close(descriptor) } }

    var wantsToSend: Bool { sent < writer.bytes.count }
    var lease: [UInt8] { batch.lease }

    func begin(_ next: Batch, at now: Int) -> State {
        batch = next
        return beginPhase(at: now)
    }

    private func beginPhase(at now: Int) -> State {
        batch.write(&writer, corpus)
        (sent, answered) = (0, 0)
        deadline = now + Self.patience
        if descriptor < 0 {
            guard let descriptor = target.connect() else { return fail("nobody listens any more") }
            self.descriptor = descriptor
            connections += 1
            answers.removeAll()
        }
        return send(at: now)
    }

    /// Milliseconds in which all answers of a phase must come; and those in which a loose one may.
    private static let patience = 30_000
    private static let loosePatience = 30

    private func disconnect() {
        close(descriptor)
        descriptor = -1
        closed += 1
    }

    func send(at now: Int) -> State {
        while wantsToSend {
            let count = writer.bytes.withUnsafeBytes { bytes in
                Glibc.send(descriptor, bytes.baseAddress! + sent, bytes.count - sent, Int32(MSG_NOSIGNAL))
            }
            guard count > 0 else {
                // A server that closes is seen where its answers are read.
                if count < 0, errno == EAGAIN || errno == EPIPE || errno == ECONNRESET { break }
                return fail("cannot send: \(String(cString: strerror(errno)))")
            }
            sent += count
        }
        if !wantsToSend {
            if batch.isCut, batch.phase == .bent {
                disconnect()
                return .done
            }
            if writer.requests.last?.isLoose == true, answered == writer.requests.count - 1 {
                deadline = now + Self.loosePatience
            }
        }
        return .working
    }

    /// What to do when nothing has come for long.
    func endWaiting() -> State {
        guard answered == writer.requests.count - 1, writer.requests[answered].isLoose else {
            return fail("no answer within \(Self.patience / 1000) s")
        }
        disconnect()
        return .done
    }

    func receive(at now: Int) -> State {
        while true {
            let count = buffer.withUnsafeMutableBytes { recv(descriptor, $0.baseAddress!, $0.count, 0) }
            if count > 0 {
                buffer.withUnsafeBytes { answers.append(UnsafeRawBufferPointer(rebasing: $0[..<count])) }
                let state = readAnswers(at: now)
                guard case .working = state else { return state }
                if descriptor < 0 || count < buffer.count { return state }
                continue
            }
            if count < 0, errno == EAGAIN || errno == EINTR { return .working }
            return closedByServer()
        }
    }

    private func closedByServer() -> State {
        // Whoever closes with something unread sends a reset, and that overtakes answers that are on their way.
        let isAllowed = writer.requests.last?.mayClose == true
        disconnect()
        return isAllowed ? .done : fail("the server has closed the connection without an answer")
    }

    private func readAnswers(at now: Int) -> State {
        while answered < writer.requests.count {
            let request = writer.requests[answered]
            switch answers.next(hasBody: !request.isHead) {
            case .incomplete: return .working
            case .broken(let reason): return fail(reason)
            case .answer(let answer):
                if let reason = check(answer, request) { return fail(reason) }
                statuses[answer.status] += 1
                answerCount += 1
                batch.take(answers.bytes[answer.body], of: answered)
                answered += 1
                if answer.isStream || answer.closes {
                    disconnect()
                    return .done
                }
                if !wantsToSend, writer.requests.last?.isLoose == true, answered == writer.requests.count - 1 {
                    deadline = now + Self.loosePatience
                }
            }
        }
        if writer.requests.last?.mayClose == true {
            // Whether more comes, or the end, is the server's choice.
            disconnect()
            return .done
        }
        guard answers.rest == 0 else { return fail("more answers than requests") }
        return batch.advance() ? beginPhase(at: now) : .done
    }

    /// What is wrong with the answer.
    private func check(_ answer: Answers.Answer, _ request: Request) -> String? {
        let isLibrarys = !answer.isProblem && !request.isHTTP && [400, 413, 414, 431, 501, 505].contains(answer.status)
        if isLibrarys { refusals += 1 }
        if answer.status >= 500, answer.status != 503, !isLibrarys { return "an answer of \(answer.status)" }
        if answer.status == 503, !answer.isProblem { return "503 without a reason" }
        if answer.status >= 400, !answer.isProblem, !isLibrarys { return "\(answer.status) without a problem document" }
        guard answer.isJSON, !request.isHead, !answer.isStream else { return nil }
        guard let shape = answers.shape(of: answer.body, keeps: answer.isProblem) else {
            return "a body that is not JSON"
        }
        guard answer.isProblem else { return nil }
        let names = shape.values.dropFirst().map {
            answers.bytes[answer.body.lowerBound + $0.memberStart..<answer.body.lowerBound + $0.start]
        }
        for name in ["\"type\":", "\"title\":", "\"status\":", "\"detail\":", "\"code\":"]
        where !names.contains(where: { $0.elementsEqual(name.utf8) }) {
            return "a problem document without \(name)"
        }
        return nil
    }

    private func fail(_ reason: String) -> State {
        let request = answered < writer.requests.count ? writer.requests[answered] : Request(start: 0, end: 0)
        return .failed(
            Failure(
                reason:
                    "\(reason), to request \(answered + 1) of \(writer.requests.count) in the phase '\(batch.phase)'",
                batch: batch.number, bytes: Array(writer.bytes[..<request.end]),
                request: Array(writer.bytes[request.start..<request.end]), answer: answers.bytes.suffix(4000)))
    }
}
