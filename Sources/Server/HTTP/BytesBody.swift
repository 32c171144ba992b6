import StepwellModel

/// An answer that does not go out in one piece. The library asks for it block by block, so that it is seen whether the client reads.
final class BytesBody: Sendable {
    private let bytes: [UInt8]
    private let record: ConnectionRecord?
    private let sendTime: Milliseconds

    init(_ bytes: [UInt8], record: ConnectionRecord?, sendTime: Milliseconds) {
        self.bytes = bytes
        self.record = record
        self.sendTime = sendTime
    }

    var count: Int { bytes.count }

    /// Copies what comes next; 0 when there is no more.
    func read(at place: Int, into buffer: UnsafeMutableRawBufferPointer) -> Int {
        record?.send(until: sendTime.fromNow)
        let next = bytes.dropFirst(place).prefix(buffer.count)
        buffer.copyBytes(from: next)
        return next.count
    }
}
