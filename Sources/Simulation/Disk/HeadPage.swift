import StepwellLog
import StepwellModel

/// One of the two sectors at the beginning of the simulated disk. Commits write them by turns, so that one of them always
/// tells where the log ended.
struct HeadPage: Equatable {
    static let byteCount = 72
    /// Where the frames begin: behind the two pages, each in a sector of its own.
    static let framesStart = 2 * SimulatedDisk.sectorBytes

    /// How many commits there were.
    var generation: UInt64 = 0
    /// Where the frames end.
    var end = framesStart
    var head = LogHead.empty

    var offset: Int { Int(generation % 2) * SimulatedDisk.sectorBytes }

    var encoded: [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.byteCount)
        for number in [generation, UInt64(end), head.number.rawValue, UInt64(bitPattern: head.time.milliseconds)] {
            append(number, to: &bytes)
        }
        bytes += head.hash
        append(checksum(bytes[...]), to: &bytes)
        return bytes
    }

    init() {}

    /// The page in those bytes, or nil if they are none: never written, or torn.
    init?(_ bytes: ArraySlice<UInt8>) {
        guard bytes.count >= Self.byteCount else { return nil }
        let page = bytes.prefix(Self.byteCount)
        let sum = number(page.suffix(8))
        guard sum == checksum(page.dropLast(8)), number(page.prefix(8)) > 0 else { return nil }
        let start = page.startIndex
        generation = number(page[start..<start + 8])
        end = Int(number(page[start + 8..<start + 16]))
        head = LogHead(
            number: SequenceNumber(number(page[start + 16..<start + 24])),
            time: Timestamp(milliseconds: Int64(bitPattern: number(page[start + 24..<start + 32]))),
            hash: Array(page[start + 32..<start + 64]))
    }

    /// The newest page that the bytes of a disk hold; that of an empty log if there is none.
    static func newest(in content: [UInt8]) -> HeadPage {
        let pages = [0, SimulatedDisk.sectorBytes].compactMap { start in
            start < content.count ? HeadPage(content[start...]) : nil
        }
        return pages.max { $0.generation < $1.generation } ?? HeadPage()
    }
}

private func append(_ number: UInt64, to bytes: inout [UInt8]) {
    withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
}

private func number(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }

/// FNV-1a: enough to tell a torn sector from a whole one.
func checksum(_ bytes: ArraySlice<UInt8>) -> UInt64 {
    bytes.withUnsafeBufferPointer { bytes in
        var sum: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in bytes { sum = (sum ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return sum
    }
}
