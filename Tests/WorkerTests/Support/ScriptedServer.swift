import Foundation
import Synchronization

/// Answers requests over HTTP with what it is told, one after the other, and keeps what it was asked.
final class ScriptedServer: Sendable {
    /// Nil: the connection ends without an answer. Empty: no answer ever comes.
    let answers: Mutex<[String?]>
    let requests = Mutex<[String]>([])
    let port: UInt16
    private let listener: Int32

    init(_ answers: [String?]) {
        self.answers = Mutex(answers)
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        port = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(listener, address, size)
                getsockname(listener, address, &size)
            }
            return UInt16(bigEndian: pointer.pointee.sin_port)
        }
        listen(listener, 10)
        let thread = Thread { [self] in serve() }
        thread.start()
    }

    var url: String { "http://127.0.0.1:\(port)" }

    static func answer(_ status: Int, _ body: String, _ header: String = "") -> String {
        "HTTP/1.1 \(status) X\r\nContent-Type: application/json\r\nContent-Length: \(body.utf8.count)\r\n"
            + "Connection: close\r\n\(header)\r\n\(body)"
    }

    func stop() { shutdown(listener, Int32(SHUT_RDWR)) }

    private func serve() {
        while true {
            let client = accept(listener, nil, nil)
            guard client >= 0 else { break }
            requests.withLock { $0.append(read(client)) }
            let answer = answers.withLock { $0.isEmpty ? nil : $0.removeFirst() }
            if answer == "" { continue }
            if let answer { _ = answer.withCString { send(client, $0, strlen($0), Int32(MSG_NOSIGNAL)) } }
            close(client)
        }
        close(listener)
    }

    /// One request, as far as its head and its announced body go.
    private func read(_ client: Int32) -> String {
        var text = ""
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while true {
            if let head = text.range(of: "\r\n\r\n") {
                let length = text.range(of: "Content-Length: ").flatMap { range in
                    Int(text[range.upperBound...].prefix { $0.isNumber })
                }
                if text[head.upperBound...].utf8.count >= length ?? 0 { return text }
            }
            let count = recv(client, &buffer, buffer.count, 0)
            guard count > 0 else { return text }
            text += String(decoding: buffer[..<count], as: UTF8.self)
        }
    }
}
