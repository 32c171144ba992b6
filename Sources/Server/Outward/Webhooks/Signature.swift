import CCrypto
import StepwellModel

/// Signatures as Standard Webhooks has them: HMAC-SHA256 over the id, the time and the body.
enum Signature {
    private static let keyPrefix = "whsec_"

    /// The value of `webhook-signature`.
    /// - Parameter secret: `whsec_` with the key in base64 behind it, or any other text, whose bytes are the key.
    static func header(id: String, seconds: Int64, body: [UInt8], secret: String) -> String {
        "v1," + base64(hmac(Array("\(id).\(seconds).".utf8) + body, key: key(of: secret)))
    }

    static func key(of secret: String) -> [UInt8] {
        guard secret.hasPrefix(keyPrefix), let key = decoded(secret.dropFirst(keyPrefix.count).utf8) else {
            return Array(secret.utf8)
        }
        return key
    }

    static func hmac(_ bytes: [UInt8], key: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let made = HMAC(EVP_sha256(), key, Int32(key.count), bytes, bytes.count, &result, &count)
        precondition(made != nil, "no HMAC-SHA256")
        return Array(result[..<Int(count)])
    }

    static func base64(_ bytes: [UInt8]) -> String {
        var text = [UInt8](repeating: 0, count: (bytes.count + 2) / 3 * 4 + 1)
        let count = EVP_EncodeBlock(&text, bytes, Int32(bytes.count))
        return String(decoding: text[..<Int(count)], as: UTF8.self)
    }

    private static func decoded(_ text: Substring.UTF8View) -> [UInt8]? {
        guard !text.isEmpty, text.count % 4 == 0 else { return nil }
        var bytes = [UInt8](repeating: 0, count: text.count / 4 * 3)
        let count = EVP_DecodeBlock(&bytes, Array(text), Int32(text.count))
        guard count >= 0 else { return nil }
        // The padding counts as zero bytes.
        return Array(bytes[..<(Int(count) - text.suffix(2).count { $0 == UInt8(ascii: "=") })])
    }
}
