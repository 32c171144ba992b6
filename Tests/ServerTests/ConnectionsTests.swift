import Glibc
import Synchronization
import Testing

@testable import StepwellServer

/// The watch, with time as a number and real sockets.
@Suite struct ConnectionsTests {
    /// Counts how often the watch frees it.
    private final class Sleeper: WaitingAnswer {
        private let freed = Atomic(0)

        func clientIsGone() { freed.add(1, ordering: .relaxed) }

        var count: Int { freed.load(ordering: .relaxed) }
    }

    private let connections = Connections(HTTPLimits())
    private let listener: Wire
    private let port: Int

    init() throws {
        let address = try #require(ListenAddress("127.0.0.1:0"))
        listener = Wire(try ListenSocket.open(address))
        port = try #require(ListenSocket.port(of: listener.descriptor))
    }

    /// Both ends of a connection over TCP.
    private func pair() -> (server: Wire, client: Wire) {
        let client = Wire(port: port)
        _ = listener.hasNews(within: 10_000)
        return (Wire(accept(listener.descriptor, nil, nil)), client)
    }

    @Test func aRequestWhoseClientHasEndedCanBecomeWholeNoMore() {
        let (server, client) = pair()
        _ = connections.open(server.descriptor, from: "", nil)
        connections.look(at: 0)
        client.send("GET")
        client.endWriting()
        for _ in 0..<3 { connections.look(at: 0) }
        // What it has sent was not read yet: it may be all of a request.
        #expect(!server.isShutDown)
        #expect(server.receive() == "GET")
        connections.look(at: 0)
        #expect(!server.isShutDown)
        connections.look(at: 0)
        #expect(server.isShutDown)
        #expect(client.receive() == nil)
    }

    @Test func whoHasNotEndedIsWaitedForAsLongAsItTakes() {
        let (server, client) = pair()
        let sleeper = Sleeper()
        connections.open(server.descriptor, from: "", nil).wait(for: sleeper)
        for _ in 0..<3 { connections.look(at: .max) }
        #expect(sleeper.count == 0)
        #expect(client.send("x"))
        #expect(!server.isShutDown)
    }

    @Test func whoIsGoneIsWaitedForNoMore() {
        for leave in [Wire.vanish, Wire.reset, Wire.endWriting] {
            let (server, client) = pair()
            let sleeper = Sleeper()
            connections.open(server.descriptor, from: "", nil).wait(for: sleeper)
            leave(client)()
            connections.look(at: 0)
            #expect(sleeper.count == 1)
        }
    }

    @Test func overASocketOfTheFileSystemToo() {
        var ends: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        let (server, client) = (Wire(ends[0]), Wire(ends[1]))
        let sleeper = Sleeper()
        connections.open(server.descriptor, from: "", nil).wait(for: sleeper)
        client.endWriting()
        connections.look(at: 0)
        #expect(sleeper.count == 1)
    }

    @Test func eachPhaseHasItsTime() {
        let (server, client) = pair()
        let record = connections.open(server.descriptor, from: "", nil)
        record.send(until: 100)
        connections.look(at: 100)
        #expect(!server.isShutDown)
        // What the server itself takes is not counted.
        let sleeper = Sleeper()
        record.wait(for: sleeper)
        connections.look(at: .max)
        #expect(!server.isShutDown)
        record.receive(until: 200)
        connections.look(at: 201)
        #expect(server.isShutDown)
        #expect(client.receive() == nil)
        #expect(sleeper.count == 0)
    }

    @Test func aNumberThatAnotherConnectionHasGotIsLeftAlone() {
        let (server, client) = pair()
        let record = connections.open(server.descriptor, from: "", nil)
        record.receive(until: 0)
        connections.close(record)
        #expect(connections.count == 0)
        connections.look(at: 1)
        #expect(!server.isShutDown)
        #expect(client.send("x"))
    }

    @Test func manyAreLookedAtInBatches() {
        let pairs = (0..<1100).map { _ in
            var ends: [Int32] = [0, 0]
            #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
            return (server: Wire(ends[0]), client: Wire(ends[1]))
        }
        let sleepers = pairs.map { pair in
            let sleeper = Sleeper()
            connections.open(pair.server.descriptor, from: "", nil).wait(for: sleeper)
            return sleeper
        }
        for (place, pair) in pairs.enumerated() where place % 3 == 0 { pair.client.vanish() }
        connections.look(at: 0)
        for (place, sleeper) in sleepers.enumerated() { #expect(sleeper.count == (place % 3 == 0 ? 1 : 0)) }
    }
}
