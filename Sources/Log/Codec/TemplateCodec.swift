package import StepwellModel

/// Templates as bytes: a CBOR map with integer keys. Equal templates have equal bytes, so the SHA-256 of the bytes names the
/// template. Every value is written, also one that equals today's default: a default may change, a digest may not.
package enum TemplateCodec {
    package static func encode(_ template: Template) -> [UInt8] {
        var writer = CBORWriter()
        var count = 6
        if template.description != nil { count += 1 }
        if template.inputSchema != nil { count += 1 }
        if template.environment != nil { count += 1 }
        if !template.unsupported.isEmpty { count += 1 }
        writer.map(count)
        writer.field(1, template.namespace)
        writer.field(2, template.name)
        writer.field(3, template.version)
        writer.field(4, template.description)
        writer.key(5)
        writer.array(template.steps.count)
        for step in template.steps { encode(step, into: &writer) }
        writer.field(6, template.details)
        writer.field(7, template.inputSchema)
        writer.field(8, template.environment)
        if !template.unsupported.isEmpty { writer.field(9, template.unsupported) }
        writer.key(10)
        writer.integer(template.priority)
        return writer.bytes
    }

    /// The template that the log keeps under `digest`. Bytes that do not hash to it are refused.
    package static func decode(_ bytes: UnsafeRawBufferPointer, digest: TemplateDigest) throws(LogError) -> Template {
        var hasher = SHA256()
        hasher.update(bytes)
        guard hasher.finish() == digest.bytes else {
            throw .corrupt("the template \(digest) does not match its digest", at: nil)
        }
        do throws(CBORError) {
            return try decode(bytes)
        } catch {
            throw .corrupt("the template \(digest): \(error)", at: nil)
        }
    }

    package static func decode(_ bytes: UnsafeRawBufferPointer) throws(CBORError) -> Template {
        var reader = CBORReader(bytes)
        var template = Template(namespace: "", name: "", version: "", steps: [], details: .null)
        var seen = KeySet()
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            seen.insert(key)
            switch key {
            case 1: template.namespace = try reader.text()
            case 2: template.name = try reader.text()
            case 3: template.version = try reader.text()
            case 4: template.description = try reader.text()
            case 5:
                let count = try reader.array()
                for _ in 0..<count { template.steps.append(try step(from: &reader, stepCount: count)) }
            case 6: template.details = try reader.json()
            case 7: template.inputSchema = try reader.json()
            case 8: template.environment = try reader.text()
            case 9: template.unsupported = try reader.texts()
            case 10: template.priority = Int(try reader.integer())
            default: try reader.skip()
            }
        }
        try reader.end()
        try seen.require([1, 2, 3, 5, 6, 10], at: reader.offset)
        return template
    }

    // MARK: Steps

    private static func encode(_ step: StepTemplate, into writer: inout CBORWriter) {
        var count = 5
        if step.description != nil { count += 1 }
        if step.timeout != nil { count += 1 }
        if step.resultSchema != nil { count += 1 }
        writer.map(count)
        writer.field(1, step.name)
        writer.field(2, step.description)
        writer.key(3)
        encode(step.handler, into: &writer)
        writer.key(4)
        writer.array(step.dependencies.count)
        for dependency in step.dependencies { writer.unsigned(dependency) }
        writer.key(5)
        encode(step.retry, into: &writer)
        if let timeout = step.timeout { writer.field(6, timeout) }
        writer.field(7, step.resultSchema)
        writer.field(8, step.details)
    }

    private static func step(
        from reader: inout CBORReader, stepCount: Int
    ) throws(CBORError) -> StepTemplate {
        var step = StepTemplate(name: "", handler: .command([]), details: .null)
        var seen = KeySet()
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            seen.insert(key)
            switch key {
            case 1: step.name = try reader.text()
            case 2: step.description = try reader.text()
            case 3: step.handler = try handler(from: &reader)
            case 4:
                for _ in 0..<(try reader.array()) {
                    let start = reader.offset
                    let dependency = try reader.unsigned(as: Int.self)
                    // Whoever walks the graph indexes by this number without asking again.
                    guard dependency < stepCount else { throw CBORError(.outOfRange, at: start) }
                    step.dependencies.append(dependency)
                }
            case 5: step.retry = try retryPolicy(from: &reader)
            case 6: step.timeout = Milliseconds(try reader.integer())
            case 7: step.resultSchema = try reader.json()
            case 8: step.details = try reader.json()
            default: try reader.skip()
            }
        }
        try seen.require([1, 3, 4, 5, 8], at: reader.offset)
        return step
    }

    // MARK: Handlers

    private static func encode(_ handler: HandlerTemplate, into writer: inout CBORWriter) {
        let hasDirectory = handler.workingDirectory != nil
        switch handler.target {
        case .callable(let name, let method):
            writer.map(hasDirectory ? 5 : 4)
            writer.field(1, name)
            writer.field(2, method)
        case .command(let arguments):
            writer.map(hasDirectory ? 4 : 3)
            writer.field(3, arguments)
        }
        writer.field(4, handler.configuration)
        writer.key(5)
        writer.array(handler.environment.count)
        for variable in handler.environment {
            writer.array(2)
            writer.text(variable.name)
            writer.text(variable.value)
        }
        writer.field(6, handler.workingDirectory)
    }

    private static func handler(from reader: inout CBORReader) throws(CBORError) -> HandlerTemplate {
        var callable: String?
        var method: String?
        var command: [String]?
        var handler = HandlerTemplate(target: .command([]), configuration: .null)
        var seen = KeySet()
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            seen.insert(key)
            switch key {
            case 1: callable = try reader.text()
            case 2: method = try reader.text()
            case 3: command = try reader.texts()
            case 4: handler.configuration = try reader.json()
            case 5:
                for _ in 0..<(try reader.array()) {
                    let start = reader.offset
                    guard try reader.array() == 2 else { throw CBORError(.outOfRange, at: start) }
                    handler.environment.append(EnvironmentVariable(try reader.text(), try reader.text()))
                }
            case 6: handler.workingDirectory = try reader.text()
            default: try reader.skip()
            }
        }
        try seen.require([4, 5], at: reader.offset)
        switch (callable, method, command) {
        case (let callable?, let method?, nil): handler.target = .callable(callable, method: method)
        case (nil, nil, let command?): handler.target = .command(command)
        default: throw CBORError(.missing, at: reader.offset)
        }
        return handler
    }

    // MARK: Retry policies

    private static func encode(_ policy: RetryPolicy, into writer: inout CBORWriter) {
        writer.map(7)
        writer.field(1, policy.retryable)
        writer.key(2)
        writer.integer(policy.attemptsMax)
        writer.key(3)
        writer.unsigned(policy.backoff.rawValue)
        writer.field(4, policy.initialDelay)
        writer.field(5, policy.maximumDelay)
        writer.field(6, policy.jitter)
        writer.key(7)
        writer.integer(policy.lossesMax)
    }

    private static func retryPolicy(from reader: inout CBORReader) throws(CBORError) -> RetryPolicy {
        var policy = RetryPolicy()
        var seen = KeySet()
        var keys = try reader.map()
        while let key = try reader.key(&keys) {
            seen.insert(key)
            switch key {
            case 1: policy.retryable = try reader.bool()
            case 2: policy.attemptsMax = Int(try reader.integer())
            case 3: policy.backoff = try reader.enumeration()
            case 4: policy.initialDelay = Milliseconds(try reader.integer())
            case 5: policy.maximumDelay = Milliseconds(try reader.integer())
            case 6: policy.jitter = try reader.bool()
            case 7: policy.lossesMax = Int(try reader.integer())
            default: try reader.skip()
            }
        }
        try seen.require([1, 2, 3, 4, 5, 6, 7], at: reader.offset)
        return policy
    }
}

extension Template {
    /// The template's bytes in the log and the digest under which they are kept.
    package func encoded() -> (digest: TemplateDigest, bytes: [UInt8]) {
        let bytes = TemplateCodec.encode(self)
        return (TemplateDigest(SHA256.hash(bytes)), bytes)
    }

    package var digest: TemplateDigest { encoded().digest }
}

/// Which keys of a map were there, to find out which are missing.
struct KeySet {
    private var bits: UInt64 = 0

    mutating func insert(_ key: UInt64) {
        if key < 64 { bits |= 1 << key }
    }

    func require(_ keys: [UInt64], at offset: Int) throws(CBORError) {
        for key in keys where bits & 1 << key == 0 { throw CBORError(.missing, at: offset) }
    }
}

extension CBORWriter {
    fileprivate mutating func field(_ key: UInt64, _ value: String?) {
        guard let value else { return }
        self.key(key)
        text(value)
    }

    fileprivate mutating func field(_ key: UInt64, _ value: JSONText?) {
        guard let value else { return }
        self.key(key)
        json(value)
    }

    fileprivate mutating func field(_ key: UInt64, _ value: Bool) {
        self.key(key)
        bool(value)
    }

    fileprivate mutating func field(_ key: UInt64, _ value: Milliseconds) {
        self.key(key)
        integer(value.rawValue)
    }

    fileprivate mutating func field(_ key: UInt64, _ values: [String]) {
        self.key(key)
        array(values.count)
        for value in values { text(value) }
    }
}
