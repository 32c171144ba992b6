import Foundation

/// One connection to a server, kept open, as plain as possible: the load must cost little beside what is measured.
final class Connection {
    let descriptor: Int32
    private var buffer: [UInt8] = []

    struct Answer {
        var status: Int
        var body: ArraySlice<UInt8>

        func decoded<Value: Decodable>(_ type: Value.Type) throws -> Value {
            guard 200..<300 ~= status else {
                throw OptionError(
                    message: "the server has answered \(status): \(String(decoding: body, as: UTF8.self))")
            }
            return try JSONDecoder().decode(type, from: Data(body))
        }
    }

    /// - Parameter port: of this machine.
    init(port: Int) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw OptionError(message: "no connection to port \(port): errno \(errno)") }
        var yes: Int32 = 1
        setsockopt(descriptor, Int32(IPPROTO_TCP), TCP_NODELAY, &yes, socklen_t(MemoryLayout<Int32>.size))
    }

    deinit { close(descriptor) }

    /// The bytes of a request.
    static func request(_ method: String, _ path: String, _ body: String = "") -> [UInt8] {
        let head =
            "\(method) \(path) HTTP/1.1\r\nHost: bench\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        return Array((head + body).utf8)
    }

    func ask(_ request: [UInt8]) throws -> Answer {
        try send(request)
        while true {
            if let answer = takeAnswer() { return answer }
            guard try receive() else { throw OptionError(message: "the server has closed the connection") }
        }
    }

    func send(_ request: [UInt8]) throws {
        var sent = 0
        while sent < request.count {
            let count = request[sent...].withUnsafeBytes { write(descriptor, $0.baseAddress, $0.count) }
            guard count > 0 else { throw OptionError(message: "the server takes no request: errno \(errno)") }
            sent += count
        }
    }

    /// Reads what is there, or waits for something. False at the end.
    func receive() throws -> Bool {
        let old = buffer.count
        buffer.append(contentsOf: repeatElement(0, count: 1 << 16))
        let count = buffer[old...].withUnsafeMutableBytes { read(descriptor, $0.baseAddress, $0.count) }
        buffer.removeLast((1 << 16) - max(0, count))
        guard count >= 0 else { throw OptionError(message: "the connection is broken: errno \(errno)") }
        return count > 0
    }

    /// What was read so far of an answer without an end.
    func takeBytes() -> [UInt8] {
        defer { buffer.removeAll(keepingCapacity: true) }
        return buffer
    }

    /// An answer that is there as a whole.
    func takeAnswer() -> Answer? {
        guard let end = buffer.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: buffer[..<end.lowerBound], as: UTF8.self)
        let length =
            head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
            .flatMap { Int($0.dropFirst(15).trimmingCharacters(in: .whitespaces)) } ?? 0
        guard buffer.count >= end.upperBound + length else { return nil }
        let answer = Answer(
            status: Int(head.dropFirst(9).prefix(3)) ?? 0, body: buffer[end.upperBound..<end.upperBound + length])
        buffer.removeFirst(end.upperBound + length)
        return answer
    }
}
