import CCrypto

/// Bytes as text (RFC 4648 section 4), with padding, by libcrypto.
enum Base64 {
    static func encode(_ bytes: [UInt8]) -> String {
        // libcrypto ends the text with a zero.
        let text = [UInt8](unsafeUninitializedCapacity: (bytes.count + 2) / 3 * 4 + 1) { buffer, count in
            count = Int(EVP_EncodeBlock(buffer.baseAddress, bytes, Int32(bytes.count)))
        }
        return String(decoding: text, as: UTF8.self)
    }

    /// Nil for text that is not what ``encode(_:)`` writes.
    static func decode(_ text: String) -> [UInt8]? {
        let letters = Array(text.utf8)
        guard letters.count % 4 == 0, let length = Int32(exactly: letters.count) else { return nil }
        let padding = letters.suffix(2).count { $0 == UInt8(ascii: "=") }
        let bytes = [UInt8](unsafeUninitializedCapacity: letters.count / 4 * 3) { buffer, count in
            count = max(0, Int(EVP_DecodeBlock(buffer.baseAddress, letters, length)) - padding)
        }
        // libcrypto passes over blanks, and over bits behind the last byte; then two texts would stand for the same bytes.
        return encode(bytes) == text ? bytes : nil
    }
}

/// The bytes that hexadecimal digits stand for, two each; nil for anything else.
package func bytes(hexadecimal text: String) -> [UInt8]? {
    let digits = text.compactMap(\.hexDigitValue)
    guard digits.count == text.count, digits.count.isMultiple(of: 2) else { return nil }
    return stride(from: 0, to: digits.count, by: 2).map { UInt8(digits[$0] * 16 + digits[$0 + 1]) }
}
