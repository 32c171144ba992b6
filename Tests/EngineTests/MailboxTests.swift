import StepwellKernel
import StepwellLog
import StepwellModel
import Synchronization
import Testing

@testable import StepwellEngine

@Suite("The one way in")
struct MailboxTests {
    private let mailbox = Mailbox()
    private let refusals = Refusals()

    private final class Refusals: Sendable {
        let codes = Mutex<[String]>([])
        var all: [String] { codes.withLock { $0 } }
    }

    private func letter(by kind: Actor.Kind) -> Letter {
        .command(.stopEngine, by: Actor(kind)) { [refusals] error in
            refusals.codes.withLock { $0.append(error?.code ?? "accepted") }
        }
    }

    @Test("Letters are taken all at once, in their order")
    func order() {
        for kind in [Actor.Kind.client, .worker, .operator] { mailbox.post(letter(by: kind)) }
        let kinds = mailbox.take(waiting: .zero).map { letter in
            if case .command(_, let actor, _) = letter { actor.kind } else { Actor.Kind.scheduler }
        }
        #expect(kinds == [.client, .worker, .operator])
        #expect(mailbox.take(waiting: .zero).isEmpty)
    }

    @Test("When too many wait, clients and operators are refused as busy, and workers are not")
    func bound() {
        for _ in 0..<Mailbox.capacity { mailbox.post(letter(by: .client)) }
        #expect(refusals.all == [])
        mailbox.post(letter(by: .client))
        mailbox.post(letter(by: .operator))
        #expect(refusals.all == ["busy", "busy"])
        mailbox.post(letter(by: .worker))
        mailbox.post(letter(by: .engine))
        #expect(mailbox.take(waiting: .zero).count == Mailbox.capacity + 2)
        mailbox.post(letter(by: .client))
        #expect(refusals.all.count == 2)
    }

    @Test("A batch takes the room of all that it holds, and a question of a client is refused with the others")
    func weights() {
        let commands = [Command](repeating: .stopEngine, count: Mailbox.capacity - 1)
        mailbox.post(.batch(commands, by: Actor(.client)) { _ in Issue.record("it waits") })
        mailbox.post(letter(by: .client))
        mailbox.post(letter(by: .client))
        mailbox.post(
            .question({ _ in Issue.record("nobody asks") }) { [refusals] error in
                refusals.codes.withLock { $0.append("question: \(error.code)") }
            })
        mailbox.post(.query({ _ in }, refused: { _ in Issue.record("the engine's own are never refused") }))
        mailbox.post(
            .batch([.stopEngine], by: Actor(.client)) { [refusals] result in
                if case .failure(let refusal) = result {
                    refusals.codes.withLock { $0.append("batch: \(refusal.error.code)") }
                }
            })
        #expect(refusals.all == ["busy", "question: busy", "batch: busy"])
        #expect(mailbox.take(waiting: .zero).count == 3)
        mailbox.post(letter(by: .client))
        #expect(refusals.all.count == 3)
    }

    @Test("While clients are refused, those that wait hear it too, and workers' letters stay")
    func refusing() {
        mailbox.post(letter(by: .client))
        mailbox.post(letter(by: .worker))
        mailbox.refuseClients(.log(.diskFull(path: "store")))
        mailbox.post(letter(by: .operator))
        mailbox.post(letter(by: .worker))
        #expect(refusals.all == ["disk_full", "disk_full"])
        mailbox.refuseClients(nil)
        mailbox.post(letter(by: .client))
        #expect(mailbox.take(waiting: .zero).count == 3)
    }

    @Test("Once closed it refuses everything, also questions")
    func closed() {
        mailbox.post(letter(by: .worker))
        mailbox.close(.stopped)
        mailbox.post(letter(by: .client))
        mailbox.post(
            .query(
                { _ in Issue.record("nobody may answer") },
                refused: { [refusals] error in
                    refusals.codes.withLock { $0.append("question: \(error.code)") }
                }))
        #expect(refusals.all == ["engine_stopped", "engine_stopped", "question: engine_stopped"])
        #expect(mailbox.take(waiting: .zero).isEmpty)
    }

    @Test("Whoever waits is woken by a letter, and without one too", .timeLimit(.minutes(1)))
    func waiting() async {
        // Both waits are without end: they end by the letter and by the wake alone.
        let mailbox = mailbox
        let taken = await withCheckedContinuation { continuation in
            onThread { continuation.resume(returning: mailbox.take(waiting: nil).count) }
            mailbox.post(.logLine(.hello))
        }
        #expect(taken == 1)
        let woken = await withCheckedContinuation { continuation in
            onThread { continuation.resume(returning: mailbox.take(waiting: nil).count) }
            mailbox.wake()
        }
        #expect(woken == 0)
    }
}

extension LogLine {
    fileprivate static let hello = LogLine(
        task: .numbered(1), step: 0, attempt: 1, lease: SequenceNumber(1), number: 0, time: .zero, level: .info,
        text: "hello")
}
