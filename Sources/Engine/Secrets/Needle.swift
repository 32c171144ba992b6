import StepwellModel

/// One form in which a secret may be written down.
struct Needle: Sendable {
    var bytes: [UInt8]
    var name: String
    /// In base64, a letter beside the found ones may hold some bits of the secret too.
    var widensBefore = false
    var widensAfter = false

    /// Lines that are shorter say nothing by themselves.
    private static let lineBytesMin = 8

    static func forms(of value: String, name: String) -> [Needle] {
        let bytes = Array(value.utf8)
        var forms = [bytes, escaped(value, asciiOnly: false), escaped(value, asciiOnly: true)]
        for digits in [lowerDigits, upperDigits] {
            forms.append(bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] })
            forms.append(percentEncoded(bytes, digits))
        }
        // What writes line by line gives away a key of many lines piece by piece.
        let lines = value.split(whereSeparator: \.isNewline).map { Array(trimmed($0.utf8)) }
        if lines.count > 1 { forms += lines.filter { $0.count >= lineBytesMin } }
        if let json = try? JSONParser.parse(bytes), json.isStructure { forms.append(json.encoded) }
        var seen: Set<[UInt8]> = []
        return forms.filter { seen.insert($0).inserted }.map { Needle(bytes: $0, name: name) } + base64(bytes, name)
    }

    private static let lowerDigits = Array("0123456789abcdef".utf8)
    private static let upperDigits = Array("0123456789ABCDEF".utf8)

    private static func trimmed(_ text: Substring.UTF8View) -> Substring.UTF8View {
        func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }
        guard let first = text.firstIndex(where: { !isSpace($0) }), let last = text.lastIndex(where: { !isSpace($0) })
        else { return text.prefix(0) }
        return text[first...last]
    }

    /// As within a JSON text, without its quotes.
    private static func escaped(_ value: String, asciiOnly: Bool) -> [UInt8] {
        let text = Array(JSON.string(value).encoded.dropFirst().dropLast())
        guard asciiOnly else { return text }
        var result: [UInt8] = []
        for unit in String(decoding: text, as: UTF8.self).utf16 {
            if unit < 0x80 {
                result.append(UInt8(unit))
            } else {
                result += "\\u".utf8
                for shift in [12, 8, 4, 0] { result.append(lowerDigits[Int(unit >> UInt16(shift)) & 15]) }
            }
        }
        return result
    }

    /// As in the query of an address.
    private static func percentEncoded(_ bytes: [UInt8], _ digits: [UInt8]) -> [UInt8] {
        bytes.flatMap { byte -> [UInt8] in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"),
                UInt8(ascii: "~"):
                [byte]
            default: [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            }
        }
    }

    // MARK: Base64

    private static let standard = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    private static let urlSafe = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".utf8)

    /// The letters that depend on the secret alone, for each of the three places at which it can begin amid other bytes.
    private static func base64(_ bytes: [UInt8], _ name: String) -> [Needle] {
        var result: [Needle] = []
        var seen: Set<[UInt8]> = []
        for alphabet in [standard, urlSafe] {
            for offset in 0..<3 {
                let letters = encoded([UInt8](repeating: 0, count: offset) + bytes, alphabet)
                let first = (offset * 8 + 5) / 6
                let end = (offset + bytes.count) * 8 / 6
                let core = Array(letters[first..<end])
                guard core.count >= 4, seen.insert(core).inserted else { continue }
                result.append(
                    Needle(
                        bytes: core, name: name, widensBefore: offset > 0,
                        widensAfter: (offset + bytes.count) % 3 != 0))
            }
        }
        return result
    }

    /// Without padding; bits that are missing at the end are zero.
    private static func encoded(_ bytes: [UInt8], _ alphabet: [UInt8]) -> [UInt8] {
        var result: [UInt8] = []
        var (bits, count) = (0, 0)
        for byte in bytes {
            bits = bits << 8 | Int(byte)
            count += 8
            while count >= 6 {
                count -= 6
                result.append(alphabet[bits >> count & 63])
            }
            bits &= (1 << count) - 1
        }
        if count > 0 { result.append(alphabet[bits << (6 - count) & 63]) }
        return result
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        standard.contains(byte) || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
    }

    /// The found place, with the letters beside it that hold a few bits of the secret.
    func widened(_ place: Range<Int>, in text: [UInt8]) -> Range<Int> {
        var (lower, upper) = (place.lowerBound, place.upperBound)
        if widensBefore, lower > 0, Self.isLetter(text[lower - 1]) { lower -= 1 }
        if widensAfter, upper < text.count, Self.isLetter(text[upper]) { upper += 1 }
        return lower..<upper
    }
}
