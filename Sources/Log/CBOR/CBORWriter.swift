package import StepwellModel

/// Writes deterministic CBOR (RFC 8949 section 4.2): every number in its shortest form, every length stated first. The caller
/// writes map keys in ascending order; that is the one rule that this type cannot keep for him.
package struct CBORWriter {
    /// Reused by its owner from one batch to the next.
    package var bytes: [UInt8] = []

    package init() {}

    package mutating func removeAll() { bytes.removeAll(keepingCapacity: true) }

    package mutating func unsigned(_ value: some FixedWidthInteger & UnsignedInteger) {
        head(CBORMajor.unsigned, UInt64(value))
    }

    /// A count or a place, which is never negative.
    package mutating func unsigned(_ value: Int) { head(CBORMajor.unsigned, UInt64(value)) }

    package mutating func integer(_ value: Int64) {
        if value >= 0 {
            head(CBORMajor.unsigned, UInt64(value))
        } else {
            // CBOR keeps -1 - n, which is the complement.
            head(CBORMajor.negative, UInt64(bitPattern: ~value))
        }
    }

    package mutating func integer(_ value: Int) { integer(Int64(value)) }

    package mutating func byteString(_ value: [UInt8]) {
        head(CBORMajor.bytes, UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    package mutating func text(_ value: String) {
        let units = value.utf8
        head(CBORMajor.text, UInt64(units.count))
        bytes.append(contentsOf: units)
    }

    package mutating func array(_ count: Int) { head(CBORMajor.array, UInt64(count)) }

    /// Begins a map of so many pairs; each is a ``key(_:)`` and a value.
    package mutating func map(_ count: Int) { head(CBORMajor.map, UInt64(count)) }

    package mutating func key(_ key: UInt64) { head(CBORMajor.unsigned, key) }

    package mutating func bool(_ value: Bool) { bytes.append(value ? 0xF5 : 0xF4) }

    package mutating func null() { bytes.append(0xF6) }

    /// A task's id, as a byte string of 16.
    package mutating func taskID(_ id: TaskID) {
        bytes.append(0x50)
        bigEndian(id.high)
        bigEndian(id.low)
    }

    /// JSON is kept as a byte string: its bytes come back exactly, and no reader of CBOR has a reason to look into them.
    package mutating func json(_ value: JSONText) { byteString(value.bytes) }

    @inline(__always)
    private mutating func head(_ major: UInt8, _ value: UInt64) {
        let initial = major << 5
        if value < 24 {
            bytes.append(initial | UInt8(truncatingIfNeeded: value))
        } else if value <= 0xFF {
            bytes.append(initial | 24)
            bytes.append(UInt8(truncatingIfNeeded: value))
        } else if value <= 0xFFFF {
            bytes.append(initial | 25)
            bigEndian(UInt16(truncatingIfNeeded: value))
        } else if value <= 0xFFFF_FFFF {
            bytes.append(initial | 26)
            bigEndian(UInt32(truncatingIfNeeded: value))
        } else {
            bytes.append(initial | 27)
            bigEndian(value)
        }
    }

    @inline(__always)
    private mutating func bigEndian<Value: FixedWidthInteger>(_ value: Value) {
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }
}

/// The upper three bits of an item's first byte.
enum CBORMajor {
    static let unsigned: UInt8 = 0
    static let negative: UInt8 = 1
    static let bytes: UInt8 = 2
    static let text: UInt8 = 3
    static let array: UInt8 = 4
    static let map: UInt8 = 5
    static let tag: UInt8 = 6
    static let simple: UInt8 = 7
}
