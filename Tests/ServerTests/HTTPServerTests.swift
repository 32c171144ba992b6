import Dispatch
import Glibc
import StepwellModel
import Synchronization
import Testing

@testable import StepwellServer

/// What is answered: some addresses at once, one when the test says so; it counts what is given up.
private final class Desk: Sendable {
    static let large = [UInt8](repeating: UInt8(ascii: "x"), count: 16 << 20)
    /// An answer is waited for.
    let waits = DispatchSemaphore(value: 0)
    /// An answer is wanted no more, or a stream was ended.
    let ends = DispatchSemaphore(value: 0)
    let kept = Mutex<[HTTPServer.Answer]>([])

    func handle(_ request: HTTPRequest, _ answer: @escaping HTTPServer.Answer) -> HTTPServer.Abandon? {
        switch request.path.first {
        case "later":
            kept.withLock { $0.append(answer) }
            waits.signal()
            return { self.ends.signal() }
        case "large": answer(HTTPResponse(contentType: "text/plain", body: Self.large))
        case "endless": answer(HTTPResponse(stream: Source(ends, isEndless: true), contentType: "text/plain"))
        case "silent": answer(HTTPResponse(stream: Source(ends, isEndless: false), contentType: "text/plain"))
        default: answer(HTTPResponse(contentType: "text/plain", body: Array("soon".utf8)))
        }
        return nil
    }

    private final class Source: BodySource {
        let ends: DispatchSemaphore
        let isEndless: Bool

        init(_ ends: DispatchSemaphore, isEndless: Bool) {
            self.ends = ends
            self.isEndless = isEndless
        }

        func next(_ countMax: Int, wake: @escaping @Sendable () -> Void) -> [UInt8]? {
            isEndless ? [UInt8](repeating: 0x61, count: countMax) : []
        }
        func end() { ends.signal() }
    }
}

/// A server with a desk, for as long as a test runs.
// Not held by the handler: whoever lets go of it last stops the server, which its own threads cannot.
private final class Stand {
    let port: Int
    let desk = Desk()
    private let socket: Wire
    private let server: HTTPServer

    init(_ change: (inout HTTPLimits) -> Void = { _ in }) throws {
        var limits = HTTPLimits()
        limits.lookPause = Milliseconds(10)
        change(&limits)
        let address = try #require(ListenAddress("127.0.0.1:0"))
        socket = Wire(try ListenSocket.open(address))
        port = try #require(ListenSocket.port(of: socket.descriptor))
        server = try HTTPServer(socket: socket.descriptor, limits: limits, handler: desk.handle)
    }

    deinit { stop() }

    func stop() { server.stop() }

    /// Gives the answers that are waited for.
    func answerAll() {
        let late = HTTPResponse(contentType: "text/plain", body: Array("late".utf8))
        for answer in desk.kept.withLock({ $0 }) { answer(late) }
    }

    func client(window: Int32? = nil) -> Wire { Wire(port: port, window: window) }

    /// Whether an answer is waited for, within a while.
    func hasBegun() -> Bool { desk.waits.wait(timeout: .now() + 20) == .success }

    /// Whether an answer or a stream was given up, within a while.
    func hasEnded() -> Bool { desk.ends.wait(timeout: .now() + 20) == .success }

    var count: Int { server.connectionCount }

    /// Waits until so many connections are left.
    func becomes(_ count: Int) -> Bool {
        let deadline = DispatchTime.now() + 20
        while self.count != count {
            guard DispatchTime.now() < deadline else { return false }
            usleep(1000)
        }
        return true
    }

    /// Somebody who does all as it should be is answered.
    func servesOthers() -> Bool {
        let client = client()
        client.send("GET /soon HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        return client.receiveAll().hasSuffix("\r\n\r\nsoon")
    }
}

private func get(_ path: String) -> String { "GET \(path) HTTP/1.1\r\nHost: x\r\n\r\n" }

/// Clients who vanish.
@Suite struct VanishedClientTests {
    @Test func theAnswerToWhoIsGoneIsGivenUp() throws {
        let stand = try Stand()
        for leave in [Wire.vanish, Wire.reset, Wire.endWriting] {
            let client = stand.client()
            client.send(get("/later"))
            #expect(stand.hasBegun())
            leave(client)()
            #expect(stand.hasEnded())
            #expect(stand.becomes(0))
        }
        // They come too late, and are in nobody's way.
        stand.answerAll()
        #expect(stand.servesOthers())
    }

    @Test func aStreamThatSleepsEndsWithItsClient() throws {
        let stand = try Stand()
        for leave in [Wire.vanish, Wire.reset, Wire.endWriting] {
            let client = stand.client()
            client.send(get("/silent"))
            #expect(client.receive(until: "\r\n\r\n").contains(" 200 "))
            leave(client)()
            #expect(stand.hasEnded())
            #expect(stand.becomes(0))
        }
    }

    @Test func theServerEndsWhateverSleeps() throws {
        let stand = try Stand()
        let (stream, waiter) = (stand.client(), stand.client())
        stream.send(get("/silent"))
        waiter.send(get("/later"))
        #expect(stream.receive(until: "\r\n\r\n").contains(" 200 "))
        #expect(stand.hasBegun())
        stand.stop()
        // With or without an answer: the library does not wait until it is out.
        #expect(stream.hasNews(within: 10_000))
        #expect(waiter.hasNews(within: 10_000))
    }

    @Test(arguments: ["POST /soon HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{}", "GET /so"])
    func whatBreaksOffIsClosedAtOnce(start: String) throws {
        // The times of head and body are a minute and two: it is not they that end it.
        let stand = try Stand()
        let client = stand.client()
        client.send(start)
        client.endWriting()
        #expect(client.receiveAll() == "")
        #expect(stand.becomes(0))
    }

    @Test func aPipelineWithAnEndBehindItIsAnsweredToItsLast() throws {
        let stand = try Stand()
        let client = stand.client()
        client.send(String(repeating: get("/soon"), count: 200))
        client.endWriting()
        #expect(client.receiveAll().components(separatedBy: "soon") == 201)
    }
}

extension String {
    fileprivate func components(separatedBy word: String) -> Int {
        var (count, rest) = (1, self[...])
        while let found = rest.firstRange(of: word) { (count, rest) = (count + 1, rest[found.upperBound...]) }
        return count
    }
}

/// Clients who are slow on purpose, while others are served.
@Suite struct SlowClientTests {
    private static let short = Milliseconds(300)

    /// Sends a text again and again, a little at a time, until the server ends it.
    private func trickle(_ start: String, _ drop: String, _ stand: Stand) -> String {
        let client = stand.client()
        client.send(start)
        var answered = 0
        for _ in 0..<1000 {
            if client.hasNews(within: 20) { break }
            client.send(drop)
            answered += stand.servesOthers() ? 1 : 0
        }
        #expect(answered > 0)
        return client.receiveAll()
    }

    @Test func aHeadThatTricklesIsEnded() throws {
        let stand = try Stand { $0.headerTime = Self.short }
        #expect(trickle("GET /soon HTTP/1.1\r\n", "X: y\r\n", stand) == "")
        #expect(stand.becomes(0))
    }

    @Test(arguments: ["Content-Length: 100000\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n"])
    func aBodyThatTricklesIsEnded(head: String) throws {
        let stand = try Stand { $0.bodyTime = Self.short }
        #expect(trickle("POST /soon HTTP/1.1\r\nHost: x\r\n" + head, "1\r\nx\r\n", stand) == "")
        #expect(stand.becomes(0))
    }

    @Test func whoIsIdleIsEnded() throws {
        let stand = try Stand { $0.headerTime = Self.short }
        let silent = stand.client()
        let client = stand.client()
        client.send(get("/soon"))
        #expect(client.receiveAll().hasSuffix("soon"))
        #expect(silent.receiveAll() == "")
        #expect(stand.becomes(0))
    }

    @Test func whoWaitsForTheServerIsNotIdle() throws {
        let stand = try Stand { ($0.headerTime, $0.bodyTime, $0.sendTime) = (Self.short, Self.short, Self.short) }
        let client = stand.client()
        client.send(get("/later"))
        #expect(!client.hasNews(within: 800))
        stand.answerAll()
        #expect(client.receive(until: "late").contains(" 200 "))
    }

    @Test(arguments: ["/large", "/endless"])
    func whoNeverReadsIsEnded(path: String) throws {
        let stand = try Stand { $0.sendTime = Self.short }
        let client = stand.client(window: 4096)
        client.send(get(path))
        #expect(stand.becomes(1))
        #expect(stand.servesOthers())
        #expect(stand.becomes(0))
        if path == "/endless" { #expect(stand.hasEnded()) }
        // What was on its way, and no end that one could take for that of the answer.
        #expect(client.receiveAll().utf8.count < Desk.large.count)
    }

    @Test func whoReadsSlowlyGetsAll() throws {
        let stand = try Stand { $0.sendTime = Milliseconds(1000) }
        let client = stand.client()
        client.send("GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        var count = 0
        let begun = DispatchTime.now()
        let idle = stand.client()
        // In all much slower than the time of one piece.
        while let more = client.receive() {
            count += more.utf8.count
            _ = idle.hasNews(within: 8)
        }
        #expect(count > Desk.large.count)
        #expect(DispatchTime.now() > begun + 1.2)
    }
}
