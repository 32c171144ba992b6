/// Cuts what a process writes to standard error into lines of bounded length.
struct LogLines {
    let bytesMax: Int
    /// The rest of a line whose beginning was handed out already.
    private var isSkipping = false

    init(bytesMax: Int) {
        self.bytesMax = max(1, bytesMax)
    }

    /// Hands out the lines that are complete, and at the end what is left. Bytes that are no UTF-8 become replacement characters.
    mutating func take(from bytes: inout ByteQueue, isEnd: Bool, _ body: (String) -> Void) {
        while let line = bytes.takeLine() { emit(line, body) }
        if isEnd {
            if bytes.count > 0 { emit(bytes.takeAll(), body) }
        } else if isSkipping {
            bytes.removeAll()
        } else if bytes.count > bytesMax {
            emit(bytes.takeAll(), body)
            isSkipping = true
        }
    }

    private mutating func emit(_ line: [UInt8], _ body: (String) -> Void) {
        guard !isSkipping else {
            isSkipping = false
            return
        }
        guard line.count > bytesMax else {
            let end = line.last == UInt8(ascii: "\r") ? line.count - 1 : line.count
            return body(String(decoding: line[..<end], as: UTF8.self))
        }
        // Not within a character.
        var end = bytesMax
        while end > 0, line[end] & 0xC0 == 0x80 { end -= 1 }
        body(String(decoding: line[..<end], as: UTF8.self) + "…")
    }
}
