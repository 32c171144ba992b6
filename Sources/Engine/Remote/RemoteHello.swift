package import StepwellModel

/// How a worker elsewhere presents itself: `hello` of `docs/worker-protocol.md`, with what only a carrier without a process
/// needs.
package struct RemoteHello: Sendable {
    var hello: WorkerMessage.Hello
    package var name: String
    /// The steps of which namespaces it runs; none: of all.
    package var namespaces: [String]
    package var labels: [WorkerLabel]

    private static let nameBytesMax = 64
    private static let listMax = 100

    /// - Throws: ``RemoteError``.
    package init(_ body: [UInt8]) throws(RemoteError) {
        do {
            guard case .hello(let hello) = try Self.message(body) else {
                throw Malformed("the first message must be hello")
            }
            let reader = try MessageReader(body)
            self.hello = hello
            let given = try reader.optionalString("name") ?? hello.sdk?.split(separator: " ").first.map(String.init)
            name = given ?? "worker"
            guard !name.isEmpty, name.utf8.count <= Self.nameBytesMax, name.isOneWord else {
                throw Malformed("'name' must have 1 to \(Self.nameBytesMax) bytes, and no spaces or '#'")
            }
            namespaces = try reader.optionalStrings("namespaces")
            guard namespaces.count <= Self.listMax else { throw Malformed("more than \(Self.listMax) namespaces") }
            labels = []
            guard let text = try reader.optionalObject("labels") else { return }
            for member in text.json.members ?? [] {
                guard let value = member.value.string else { throw Malformed("'labels' must be an object of strings") }
                labels.append(WorkerLabel(name: member.name, value: value))
            }
            guard labels.count <= Self.listMax else { throw Malformed("more than \(Self.listMax) labels") }
        } catch let error as Malformed {
            throw .malformed(error.reason)
        } catch let error as RemoteError {
            throw error
        } catch { throw .malformed("\(error)") }
    }

    private static func message(_ body: [UInt8]) throws -> WorkerMessage {
        let message = try WorkerMessage(body)
        if case .otherProtocol(let version) = message { throw RemoteError.otherProtocol(version) }
        return message
    }
}

extension String {
    fileprivate var isOneWord: Bool {
        unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F && $0 != "#" && !(0x80...0x9F ~= $0.value) }
    }
}
