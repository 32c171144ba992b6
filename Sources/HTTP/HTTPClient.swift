import CCurl
import CLinux
import Glibc
import Synchronization

/// One connection to one server, kept open between requests. It serves one request at a time and blocks the calling thread;
/// another thread may interrupt it.
public final class HTTPClient: @unchecked Sendable {  // The handles are used under `turn`, but for wakeups.
    public let address: HTTPAddress
    private let turn = Mutex(())
    private let easy: UnsafeMutableRawPointer?
    private let multi: UnsafeMutableRawPointer?
    private let isInterrupted = Atomic(false)
    /// What curl is told of the socket: its path, or a shorter name for it.
    private let socketName: String?
    /// The directory by which the shorter name goes; -1 without one.
    private let directory: Int32
    /// Where curl says more of an error.
    private let trouble = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))

    private static let connectLimit = 10_000
    private static let socketBytesMax = 107
    private static let pollMilliseconds: Int32 = 1000

    /// - Parameter address: `http://host:port`, `https://host:port`, or `unix:PATH`.
    /// - Throws: ``HTTPError/badAddress(_:reason:)``.
    public convenience init(address: String) throws(HTTPError) {
        self.init(try HTTPAddress(address))
    }

    public init(_ address: HTTPAddress) {
        self.address = address
        (socketName, directory) = Self.shortened(address.socket)
        trouble.initialize(repeating: 0, count: Int(CURL_ERROR_SIZE))
        curl_global_init(Int(CURL_GLOBAL_DEFAULT))
        easy = curl_easy_init()
        multi = curl_multi_init()
    }

    deinit {
        if let multi { curl_multi_cleanup(multi) }
        if let easy { curl_easy_cleanup(easy) }
        if directory >= 0 { close(directory) }
        trouble.deallocate()
    }

    /// The system takes no more than 107 bytes for the name of a socket. A longer path goes by its open directory.
    private static func shortened(_ path: String?) -> (name: String?, directory: Int32) {
        guard let path, path.utf8.count > socketBytesMax, let slash = path.lastIndex(of: "/") else { return (path, -1) }
        let directory = linux_open_directory(slash == path.startIndex ? "/" : String(path[..<slash]))
        guard directory >= 0 else { return (path, -1) }
        return ("/proc/self/fd/\(directory)\(path[slash...])", directory)
    }

    /// Sends a request and waits for the whole answer, whatever its status.
    /// - Parameters:
    ///   - path: from the `/`, escaped, with its query.
    ///   - timeout: for all of it; nil: as long as it takes.
    ///   - isFresh: over a new connection. One that the server has closed meanwhile would leave it open what has happened, and
    ///     curl would send the request once more by itself.
    ///   - answerBytesMax: what comes after so many bytes is not read; nil: all of it is.
    /// - Throws: ``HTTPError`` when no answer came.
    public func send(
        _ method: String, _ path: String, body: [UInt8]? = nil, headers: [(name: String, value: String)] = [],
        timeout: Duration? = .seconds(60), isFresh: Bool = false, answerBytesMax: Int? = nil
    ) throws(HTTPError) -> HTTPAnswer {
        try perform(Transfer(bytesMax: answerBytesMax) { _ in true }, method, path, body, headers, timeout, isFresh)
    }

    /// Asks for something that comes bit by bit, such as server-sent events.
    /// - Parameter onData: gets the bytes of a good answer (status 200 to 299) as they come; false ends the request.
    /// - Returns: the answer; its body is empty when it was handed on.
    /// - Throws: ``HTTPError`` when no answer came, or the connection broke.
    public func stream(
        _ path: String, headers: [(name: String, value: String)] = [],
        onData: @escaping ([UInt8]) -> Bool
    ) throws(HTTPError) -> HTTPAnswer {
        try perform(Transfer(handsOn: true, onData), "GET", path, nil, headers, nil, false)
    }

    /// Breaks off the request that is on its way, or the next one. From any thread.
    public func interrupt() {
        isInterrupted.store(true, ordering: .releasing)
        if let multi { curl_multi_wakeup(multi) }
    }

    /// Forgets an interruption that has met no request.
    public func clearInterrupt() { isInterrupted.store(false, ordering: .releasing) }

    private func perform(
        _ transfer: Transfer, _ method: String, _ path: String, _ body: [UInt8]?,
        _ headers: [(name: String, value: String)], _ timeout: Duration?, _ isFresh: Bool
    ) throws(HTTPError) -> HTTPAnswer {
        let end = turn.withLock { _ in
            withExtendedLifetime(transfer) { () -> Result<Void, HTTPError> in
                var list: UnsafeMutablePointer<curl_slist>?
                defer { curl_slist_free_all(list) }
                // Without this, curl waits for the server's leave before it sends a large body.
                for header in headers + [("Expect", "")] {
                    list = curl_slist_append(list, "\(header.name): \(header.value)") ?? list
                }
                prepare(transfer, method, path, list, timeout, isFresh)
                guard let body else { return run(transfer, timeout) }
                return body.withUnsafeBytes { bytes in
                    curl_set_size(easy, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
                    return withUnsafePointer(to: 0 as UInt8) { nothing in
                        curl_set_pointer(easy, CURLOPT_POSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(nothing))
                        return run(transfer, timeout)
                    }
                }
            }
        }
        try end.get()
        return transfer.answer
    }

    private func prepare(
        _ transfer: Transfer, _ method: String, _ path: String, _ headers: UnsafeMutablePointer<curl_slist>?,
        _ timeout: Duration?, _ isFresh: Bool
    ) {
        curl_easy_reset(easy)
        curl_set_text(easy, CURLOPT_URL, address.base + path)
        curl_set_text(easy, CURLOPT_CUSTOMREQUEST, method)
        if let socket = socketName { curl_set_text(easy, CURLOPT_UNIX_SOCKET_PATH, socket) }
        // The dots of a task's key are no way up.
        curl_set_number(easy, CURLOPT_PATH_AS_IS, 1)
        trouble.pointee = 0
        curl_set_pointer(easy, CURLOPT_ERRORBUFFER, trouble)
        for (variable, option) in [("SSL_CERT_FILE", CURLOPT_CAINFO), ("SSL_CERT_DIR", CURLOPT_CAPATH)] {
            if let path = getenv(variable), path.pointee != 0 { curl_set_text(easy, option, path) }
        }
        curl_set_text(easy, CURLOPT_PROXY, "")
        curl_set_number(easy, CURLOPT_NOSIGNAL, 1)
        curl_set_number(easy, CURLOPT_FRESH_CONNECT, isFresh ? 1 : 0)
        curl_set_number(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1)
        curl_set_number(easy, CURLOPT_CONNECTTIMEOUT_MS, Self.connectLimit)
        if let timeout { curl_set_number(easy, CURLOPT_TIMEOUT_MS, max(1, Int(timeout / .milliseconds(1)))) }
        curl_set_pointer(easy, CURLOPT_HTTPHEADER, headers)
        let context = Unmanaged.passUnretained(transfer).toOpaque()
        curl_set_pointer(easy, CURLOPT_WRITEDATA, context)
        curl_set_callback(easy, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            let transfer = Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
            return transfer.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
        }
        curl_set_pointer(easy, CURLOPT_HEADERDATA, context)
        curl_set_callback(easy, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            let transfer = Unmanaged<Transfer>.fromOpaque(context!).takeUnretainedValue()
            transfer.takeHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
            return size * count
        }
        transfer.status = { [easy] in curl_status(easy) }
    }

    private func run(_ transfer: Transfer, _ timeout: Duration?) -> Result<Void, HTTPError> {
        curl_multi_add_handle(multi, easy)
        defer { curl_multi_remove_handle(multi, easy) }
        var running: Int32 = 1
        while true {
            if isInterrupted.exchange(false, ordering: .acquiringAndReleasing) { return .failure(.interrupted) }
            let trouble = curl_multi_perform(multi, &running)
            guard trouble == CURLM_OK else {
                return .failure(.noConnection("\(address)", reason: String(cString: curl_multi_strerror(trouble))))
            }
            if running == 0 { break }
            curl_multi_poll(multi, nil, 0, Self.pollMilliseconds, nil)
        }
        let code = CURLcode(rawValue: UInt32(max(0, curl_ended(multi))))
        let said = String(cString: trouble)
        let reason = said.isEmpty ? String(cString: curl_easy_strerror(code)) : said
        transfer.answer.status = curl_status(easy)
        switch code {
        case CURLE_OK: return .success(())
        case CURLE_WRITE_ERROR where transfer.isEnough: return .success(())
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST:
            return .failure(.notReached("\(address)", reason: reason))
        case CURLE_OPERATION_TIMEDOUT where curl_connected(easy) == 0:
            return .failure(.notReached("\(address)", reason: reason))
        case CURLE_OPERATION_TIMEDOUT: return .failure(.timeout("\(address)", after: timeout ?? .seconds(10)))
        case CURLE_SSL_CONNECT_ERROR, CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CERTPROBLEM, CURLE_SSL_CIPHER,
            CURLE_SSL_CACERT_BADFILE, CURLE_SSL_ISSUER_ERROR, CURLE_SSL_CRL_BADFILE, CURLE_SSL_INVALIDCERTSTATUS:
            return .failure(.noTrust("\(address)", reason: reason))
        case CURLE_UNSUPPORTED_PROTOCOL, CURLE_WEIRD_SERVER_REPLY:
            return .failure(.noHTTP("\(address)", reason: reason))
        default: return .failure(.noConnection("\(address)", reason: reason))
        }
    }
}

/// What curl's calls fill while a request is on its way.
private final class Transfer {
    var answer = HTTPAnswer(status: 0, body: [], headers: [])
    var status: () -> Int = { 0 }
    private(set) var isEnough = false
    private let handsOn: Bool
    private let bytesMax: Int
    private let onData: ([UInt8]) -> Bool

    init(handsOn: Bool = false, bytesMax: Int? = nil, _ onData: @escaping ([UInt8]) -> Bool) {
        self.handsOn = handsOn
        self.bytesMax = bytesMax ?? .max
        self.onData = onData
    }

    /// False when no more is wanted.
    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        guard handsOn, 200..<300 ~= status() else {
            answer.body.append(contentsOf: bytes.prefix(bytesMax - answer.body.count))
            isEnough = answer.body.count >= bytesMax
            return !isEnough
        }
        isEnough = !onData(Array(bytes))
        return !isEnough
    }

    func takeHeader(_ bytes: UnsafeRawBufferPointer) {
        let line = String(decoding: bytes, as: UTF8.self)
        // Another status line: what came before belonged to an answer in between.
        if line.hasPrefix("HTTP/") { answer.headers = [] }
        guard let colon = line.firstIndex(of: ":") else { return }
        let value = line[line.index(after: colon)...].drop { $0.isWhitespace }
        let end = value.lastIndex { !$0.isWhitespace }.map { value.index(after: $0) } ?? value.startIndex
        answer.headers.append((line[..<colon].lowercased(), String(value[..<end])))
    }
}
