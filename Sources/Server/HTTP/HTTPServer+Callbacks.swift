import CMicroHTTPD
import Glibc
import Stepwell
import StepwellModel
import Synchronization

// What libmicrohttpd calls, on its own threads. Functions of a file, not closures: those of an executable's main file would belong
// to the main actor and end the process at the first request.

/// Called when the headers of a request are complete, for each piece of its body, at the body's end, and once more after the
/// connection was woken.
nonisolated func accessHandler(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?, url: UnsafePointer<CChar>?,
    method: UnsafePointer<CChar>?, version: UnsafePointer<CChar>?, data: UnsafePointer<CChar>?,
    size: UnsafeMutablePointer<Int>?, state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?
) -> MHD_Result {
    guard let context, let connection, let url, let method, let size, let state else { return .NO }
    let server = Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
    guard let known = state.pointee else {
        let exchange = server.open(
            connection, method: String(cString: method), url: url)
        state.pointee = Unmanaged.passRetained(exchange).toOpaque()
        // Without its body read, the connection ends after the answer: so nobody sends what nobody reads.
        if let fault = exchange.fault, exchange.isBodyDropped { return server.queue(fault, exchange) }
        return .YES
    }
    let exchange = Unmanaged<Exchange>.fromOpaque(known).takeUnretainedValue()
    if size.pointee > 0, let data {
        let taken = server.take(UnsafeRawBufferPointer(start: data, count: size.pointee), exchange)
        size.pointee = 0
        return taken ? .YES : .NO
    }
    if !exchange.isWhole {
        exchange.isWhole = true
        ConnectionRecord.of(connection)?.wait(for: exchange)
        if let fault = exchange.fault {
            exchange.answer(fault)
        } else {
            exchange.whenAbandoned(server.handler(exchange.head) { exchange.answer($0) })
            exchange.head.body = []
        }
    }
    return switch exchange.nextTurn() {
    case .answer(let response): server.queue(response, exchange)
    case .sleep: .YES
    case .close: .NO
    }
}

nonisolated func requestCompleted(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?,
    reason: MHD_RequestTerminationCode
) {
    guard let context, let connection, let known = state?.pointee else { return }
    let server = Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
    state?.pointee = nil
    let exchange = Unmanaged<Exchange>.fromOpaque(known).takeRetainedValue()
    server.end(exchange)
    if let told = server.answered {
        told(
            exchange.story(
                from: ConnectionRecord.of(connection)?.remote, isCut: reason != .REQUEST_TERMINATED_COMPLETED_OK))
    }
    ConnectionRecord.of(connection)?.receive(until: server.limits.headerTime.fromNow)
}

nonisolated func connectionChanged(
    context: UnsafeMutableRawPointer?, connection: OpaquePointer?,
    state: UnsafeMutablePointer<UnsafeMutableRawPointer?>?, change: MHD_ConnectionNotificationCode
) {
    guard let context, let connection, let state else { return }
    let server = Unmanaged<HTTPServer>.fromOpaque(context).takeUnretainedValue()
    if change == .CONNECTION_NOTIFY_STARTED {
        let credentials = server.currentCredentials
        let record = server.connections.open(mhd_descriptor(connection), from: remote(connection), credentials)
        credentials?.use(for: connection)
        state.pointee = Unmanaged.passRetained(record).toOpaque()
    } else if let known = state.pointee {
        state.pointee = nil
        server.connections.close(Unmanaged<ConnectionRecord>.fromOpaque(known).takeRetainedValue())
    }
}

nonisolated private func keepValue(
    context: UnsafeMutableRawPointer?, kind: MHD_ValueKind, name: UnsafePointer<CChar>?, nameSize: Int,
    value: UnsafePointer<CChar>?, valueSize: Int
) -> MHD_Result {
    guard let context, let name else { return .YES }
    let pairs = context.assumingMemoryBound(to: [(name: [UInt8], value: [UInt8])].self)
    let value = value.map { Array(UnsafeRawBufferPointer(start: $0, count: valueSize)) } ?? []
    pairs.pointee.append((Array(UnsafeRawBufferPointer(start: name, count: nameSize)), value))
    return .YES
}

nonisolated private func readStream(
    context: UnsafeMutableRawPointer?, position: UInt64, buffer: UnsafeMutablePointer<CChar>?, countMax: Int
) -> Int {
    guard let context, let buffer else { return mhdEndOfStream }
    let body = Unmanaged<StreamBody>.fromOpaque(context).takeUnretainedValue()
    guard let bytes = body.read(countMax) else { return mhdEndOfStream }
    bytes.withUnsafeBytes { UnsafeMutableRawPointer(buffer).copyMemory(from: $0.baseAddress!, byteCount: $0.count) }
    return bytes.count
}

nonisolated private func readBytes(
    context: UnsafeMutableRawPointer?, position: UInt64, buffer: UnsafeMutablePointer<CChar>?, countMax: Int
) -> Int {
    guard let context, let buffer else { return mhdEndOfStream }
    let body = Unmanaged<BytesBody>.fromOpaque(context).takeUnretainedValue()
    let count = body.read(at: Int(position), into: UnsafeMutableRawBufferPointer(start: buffer, count: countMax))
    return count > 0 ? count : mhdEndOfStream
}

nonisolated private func freeBytes(context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<BytesBody>.fromOpaque(context).release()
}

nonisolated private func freeStream(context: UnsafeMutableRawPointer?) {
    guard let context else { return }
    Unmanaged<StreamBody>.fromOpaque(context).takeRetainedValue().close()
}

/// MHD_CONTENT_READER_END_OF_STREAM, a macro with a cast.
private let mhdEndOfStream = -1
private let blockBytes = 32 << 10

extension HTTPServer {
    /// Reads the head of a request.
    fileprivate func open(
        _ connection: OpaquePointer, method: String, url: UnsafePointer<CChar>
    ) -> Exchange {
        ConnectionRecord.of(connection)?.receive(until: limits.bodyTime.fromNow)
        let path = HTTPRequest.parts(ofPath: Array(UnsafeRawBufferPointer(start: url, count: strlen(url))))
        var head = HTTPRequest(method: method, path: path ?? [])
        var isReadable = path != nil
        for (name, value) in values(of: connection, .GET_ARGUMENT_KIND) {
            guard let name = HTTPRequest.decoded(name, plusIsSpace: true),
                let value = HTTPRequest.decoded(value, plusIsSpace: true)
            else {
                isReadable = false
                continue
            }
            head.query.append((name, value))
        }
        var length = 0
        var ends: [(name: String, value: String)] = []
        for (name, value) in values(of: connection, .HEADER_KIND) {
            let name = String(decoding: name, as: UTF8.self).lowercased()
            let value = String(decoding: value, as: UTF8.self)
            if name == "content-length" { length = Int(value) ?? 0 }
            // The library adds the second line of a value to its name.
            if Self.endNames.contains(where: name.hasPrefix) { ends.append((name, value)) }
            if HTTPRequest.headersKept.contains(name) { head.headers[name] = value }
        }
        head.remote = ConnectionRecord.of(connection)?.remote ?? ""
        let exchange = Exchange(
            connection: connection, head: head, bodyBytesMax: bodyLimit(head))
        if answered != nil { exchange.path = String(cString: url) }
        begin(exchange)
        if !isReadable { exchange.fault = Problem.badAddress.response }
        if ends.count > 1 || ends.contains(where: { !Self.endNames.contains($0.name) })
            || ends.contains(where: { $0.name == "transfer-encoding" && $0.value.lowercased() != "chunked" })
        {
            // Where this body ends is a matter of opinion, and so is where the next request begins.
            exchange.fault = Problem.unclearEnd.response
            exchange.isBodyDropped = true
        } else if length > exchange.bodyBytesMax {
            exchange.fault = Problem.bodyTooLarge(exchange.bodyBytesMax).response
            exchange.isBodyDropped = true
        } else if bytesReceived.load(ordering: .relaxed) + length > limits.bodiesBytesMax {
            exchange.fault = Problem.busy("too many requests are being received").response
            exchange.isBodyDropped = true
        } else {
            exchange.head.body.reserveCapacity(length)
        }
        return exchange
    }

    /// The headers that say where a body ends.
    private static let endNames = ["content-length", "transfer-encoding"]

    private func values(of connection: OpaquePointer, _ kind: MHD_ValueKind) -> [(name: [UInt8], value: [UInt8])] {
        var pairs: [(name: [UInt8], value: [UInt8])] = []
        withUnsafeMutablePointer(to: &pairs) { pointer in
            _ = MHD_get_connection_values_n(connection, kind, keepValue, pointer)
        }
        return pairs
    }

    /// Takes a piece of a body; false ends the connection.
    fileprivate func take(_ bytes: UnsafeRawBufferPointer, _ exchange: Exchange) -> Bool {
        if exchange.fault == nil, exchange.head.body.count + bytes.count > exchange.bodyBytesMax {
            exchange.fault = Problem.bodyTooLarge(exchange.bodyBytesMax).response
        }
        let received = bytesReceived.add(bytes.count, ordering: .relaxed).newValue
        exchange.bytesCounted += bytes.count
        if exchange.fault == nil, received > limits.bodiesBytesMax {
            exchange.fault = Problem.busy("too many requests are being received").response
        }
        guard exchange.fault != nil else {
            exchange.head.body.append(contentsOf: bytes)
            return true
        }
        // A body of unknown length that is too large: its end is waited for, but not for ever.
        bytesReceived.subtract(exchange.bytesCounted, ordering: .relaxed)
        exchange.bytesCounted = 0
        exchange.head.body = []
        exchange.bytesDropped += bytes.count
        return exchange.bytesDropped <= exchange.bodyBytesMax
    }
}

/// The address of the connection's other end.
nonisolated private func remote(_ connection: OpaquePointer) -> String {
    guard let address = mhd_client_address(connection) else { return "" }
    let size: Int
    switch Int32(address.pointee.sa_family) {
    case AF_INET: size = MemoryLayout<sockaddr_in>.size
    case AF_INET6: size = MemoryLayout<sockaddr_in6>.size
    case AF_UNIX: return "unix"
    default: return ""
    }
    return ListenAddress(address, socklen_t(size))?.description ?? ""
}

extension HTTPServer {
    fileprivate func queue(_ answer: HTTPResponse, _ exchange: Exchange) -> MHD_Result {
        guard let response = make(answer, for: exchange) else { return .NO }
        exchange.noteAnswer(answer)
        let connection = exchange.connection
        defer { MHD_destroy_response(response) }
        if !answer.contentType.isEmpty { MHD_add_response_header(response, "Content-Type", answer.contentType) }
        MHD_add_response_header(response, "X-Stepwell-Version", stepwellVersion)
        for (name, value) in answer.headers { MHD_add_response_header(response, name, value) }
        ConnectionRecord.of(connection)?.send(until: limits.sendTime.fromNow)
        return MHD_queue_response(connection, UInt32(answer.status), response)
    }

    private func make(_ answer: HTTPResponse, for exchange: Exchange) -> OpaquePointer? {
        switch answer.body {
        case .bytes(let bytes) where bytes.count > blockBytes:
            let body = BytesBody(
                bytes, record: ConnectionRecord.of(exchange.connection), sendTime: limits.sendTime)
            return MHD_create_response_from_callback(
                UInt64(body.count), blockBytes, readBytes, Unmanaged.passRetained(body).toOpaque(), freeBytes)
        case .bytes(let bytes):
            return bytes.withUnsafeBytes { buffer in
                MHD_create_response_from_buffer(
                    buffer.count, UnsafeMutableRawPointer(mutating: buffer.baseAddress), .RESPMEM_MUST_COPY)
            }
        case .stream(let source):
            let body = StreamBody(source, exchange, server: self)
            return MHD_create_response_from_callback(
                UInt64.max, blockBytes, readStream, Unmanaged.passRetained(body).toOpaque(), freeStream)
        }
    }
}
