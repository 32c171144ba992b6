import StepwellModel
import Testing

@testable import StepwellLog

struct TemplateCodecTests {
    @Test("a template comes back as it was written", arguments: 0..<200 as Range<UInt64>)
    func roundTrip(_ seed: UInt64) throws {
        var generator = SeededGenerator(seed: seed)
        let template = generator.template()
        let (digest, bytes) = template.encoded()
        #expect(digest.bytes == SHA256.hash(bytes))
        #expect(try bytes.withUnsafeBytes { try TemplateCodec.decode($0, digest: digest) } == template)
        #expect(template.digest == digest)
    }

    @Test("a template that was changed does not match its digest")
    func digest() {
        var generator = SeededGenerator(seed: 1)
        var (digest, bytes) = generator.template().encoded()
        bytes[bytes.count / 2] ^= 1
        #expect(throws: LogError.self) { try bytes.withUnsafeBytes { try TemplateCodec.decode($0, digest: digest) } }
    }

    @Test("bytes that are cut short or flipped are refused or read, never more", arguments: 0..<20 as Range<UInt64>)
    func malformed(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        let bytes = TemplateCodec.encode(generator.template())
        for count in 0..<bytes.count {
            #expect(throws: CBORError.self) { try bytes[..<count].withUnsafeBytes { try TemplateCodec.decode($0) } }
        }
        for _ in 0..<500 {
            var flipped = bytes
            flipped[Int.random(in: bytes.indices, using: &generator)] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
            if let template = try? flipped.withUnsafeBytes({ try TemplateCodec.decode($0) }) {
                for step in template.steps {
                    #expect(step.dependencies.allSatisfy { template.steps.indices.contains($0) })
                }
            }
        }
    }

    /// A digest names the template in the log for good: these bytes may never change.
    @Test("the bytes of a template are frozen")
    func frozen() {
        let retry = RetryPolicy(
            retryable: true, attemptsMax: 5, backoff: .linear, initialDelay: .seconds(1), maximumDelay: .seconds(30),
            jitter: false, lossesMax: 10)
        let template = Template(
            namespace: "data", name: "report", version: "1.2.0",
            steps: [
                StepTemplate(name: "extract", handler: .callable("extract_sales", method: "call"), retry: retry),
                StepTemplate(
                    name: "load", description: "d", handler: .command(["sh", "-c", "true"]), dependencies: [0],
                    retry: retry, timeout: .seconds(30)),
            ])
        let (digest, bytes) = template.encoded()
        #expect(hexadecimal(bytes) == Golden.template)
        #expect(hexadecimal(digest.bytes) == Golden.templateDigest)
    }
}

extension SeededGenerator {
    mutating func template() -> Template {
        let count = Int.random(in: 0..<6, using: &self)
        return Template(
            namespace: text(), name: text(), version: text(), description: maybe { $0.text() },
            steps: (0..<count).map { step($0) }, details: json(), inputSchema: maybe { $0.json() },
            environment: maybe { $0.text() }, unsupported: bool() ? [] : [text()])
    }

    private mutating func step(_ index: Int) -> StepTemplate {
        var handler = HandlerTemplate(
            target: bool()
                ? .callable(text(), method: text())
                : .command((0..<Int.random(in: 0..<3, using: &self)).map { _ in text() }),
            configuration: json(), environment: bool() ? [] : [EnvironmentVariable(text(), text())])
        handler.workingDirectory = maybe { $0.text() }
        return StepTemplate(
            name: text(), description: maybe { $0.text() }, handler: handler,
            dependencies: (0..<index).filter { _ in bool() },
            retry: RetryPolicy(
                retryable: bool(), attemptsMax: Int.random(in: 1...20, using: &self),
                backoff: RetryPolicy.Backoff.allCases.randomElement(using: &self)!,
                initialDelay: Milliseconds(signed()), maximumDelay: Milliseconds(signed()), jitter: bool(),
                lossesMax: small()),
            timeout: maybe { Milliseconds($0.signed()) }, resultSchema: maybe { $0.json() }, details: json())
    }
}
