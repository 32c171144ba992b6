package import StepwellModel

/// Reads deterministic CBOR where it lies, without a copy and without a trap: bytes that a ``CBORWriter`` could not have
/// written are refused with the place of the fault.
///
/// The bytes must outlive the reader. What ``byteString()`` returns points into them.
package struct CBORReader {
    /// Levels of arrays, maps and tags that ``skip()`` follows. What this program writes has at most four.
    package static let depthMax = 32

    private let bytes: UnsafeRawBufferPointer
    package private(set) var offset = 0

    package init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    // MARK: Numbers

    @inline(__always)
    package mutating func unsigned() throws(CBORError) -> UInt64 {
        try head(expecting: CBORMajor.unsigned)
    }

    @inline(__always)
    package mutating func unsigned<Value: FixedWidthInteger>(as type: Value.Type) throws(CBORError) -> Value {
        let start = offset
        guard let value = Value(exactly: try unsigned()) else { throw CBORError(.outOfRange, at: start) }
        return value
    }

    @inline(__always)
    package mutating func integer() throws(CBORError) -> Int64 {
        let start = offset
        let (major, value) = try head()
        guard major <= CBORMajor.negative else { throw CBORError(.unexpectedType, at: start) }
        guard let magnitude = Int64(exactly: value) else { throw CBORError(.outOfRange, at: start) }
        return major == CBORMajor.unsigned ? magnitude : ~magnitude
    }

    package mutating func bool() throws(CBORError) -> Bool {
        guard offset < bytes.count else { throw CBORError(.truncated, at: offset) }
        switch bytes[offset] {
        case 0xF4: offset += 1; return false
        case 0xF5: offset += 1; return true
        default: throw CBORError(.unexpectedType, at: offset)
        }
    }

    // MARK: Strings

    /// The string's bytes, where they lie.
    @inline(__always)
    package mutating func byteString() throws(CBORError) -> UnsafeRawBufferPointer {
        try content(of: try head(expecting: CBORMajor.bytes))
    }

    package mutating func byteArray() throws(CBORError) -> [UInt8] {
        Array(try byteString())
    }

    package mutating func text() throws(CBORError) -> String {
        let start = offset
        let content = try content(of: try head(expecting: CBORMajor.text))
        guard let text = String(validating: content, as: UTF8.self) else { throw CBORError(.notUTF8, at: start) }
        return text
    }

    package mutating func taskID() throws(CBORError) -> TaskID {
        let start = offset
        let content = try byteString()
        guard content.count == 16 else { throw CBORError(.outOfRange, at: start) }
        return TaskID(high: content.bigEndian(at: 0), low: content.bigEndian(at: 8))
    }

    /// A JSON payload; `null` in its place when payloads are not wanted.
    package mutating func json(_ payloads: Payloads) throws(CBORError) -> JSONText {
        let content = try byteString()
        return switch payloads {
        case .included: JSONText(trusted: Array(content))
        case .skipped: .null
        }
    }

    package mutating func json() throws(CBORError) -> JSONText { try json(.included) }

    // MARK: Arrays and maps

    /// The number of elements that follow; never more than there are bytes.
    package mutating func array() throws(CBORError) -> Int {
        let start = offset
        let count = try head(expecting: CBORMajor.array)
        guard count <= UInt64(bytes.count - offset) else { throw CBORError(.truncated, at: start) }
        return Int(count)
    }

    package mutating func texts() throws(CBORError) -> [String] {
        let count = try array()
        var texts: [String] = []
        texts.reserveCapacity(count)
        for _ in 0..<count { texts.append(try text()) }
        return texts
    }

    /// Begins a map with unsigned keys; ``key(_:)`` brings them one after the other.
    @inline(__always)
    package mutating func map() throws(CBORError) -> Keys {
        let start = offset
        let count = try head(expecting: CBORMajor.map)
        guard count <= UInt64(bytes.count - offset) / 2 else { throw CBORError(.truncated, at: start) }
        return Keys(left: count)
    }

    /// How far the reading of a map has come.
    package struct Keys {
        fileprivate var left: UInt64
        fileprivate var last: UInt64?

        fileprivate init(left: UInt64) {
            self.left = left
        }
    }

    /// The map's next key, or nil at its end. The caller reads the value, with ``skip()`` if he does not know the key.
    @inline(__always)
    package mutating func key(_ keys: inout Keys) throws(CBORError) -> UInt64? {
        guard keys.left > 0 else { return nil }
        keys.left -= 1
        let start = offset
        let key = try unsigned()
        if let last = keys.last, key <= last { throw CBORError(.unordered, at: start) }
        keys.last = key
        return key
    }

    /// Throws unless everything was read.
    package func end() throws(CBORError) {
        guard offset == bytes.count else { throw CBORError(.trailing, at: offset) }
    }

    // MARK: Anything

    /// Passes over one value of any kind, and refuses it if it is not deterministic.
    package mutating func skip() throws(CBORError) {
        try skip(depth: 0)
    }

    private mutating func skip(depth: Int) throws(CBORError) {
        let start = offset
        guard depth <= Self.depthMax else { throw CBORError(.tooDeep, at: start) }
        guard offset < bytes.count else { throw CBORError(.truncated, at: start) }
        guard bytes[offset] >> 5 != CBORMajor.simple else { return try skipSimple() }
        let (major, value) = try head()
        switch major {
        case CBORMajor.bytes: _ = try content(of: value)
        case CBORMajor.text:
            let content = try content(of: value)
            guard String(validating: content, as: UTF8.self) != nil else { throw CBORError(.notUTF8, at: start) }
        case CBORMajor.array:
            guard value <= UInt64(bytes.count - offset) else { throw CBORError(.truncated, at: start) }
            for _ in 0..<value { try skip(depth: depth + 1) }
        case CBORMajor.map: try skipMap(of: value, depth: depth)
        case CBORMajor.tag: try skip(depth: depth + 1)
        default: break
        }
    }

    /// Any keys; section 4.2.1 orders them by their encoded bytes.
    private mutating func skipMap(of count: UInt64, depth: Int) throws(CBORError) {
        guard count <= UInt64(bytes.count - offset) / 2 else { throw CBORError(.truncated, at: offset) }
        var last: Range<Int>?
        for _ in 0..<count {
            let start = offset
            try skip(depth: depth + 1)
            let key = start..<offset
            if let last, !bytes[last].lexicographicallyPrecedes(bytes[key]) { throw CBORError(.unordered, at: start) }
            last = key
            try skip(depth: depth + 1)
        }
    }

    /// Booleans, null, other simple values, and floating-point numbers in the shortest form that keeps them.
    private mutating func skipSimple() throws(CBORError) {
        let start = offset
        let info = bytes[offset] & 31
        offset += 1
        switch info {
        case 0..<24: return
        case 24:
            guard try fixed(UInt8.self) >= 32 else { throw CBORError(.notShortest, at: start) }
        case 25:
            let value = Float16(bitPattern: try fixed(UInt16.self))
            guard !value.isNaN || value.bitPattern == 0x7E00 else { throw CBORError(.notShortest, at: start) }
        case 26:
            let value = Float(bitPattern: try fixed(UInt32.self))
            guard !value.isNaN, Float(Float16(value)) != value else { throw CBORError(.notShortest, at: start) }
        case 27:
            let value = Double(bitPattern: try fixed(UInt64.self))
            guard !value.isNaN, Double(Float(value)) != value else { throw CBORError(.notShortest, at: start) }
        case 31: throw CBORError(.indefinite, at: start)
        default: throw CBORError(.reserved, at: start)
        }
    }

    // MARK: Bytes

    @inline(__always)
    private mutating func head(expecting major: UInt8) throws(CBORError) -> UInt64 {
        let start = offset
        let (found, value) = try head()
        guard found == major else {
            offset = start
            throw CBORError(.unexpectedType, at: start)
        }
        return value
    }

    /// An item's major type and its number, which must be in its shortest form.
    @inline(__always)
    private mutating func head() throws(CBORError) -> (major: UInt8, value: UInt64) {
        guard offset < bytes.count else { throw CBORError(.truncated, at: offset) }
        let initial = bytes[offset]
        let info = initial & 31
        guard info >= 24 else {
            offset += 1
            return (initial >> 5, UInt64(info))
        }
        return (initial >> 5, try longHead(info))
    }

    private mutating func longHead(_ info: UInt8) throws(CBORError) -> UInt64 {
        let start = offset
        offset += 1
        let value: UInt64
        let least: UInt64
        switch info {
        case 24: (value, least) = (UInt64(try fixed(UInt8.self)), 24)
        case 25: (value, least) = (UInt64(try fixed(UInt16.self)), 0x100)
        case 26: (value, least) = (UInt64(try fixed(UInt32.self)), 0x1_0000)
        case 27: (value, least) = (try fixed(UInt64.self), 0x1_0000_0000)
        case 31: throw CBORError(.indefinite, at: start)
        default: throw CBORError(.reserved, at: start)
        }
        guard value >= least else { throw CBORError(.notShortest, at: start) }
        return value
    }

    @inline(__always)
    private mutating func fixed<Value: FixedWidthInteger>(_: Value.Type) throws(CBORError) -> Value {
        let size = MemoryLayout<Value>.size
        guard bytes.count - offset >= size else { throw CBORError(.truncated, at: offset) }
        defer { offset += size }
        return Value(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    @inline(__always)
    private mutating func content(of count: UInt64) throws(CBORError) -> UnsafeRawBufferPointer {
        guard count <= UInt64(bytes.count - offset) else { throw CBORError(.truncated, at: offset) }
        let start = offset
        offset += Int(count)
        return UnsafeRawBufferPointer(rebasing: bytes[start..<offset])
    }
}
