import CChecksum

// A value and its checksum: an array of two, of which the second is the CRC-32C of the first's bytes, big-endian. LMDB has no
// checksums of its own, and the hash chain is too long to be followed whenever a value is read.

private let pair: UInt8 = 0x82
private let fourBytes: UInt8 = 0x44
private let tailSize = 5

extension CBORWriter {
    /// Writes what `body` writes, with its checksum.
    package mutating func checked(_ body: (inout CBORWriter) -> Void) {
        bytes.append(pair)
        let start = bytes.count
        body(&self)
        let sum = bytes.withRawBytes { checksum(UnsafeRawBufferPointer(rebasing: $0[start...])) }
        bytes.append(fourBytes)
        withUnsafeBytes(of: sum.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

extension CBORReader {
    /// Reads a value that was written with its checksum, or one of a store's first format, which has none.
    ///
    /// One flipped bit never turns the one form into the other: their first bytes differ in more.
    package init(checked bytes: UnsafeRawBufferPointer) throws(CBORError) {
        guard bytes.first == pair else {
            self.init(bytes)
            return
        }
        let end = bytes.count - tailSize
        guard end > 1, bytes[end] == fourBytes else { throw CBORError(.truncated, at: bytes.count) }
        let value = UnsafeRawBufferPointer(rebasing: bytes[1..<end])
        let sum = UInt32(bigEndian: bytes.loadUnaligned(fromByteOffset: end + 1, as: UInt32.self))
        guard checksum(value) == sum else { throw CBORError(.checksum, at: 0) }
        self.init(value)
    }
}

private func checksum(_ bytes: UnsafeRawBufferPointer) -> UInt32 {
    stepwell_crc32c(bytes.baseAddress, bytes.count)
}
