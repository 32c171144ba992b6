import StepwellModel
import Testing

@testable import StepwellServer

@Suite("how webhooks sign, wait and choose")
struct WebhookTests {
    private let now = Timestamp("2026-10-21T07:28:00Z")!

    @Test("the pause doubles, is a half shorter at most, and ends at five minutes")
    func pauses() {
        let patience = Patience(giveUpAfter: nil)
        for (failures, longest) in [(1, 500), (2, 1000), (3, 2000), (10, 256_000), (11, 300_000), (1000, 300_000)] {
            for dice in [0, 1, 12_345, UInt64.max] {
                let pause = patience.pause(failures: failures, asked: nil, dice: dice).rawValue
                #expect(Int64(longest / 2)...Int64(longest) ~= pause, "\(failures)")
            }
            #expect(patience.pause(failures: failures, asked: nil, dice: 0).rawValue == Int64(longest))
        }
        #expect(patience.pause(failures: 9, asked: .seconds(7), dice: 5) == .seconds(7))
        #expect(patience.pause(failures: 1, asked: .seconds(86_400), dice: 5) == .seconds(3600))
    }

    @Test("patience ends when nothing was delivered for so long")
    func patience() {
        let patience = Patience(giveUpAfter: .seconds(60))
        #expect(!patience.givesUp(failingSince: now, at: now.advanced(by: .seconds(59))))
        #expect(patience.givesUp(failingSince: now, at: now.advanced(by: .seconds(60))))
        #expect(!Patience().givesUp(failingSince: now, at: now.advanced(by: .seconds(1 << 30))))
    }

    @Test(
        "Retry-After is seconds or a date",
        arguments: [
            ("120", Int64(120_000)), ("0", 0), ("Wed, 21 Oct 2026 07:28:30 GMT", 30_000),
            ("Wed, 21 Oct 2026 07:00:00 GMT", 0),
            ("Sun, 01 Nov 2026 00:00:00 GMT", 923_520_000), ("-5", nil), ("soon", nil),
            ("Wed, 21 Foo 2026 07:28:30 GMT", nil),
        ])
    func retryAfter(text: String, expected: Int64?) {
        #expect(Patience.retryAfter(text, at: now)?.rawValue == expected)
    }

    @Test("a signature is HMAC-SHA256 over id, time and body; RFC 4231's second case")
    func signature() {
        let mac = Signature.hmac(Array("what do ya want for nothing?".utf8), key: Array("Jefe".utf8))
        #expect(
            mac.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
                == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843")
        #expect(Signature.key(of: "whsec_a2V5IQ==") == Array("key!".utf8))
        #expect(Signature.key(of: "whsec_a2V5") == Array("key".utf8))
        #expect(Signature.key(of: "whsec_?") == Array("whsec_?".utf8))
        #expect(Signature.base64([]) == "" && Signature.base64([1, 2, 3, 4]) == "AQIDBA==")
        let one = Signature.header(id: "a", seconds: 1, body: [0x62], secret: "s")
        #expect(one == "v1," + Signature.base64(Signature.hmac(Array("a.1.b".utf8), key: [0x73])))
    }

    @Test("what is written to the file is read again")
    func stored() throws {
        let webhook = try Webhook(
            id: "a1", url: "https://example.org:8443/x?y=1", types: ["task.*"], namespaces: ["n"], tasks: ["t"],
            secret: "secret:k", after: SequenceNumber(7), created: now, disableAfter: .seconds(60))
        #expect(Webhook(stored: webhook.json) == webhook)
        #expect(Webhook(stored: ["id": "a"]) == nil)
    }

    @Test(
        "an address is a server and what it is asked for",
        arguments: [
            ("https://example.org", "/"), ("http://[::1]:80/a/b", "/a/b"), ("https://example.org?x=1", "/?x=1"),
        ])
    func addresses(text: String, path: String) throws {
        #expect(try OutwardURL(text).path == path)
    }

    @Test(
        "no address",
        arguments: [
            "example.org", "unix:/x", "file:///etc/passwd", "http://", "http:///x", "http://a@b/", "http://x/ y",
            "http://x/#y",
            "http://x/ä", "https://x/\u{7}",
        ])
    func noAddress(text: String) {
        #expect(throws: (any Error).self) { try OutwardURL(text) }
    }
}
