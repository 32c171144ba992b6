import CLinux
import StepwellModel

/// Puts `[secret:NAME]` where a secret's value stands, in whatever of its usual forms: as it is, escaped as in JSON or in an
/// address, in hexadecimal digits, in base64, also amid other bytes as in `Authorization: Basic`, and each longer line of it.
///
/// What a handler makes of a secret, such as a hash or a part of it, is not found.
package struct Redaction: Sendable {
    let needles: [Needle]
    /// Secrets that are JSON objects or arrays: one that was parsed and written again looks different.
    let structures: [(name: String, json: JSON)]

    static let nothing = Redaction([])
    /// Of a text that was cut off, an end that is so much of a secret's beginning is hidden too.
    private static let cutBytesMin = 8

    init(_ secrets: [(name: String, value: String)]) {
        // The longest first: within it, shorter ones are of no interest.
        needles = secrets.flatMap { Needle.forms(of: $0.value, name: $0.name) }.sorted {
            $0.bytes.count > $1.bytes.count
        }
        structures = secrets.compactMap { secret in
            guard let json = try? JSONParser.parse(Array(secret.value.utf8)), json.isStructure else { return nil }
            return (secret.name, json)
        }
    }

    package var isEmpty: Bool { needles.isEmpty }

    // MARK: Texts

    package func text(_ text: String) -> String {
        guard !isEmpty, let changed = bytes(Array(text.utf8)) else { return text }
        return String(decoding: changed, as: UTF8.self)
    }

    /// The bytes without secrets; nil when there were none.
    func bytes(_ bytes: [UInt8]) -> [UInt8]? {
        let places = places(in: bytes)
        guard !places.isEmpty else { return nil }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var end = 0
        for place in places {
            // Two that overlap are hidden together.
            guard place.range.upperBound > end else { continue }
            if place.range.lowerBound >= end {
                result += bytes[end..<place.range.lowerBound]
                result += Self.mark(place.name).utf8
            }
            end = place.range.upperBound
        }
        result += bytes[end...]
        return result
    }

    static func mark(_ name: String) -> String { "[secret:\(name)]" }

    private func places(in bytes: [UInt8]) -> [(range: Range<Int>, name: String)] {
        var places: [(range: Range<Int>, name: String)] = []
        for needle in needles {
            var start = 0
            while let found = Self.find(needle.bytes, in: bytes, from: start) {
                places.append((needle.widened(found, in: bytes), needle.name))
                start = found.upperBound
            }
            if let cut = cutPlace(of: needle, in: bytes) { places.append((cut, needle.name)) }
        }
        return places.sorted {
            ($0.range.lowerBound, -$0.range.upperBound) < ($1.range.lowerBound, -$1.range.upperBound)
        }
    }

    /// Where a text that ends with `…`, because it was cut, holds the beginning of a secret.
    private func cutPlace(of needle: Needle, in bytes: [UInt8]) -> Range<Int>? {
        let mark = Array("…".utf8)
        guard bytes.count >= mark.count, bytes[(bytes.count - mark.count)...].elementsEqual(mark) else { return nil }
        let end = bytes.count - mark.count
        var count = min(needle.bytes.count - 1, end)
        while count >= Self.cutBytesMin {
            if bytes[(end - count)..<end].elementsEqual(needle.bytes[..<count]) { return end - count..<end }
            count -= 1
        }
        return nil
    }

    /// Whether one of the secrets stands in these bytes, in any form.
    func isFound(in bytes: [UInt8]) -> String? {
        needles.first { Self.contains(bytes, $0.bytes) }?.name
    }

    // MARK: Bytes

    static func contains(_ bytes: [UInt8], _ needle: [UInt8]) -> Bool { find(needle, in: bytes, from: 0) != nil }

    private static func find(_ needle: [UInt8], in bytes: [UInt8], from start: Int) -> Range<Int>? {
        bytes.withUnsafeBytes { hay in
            guard let base = hay.baseAddress, start < hay.count else { return nil }
            guard let found = linux_find(base + start, hay.count - start, needle, needle.count) else { return nil }
            let lower = base.distance(to: UnsafeRawPointer(found))
            return lower..<lower + needle.count
        }
    }
}
