import Glibc

/// Bytes that were read from a pipe and are not used yet. They are read straight into its memory, searched once for the ends
/// of lines, and copied once, when they are taken.
struct ByteQueue: ~Copyable {
    enum Reading {
        case some
        case nothingYet
        case end
    }

    private static let chunk = 64 << 10
    private static let idleMax = 1 << 20

    private var base: UnsafeMutablePointer<UInt8>?
    private var capacity = 0
    private var start = 0
    private var end = 0
    /// No line ends between `start` and here.
    private var searched = 0

    init() {}

    deinit { free(base) }

    var count: Int { end - start }

    /// Reads once.
    mutating func read(from descriptor: Int32) -> Reading {
        makeRoom()
        guard let base else { return .nothingYet }
        while true {
            let count = Glibc.read(descriptor, base + end, capacity - end)
            if count > 0 {
                end += count
                return .some
            }
            if count == 0 { return .end }
            if errno == EINTR { continue }
            return errno == EAGAIN ? .nothingYet : .end
        }
    }

    /// Takes the next line, without its end; nil when it is not all here yet.
    mutating func takeLine() -> [UInt8]? {
        guard let base, searched < end, let found = memchr(base + searched, 0x0A, end - searched) else {
            searched = end
            return nil
        }
        let place = UnsafePointer(found.assumingMemoryBound(to: UInt8.self)) - UnsafePointer(base)
        let line = Array(UnsafeBufferPointer(start: base + start, count: place - start))
        drop(place + 1 - start)
        return line
    }

    mutating func takeAll() -> [UInt8] { take(count) }

    /// Takes the first `count` bytes, or all when there are fewer.
    mutating func take(_ count: Int) -> [UInt8] {
        guard let base else { return [] }
        let count = min(count, self.count)
        let bytes = Array(UnsafeBufferPointer(start: base + start, count: count))
        drop(count)
        return bytes
    }

    mutating func removeAll() { drop(count) }

    private mutating func drop(_ count: Int) {
        start += count
        searched = max(searched, start)
        guard start == end else { return }
        start = 0
        end = 0
        searched = 0
        if capacity > Self.idleMax {
            free(base)
            base = nil
            capacity = 0
        }
    }

    private mutating func makeRoom() {
        guard capacity - end < Self.chunk else { return }
        if let base, start > 0, count <= capacity / 2 {
            memmove(base, base + start, count)
            end -= start
            searched -= start
            start = 0
            if capacity - end >= Self.chunk { return }
        }
        // realloc moves the pages of a large block instead of its bytes.
        let larger = max(2 * Self.chunk, capacity * 2)
        guard let memory = realloc(base, larger) else { preconditionFailure("no memory for \(larger) bytes of a pipe") }
        base = memory.assumingMemoryBound(to: UInt8.self)
        capacity = larger
    }
}
