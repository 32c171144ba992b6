package import StepwellHTTP
import StepwellModel

/// Where traces go, and with which headers: an option of the command line, or the environment variables of OpenTelemetry.
package struct TraceReceiver: Sendable {
    let url: OutwardURL
    let headers: [(name: String, value: String)]
    let serviceName: String
    let resource: [(name: String, value: String)]

    private static let path = "/v1/traces"

    /// - Parameters:
    ///   - base: as with `OTEL_EXPORTER_OTLP_ENDPOINT`: `/v1/traces` is added to it.
    ///   - environment: where the variables are looked up.
    /// - Returns: nil when nobody wants traces.
    /// - Throws: ``HTTPError/badAddress(_:reason:)``.
    package init?(base: String?, environment: (String) -> String?) throws(HTTPError) {
        func variable(_ name: String) -> String? { environment("OTEL_" + name).flatMap { $0.isEmpty ? nil : $0 } }
        if base == nil, variable("SDK_DISABLED")?.lowercased() == "true" || variable("TRACES_EXPORTER") == "none" {
            return nil
        }
        if base == nil, let whole = variable("EXPORTER_OTLP_TRACES_ENDPOINT") {
            url = try OutwardURL(whole)
        } else if let base = base ?? variable("EXPORTER_OTLP_ENDPOINT") {
            var trimmed = Substring(base)
            while trimmed.last == "/" { trimmed.removeLast() }
            url = try OutwardURL(trimmed.hasSuffix(Self.path) ? String(trimmed) : trimmed + Self.path)
        } else {
            return nil
        }
        headers = Self.pairs(variable("EXPORTER_OTLP_TRACES_HEADERS") ?? variable("EXPORTER_OTLP_HEADERS") ?? "")
        resource = Self.pairs(variable("RESOURCE_ATTRIBUTES") ?? "").filter { $0.name != "service.name" }
        serviceName =
            variable("SERVICE_NAME")
            ?? Self.pairs(variable("RESOURCE_ATTRIBUTES") ?? "").first { $0.name == "service.name" }?.value
            ?? "stepwell"
    }

    /// `name=value,name=value`, the values escaped as in an address. What is none is passed over.
    static func pairs(_ text: String) -> [(name: String, value: String)] {
        text.split(separator: ",").compactMap { part in
            guard let equals = part.firstIndex(of: "=") else { return nil }
            let name = Self.unescaped(part[..<equals])
            let value = Self.unescaped(part[part.index(after: equals)...])
            guard !name.isEmpty, !(name + value).utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else { return nil }
            return (name, value)
        }
    }

    private static func unescaped(_ text: Substring) -> String {
        var bytes: [UInt8] = []
        var rest = Array(text.utf8)[...]
        while rest.first == 0x20 { rest.removeFirst() }
        while rest.last == 0x20 { rest.removeLast() }
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "%"), rest.count >= 2,
                let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
            {
                bytes.append(value)
                rest.removeFirst(2)
            } else {
                bytes.append(byte)
            }
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}
