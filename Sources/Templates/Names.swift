/// The rules for names: what stands in tables and on screens is short and on one line.
enum NameRule {
    case namespace, name, version, step, callable

    /// Bytes of UTF-8.
    var bytesMax: Int {
        switch self {
        case .namespace: 128
        case .name, .step: 255
        case .version: 64
        case .callable: 500
        }
    }
}

extension Findings {
    /// Reports a name that is empty, too long, or holds control characters, and gives nil.
    func checked(_ name: String, of key: String, _ rule: NameRule, at place: Place) -> String? {
        if name.utf8.allSatisfy({ $0 == UInt8(ascii: " ") }) {
            error(.badName, at: place, "'\(key)' is empty")
        } else if name.utf8.count > rule.bytesMax {
            error(.badName, at: place, "'\(key)' has \(name.utf8.count) bytes; \(rule.bytesMax) are allowed")
        } else if let control = name.unicodeScalars.first(where: isControl) {
            let number = String(control.value, radix: 16, uppercase: true).leftPadded(to: 4)
            error(.badName, at: place, "'\(key)' holds the control character U+\(number)", cure: "remove it")
        } else {
            return name
        }
        return nil
    }
}

/// The general category Cc: C0, DEL and C1.
private func isControl(_ scalar: Unicode.Scalar) -> Bool {
    scalar.value < 0x20 || 0x7F..<0xA0 ~= scalar.value
}
