import CLinux
import Glibc
package import StepwellModel

/// The environment variables of child processes. Kept as the bytes that the system wants, since a variable need not be UTF-8.
package struct ProcessEnvironment: Sendable {
    /// Each `NAME=value` with its terminating zero.
    private var entries: [[UInt8]] = []
    private var places: [String: Int] = [:]

    package init() {}

    /// This process's own environment.
    package static func inherited() -> ProcessEnvironment {
        var result = ProcessEnvironment()
        guard var next = linux_environment() else { return result }
        while let text = next.pointee {
            let bytes = UnsafeRawBufferPointer(start: text, count: strlen(text) + 1)
            if let equals = bytes.firstIndex(of: UInt8(ascii: "=")) {
                result.set(String(decoding: bytes[..<equals], as: UTF8.self), Array(bytes))
            }
            next += 1
        }
        return result
    }

    package subscript(name: String) -> String? {
        get {
            guard let place = places[name] else { return nil }
            return String(decoding: entries[place].dropFirst(name.utf8.count + 1).dropLast(), as: UTF8.self)
        }
        set {
            if let newValue {
                set(name, Array("\(name)=\(newValue)\0".utf8))
            } else if let place = places.removeValue(forKey: name) {
                entries[place] = []
            }
        }
    }

    func names(withPrefix prefix: String) -> [String] {
        places.keys.filter { $0.hasPrefix(prefix) }.sorted()
    }

    package func adding(_ variables: [EnvironmentVariable]) -> ProcessEnvironment {
        var result = self
        for variable in variables { result[variable.name] = variable.value }
        return result
    }

    private mutating func set(_ name: String, _ entry: [UInt8]) {
        if let place = places[name] {
            entries[place] = entry
        } else {
            places[name] = entries.count
            entries.append(entry)
        }
    }

    /// The list in the form of `execve`.
    func withPointers<Result>(_ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result) -> Result {
        withCStrings(entries.filter { !$0.isEmpty }, body)
    }
}

/// Calls `body` with a list of C strings that ends with nil; each of `strings` ends with a zero.
func withCStrings<Result>(
    _ strings: [[UInt8]], _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
) -> Result {
    // One block for all, so that the pointers into it hold together.
    var block = strings.flatMap { $0 }
    return block.withUnsafeMutableBytes { bytes in
        var pointers: [UnsafeMutablePointer<CChar>?] = []
        pointers.reserveCapacity(strings.count + 1)
        var offset = 0
        for string in strings {
            pointers.append((bytes.baseAddress.map { $0 + offset })?.assumingMemoryBound(to: CChar.self))
            offset += string.count
        }
        pointers.append(nil)
        return pointers.withUnsafeBufferPointer { list in
            guard let first = list.baseAddress else { preconditionFailure("an array with an element has an address") }
            return body(first)
        }
    }
}

/// Marks every process that an engine starts, and theirs in turn, so that the next engine on the same store finds those that
/// a killed one has left. See ``Orphans``.
package struct EngineMark: Hashable, Sendable {
    package static let variable = "STEPWELL_ENGINE"

    /// Names the store; without `:` and `,`.
    package let storeID: String
    /// Another one for each start of an engine on that store.
    package let start: String

    package init(storeID: String, start: String) {
        precondition(
            !storeID.contains { $0 == ":" || $0 == "," } && !start.contains { $0 == ":" || $0 == "," },
            "':' and ',' separate the parts of an engine's mark")
        self.storeID = storeID
        self.start = start
    }

    /// The mark as a child carries it. An engine that is itself a child of another's step keeps the other's mark too.
    func value(after outer: String?) -> String {
        let own = "\(storeID):\(start)"
        guard let outer, !outer.isEmpty else { return own }
        return "\(outer),\(own)"
    }
}
