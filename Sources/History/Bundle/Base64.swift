/// Bytes as text (RFC 4648 section 4), with padding.
enum Base64 {
    private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let padding = UInt8(ascii: "=")
    /// For each byte the number that it stands for; 255 for none.
    private static let values: [UInt8] = {
        var values = [UInt8](repeating: 255, count: 256)
        for (value, letter) in alphabet.enumerated() { values[Int(letter)] = UInt8(value) }
        return values
    }()

    static func encode(_ bytes: [UInt8]) -> String {
        var text: [UInt8] = []
        text.reserveCapacity((bytes.count + 2) / 3 * 4)
        for start in stride(from: 0, to: bytes.count, by: 3) {
            let group = bytes[start..<min(start + 3, bytes.count)]
            var bits: UInt32 = 0
            for (place, byte) in group.enumerated() { bits |= UInt32(byte) << UInt32(16 - place * 8) }
            for place in 0..<4 {
                text.append(
                    place <= group.count ? alphabet[Int(bits >> UInt32(18 - place * 6)) & 63] : padding)
            }
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for text that is not what ``encode(_:)`` writes.
    static func decode(_ text: String) -> [UInt8]? {
        let letters = Array(text.utf8)
        guard letters.count % 4 == 0 else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(letters.count / 4 * 3)
        for start in stride(from: 0, to: letters.count, by: 4) {
            let isLast = start + 4 == letters.count
            let used = isLast ? letters[start...].prefix { $0 != padding }.count : 4
            guard used >= 2, letters[(start + used)...].prefix(4 - used).allSatisfy({ $0 == padding }) else {
                return nil
            }
            var bits: UInt32 = 0
            for place in 0..<used {
                let value = values[Int(letters[start + place])]
                guard value != 255 else { return nil }
                bits |= UInt32(value) << UInt32(18 - place * 6)
            }
            // Bits behind the last byte are zero, or two texts would stand for the same bytes.
            let spare = UInt32(24 - (used - 1) * 8)
            guard bits & ((1 << spare) - 1) == 0 else { return nil }
            for place in 0..<(used - 1) { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(16 - place * 8))) }
        }
        return bytes
    }
}

/// The bytes that hexadecimal digits stand for, two each; nil for anything else.
package func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}
