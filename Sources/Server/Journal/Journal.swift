package import StepwellEngine
import StepwellModel

/// The server's own log: one line for each thing that its operator should know. (What happens to tasks is in the log of the store.)
package final class Journal: Sendable {
    package enum Format: String, Sendable, CaseIterable {
        /// For people: `2026-11-24T02:00:31.042Z warning [template_refused] … file=a.yaml`
        case text
        /// For programs: an object on each line.
        case json
    }

    package enum Level: String, Sendable {
        case info
        case warning
        case error
    }

    /// What a line says besides its message.
    package struct Field: Sendable {
        package enum Value: Sendable {
            case text(String)
            case integer(Int)
            /// Milliseconds, with three digits behind the point.
            case microseconds(Int)
            case flag(Bool)
        }

        package var name: String
        package var value: Value

        package init(_ name: String, _ value: Value) {
            self.name = name
            self.value = value
        }

        package init(_ name: String, _ text: String) { self.init(name, .text(text)) }
        package init(_ name: String, _ number: Int) { self.init(name, .integer(number)) }
    }

    private let format: Format
    private let clock: any MachineClock
    private let write: @Sendable (String) -> Void

    /// - Parameter write: takes one line, without its end; must not block.
    package init(
        _ format: Format, clock: any MachineClock = SystemClock(), write: @escaping @Sendable (String) -> Void
    ) {
        self.format = format
        self.clock = clock
        self.write = write
    }

    /// - Parameter code: a stable word, as docs/operations.md lists them.
    package func tell(_ level: Level, _ code: String, _ message: String = "", _ fields: [Field] = []) {
        write(Self.line(format, clock.now(), level, code, message, fields))
    }

    /// An error, with its own code.
    package func tell(_ level: Level, _ error: any Error, _ fields: [Field] = []) {
        guard let error = error as? any StepwellError else { return tell(level, "internal", "\(error)", fields) }
        tell(level, error.code, error.message, fields + (error.cure.map { [Field("cure", $0)] } ?? []))
    }

    // MARK: Lines

    static func line(
        _ format: Format, _ time: Timestamp, _ level: Level, _ code: String, _ message: String, _ fields: [Field]
    ) -> String {
        switch format {
        case .text:
            var line = "\(time) \(level.rawValue) [\(code)]"
            if !message.isEmpty { line += " " + escaped(message) }
            for field in fields { line += " \(field.name)=" + text(field.value) }
            return line
        case .json:
            var line = "{\"time\":\"\(time)\",\"level\":\"\(level.rawValue)\",\"code\":\(quoted(code))"
            if !message.isEmpty { line += ",\"message\":" + quoted(message) }
            for field in fields { line += ",\(quoted(field.name)):" + json(field.value) }
            return line + "}"
        }
    }

    private static func text(_ value: Field.Value) -> String {
        guard case .text(let text) = value else { return json(value) }
        let isPlain =
            !text.isEmpty
            && text.unicodeScalars.allSatisfy {
                $0.isASCII && $0.value > 0x20 && $0.value < 0x7F && $0 != "\"" && $0 != "=" && $0 != "\\"
            }
        return isPlain ? text : quoted(text)
    }

    private static func json(_ value: Field.Value) -> String {
        switch value {
        case .text(let text): quoted(text)
        case .integer(let number): String(number)
        case .microseconds(let number):
            "\(number / 1000).\(String(number % 1000 + 1000).dropFirst())"
        case .flag(let flag): String(flag)
        }
    }

    private static func quoted(_ text: String) -> String { "\"" + escaped(text, inQuotes: true) + "\"" }

    /// Without anything that would end the line, or that a terminal would obey: each such character as JSON escapes it.
    private static func escaped(_ text: String, inQuotes: Bool = false) -> String {
        var result = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "\"" where inQuotes, "\\" where inQuotes:
                result += "\\"
                result.unicodeScalars.append(scalar)
            case "\n" where inQuotes: result += "\\n"
            case "\n": result += " "
            default:
                if scalar.isHarmless {
                    result.unicodeScalars.append(scalar)
                } else {
                    for unit in String(scalar).utf16 {
                        result += "\\u" + String(String(UInt32(unit) + 0x1_0000, radix: 16).dropFirst())
                    }
                }
            }
        }
        return result
    }
}

extension Unicode.Scalar {
    /// Whether it stands for itself and nothing else wherever it is printed.
    fileprivate var isHarmless: Bool {
        if isASCII { return value >= 0x20 && value != 0x7F }
        return switch properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .surrogate, .privateUse, .unassigned: false
        default: true
        }
    }
}
