/// What the fuzzer is started with.
struct Options {
    var targets: [Target] = []
    var corpus = ""
    var seed: UInt64 = 1
    var first = 0
    var batches = Int.max
    var count = Int.max
    var seconds = Int.max
    var clients = 24
    /// Where what has failed is kept, so that it can be sent again.
    var failures = "."
    /// A file that is sent as it is.
    var replay: String?
    /// Speaks on standard input and output, as a worker.
    var isLineWorker = false

    static let usage = """
        usage: stepwell-fuzz --corpus FILE [--port N] [--socket PATH] [--seed N] [--count N] [--seconds N] [--clients N]
                             [--first N] [--batches N] [--failures DIR]
               stepwell-fuzz --lines --corpus FILE [--seed N]
               stepwell-fuzz --replay FILE (--port N | --socket PATH)
        """

    init(_ arguments: [String]) throws(Fault) {
        var rest = arguments[...]
        while let name = rest.popFirst() {
            if name == "--lines" {
                isLineWorker = true
                continue
            }
            guard let value = rest.popFirst() else { throw Fault("'\(name)' has no value\n\(Self.usage)") }
            switch name {
            case "--port": targets.append(.port(try Self.number(name, value)))
            case "--socket": targets.append(.path(value))
            case "--corpus": corpus = value
            case "--seed": seed = UInt64(try Self.number(name, value))
            case "--first": first = try Self.number(name, value)
            case "--batches": batches = try Self.number(name, value)
            case "--count": count = try Self.number(name, value)
            case "--seconds": seconds = try Self.number(name, value)
            case "--clients": clients = try Self.number(name, value)
            case "--failures": failures = value
            case "--replay": replay = value
            default: throw Fault("there is no option '\(name)'\n\(Self.usage)")
            }
        }
        guard !targets.isEmpty || isLineWorker, clients > 0 else { throw Fault(Self.usage) }
    }

    private static func number(_ name: String, _ value: String) throws(Fault) -> Int {
        guard let number = Int(value), number >= 0 else { throw Fault("'\(name)' takes a number, not '\(value)'") }
        return number
    }
}
