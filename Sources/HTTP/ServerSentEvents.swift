/// Takes server-sent events out of the bytes of a stream, wherever those are cut.
public struct ServerSentEvents: Sendable {
    public struct Event: Hashable, Sendable {
        /// Empty when the server has given none.
        public var id = ""
        public var type = ""
        public var data = ""

        public init(id: String = "", type: String = "", data: String = "") {
            (self.id, self.type, self.data) = (id, type, data)
        }
    }

    private var line: [UInt8] = []
    private var event = Event()
    private var data: [String] = []

    public init() {}

    /// Takes the next bytes.
    /// - Returns: the events that are whole now.
    public mutating func take(_ bytes: some Sequence<UInt8>) -> [Event] {
        var found: [Event] = []
        for byte in bytes {
            guard byte == UInt8(ascii: "\n") else {
                line.append(byte)
                continue
            }
            if line.isEmpty {
                if !data.isEmpty {
                    event.data = data.joined(separator: "\n")
                    found.append(event)
                }
                (event, data) = (Event(), [])
            } else {
                takeField(String(decoding: line, as: UTF8.self))
                line.removeAll(keepingCapacity: true)
            }
        }
        return found
    }

    private mutating func takeField(_ text: String) {
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        var value = parts.count > 1 ? parts[1] : ""
        if value.first == " " { value.removeFirst() }
        switch parts[0] {
        case "id": event.id = String(value)
        case "event": event.type = String(value)
        case "data": data.append(String(value))
        default: break
        }
    }
}
