/// What a JSON value must look like: a subset of JSON Schema (draft 2020-12).
///
/// Enforced: `type`, `properties`, `required`, `additionalProperties`, `minProperties`, `maxProperties`, `items`, `minItems`,
/// `maxItems`, `enum`, `const`, `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `minLength`, `maxLength`, `allOf`,
/// `anyOf`, `oneOf`, `not`. Annotations are passed over. Any other keyword is listed in ``unsupported``: a schema that is
/// obeyed in part would promise what nobody checks.
///
/// Whole numbers are compared exactly as far as 64 bits reach, other numbers as `Double`; `3.0` is an integer; a length is
/// counted in Unicode scalars.
///
///     let schema = try JSONSchema(["type": "object", "required": ["source"]])
///     schema.violations(of: ["sauce": "web"])    // ['source' is missing]
public struct JSONSchema: Sendable {
    /// Something to say about one place of a JSON value.
    public struct Finding: Hashable, Sendable, CustomStringConvertible {
        /// The place as a JSON Pointer (RFC 6901); empty for the whole value.
        public var pointer: String
        public var message: String

        public init(_ pointer: String, _ message: String) {
            self.pointer = pointer
            self.message = message
        }

        public var description: String { pointer.isEmpty ? message : "\(pointer): \(message)" }
    }

    /// The keywords that are not enforced: each with its place in the schema, the message being the keyword.
    public let unsupported: [Finding]

    /// All schemas of the tree; they name each other by their places here. The first is the whole.
    let rules: [Rule]

    /// - Throws: ``JSONSchemaError`` with every fault of the schema.
    public init(_ json: JSON) throws(JSONSchemaError) {
        var compiler = SchemaCompiler()
        compiler.compile(json, at: "")
        guard compiler.faults.isEmpty else { throw JSONSchemaError(faults: compiler.faults) }
        unsupported = compiler.unsupported
        rules = compiler.rules
    }

    /// What is wrong with the value, in its own order; empty when it fits.
    /// - Parameter limit: The search ends with so many.
    public func violations(of value: JSON, limit: Int = 100) -> [Finding] {
        var check = SchemaCheck(rules: rules, limit: limit)
        check.check(value, by: 0)
        return check.found
    }
}

/// Why a JSON value is no schema.
public struct JSONSchemaError: StepwellError, Hashable {
    public let faults: [JSONSchema.Finding]

    public var code: String { "bad_schema" }
    public var message: String { "not a JSON Schema: " + faults.map(\.description).joined(separator: "; ") }
}

extension JSONSchema {
    /// One schema of the tree, ready to be applied.
    struct Rule: Sendable {
        /// `false` in place of a schema: nothing fits.
        var isNever = false
        var types: TypeSet?
        var properties: [String: Int] = [:]
        var required: [String] = []
        var additionalProperties: Int?
        var items: Int?
        var choices: [JSON]?
        var constant: JSON?
        var bounds: [Bound] = []
        var counts: [Count] = []
        var allOf: [Int] = []
        var anyOf: [Int]?
        var oneOf: [Int]?
        var not: Int?
    }

    /// A limit of a number's value.
    struct Bound: Sendable {
        enum Relation: String, Sendable {
            case minimum = "at least"
            case maximum = "at most"
            case exclusiveMinimum = "greater than"
            case exclusiveMaximum = "less than"
        }

        var relation: Relation
        /// The number as the schema has it.
        var limit: String
    }

    /// A limit of how much there is of something.
    struct Count: Sendable {
        enum Subject: String, Sendable {
            case character, element, member
        }

        var subject: Subject
        var isMinimum: Bool
        var limit: Int64
    }

    struct TypeSet: OptionSet, Sendable {
        var rawValue: UInt8

        static let names = ["null", "boolean", "integer", "number", "string", "array", "object"]
        static let null = TypeSet(rawValue: 1)
        static let boolean = TypeSet(rawValue: 2)
        static let integer = TypeSet(rawValue: 4)
        static let number = TypeSet(rawValue: 8)
        static let string = TypeSet(rawValue: 16)
        static let array = TypeSet(rawValue: 32)
        static let object = TypeSet(rawValue: 64)

        init(rawValue: UInt8) { self.rawValue = rawValue }

        init?(name: String) {
            guard let bit = Self.names.firstIndex(of: name) else { return nil }
            rawValue = 1 << bit
        }

        /// The types that the value belongs to: a whole number is a number too.
        init(of value: JSON) {
            self =
                switch value {
                case .null: .null
                case .bool: .boolean
                case .number(let text): isWhole(text) ? [.integer, .number] : .number
                case .string: .string
                case .array: .array
                case .object: .object
                }
        }

        /// `null or a string`.
        var description: String {
            let names = Self.names.indices.filter { rawValue & 1 << $0 != 0 }.map { Self.names[$0] }
            return names.map { name in
                switch name {
                case "null": name
                case "integer", "array", "object": "an \(name)"
                default: "a \(name)"
                }
            }.joined(separator: " or ")
        }
    }
}

extension JSON {
    /// The value with its type for a message: `"abc"`, `3`, `an array`.
    var shown: String {
        switch self {
        case .null: "null"
        case .bool(let flag): flag ? "true" : "false"
        case .number(let text): text.utf8.count <= 40 ? text : "a number"
        case .string(let text): text.unicodeScalars.count <= 40 ? "\"\(text)\"" : "a string"
        case .array: "an array"
        case .object: "an object"
        }
    }

    /// `pointer` continued by a member's name or an element's place.
    static func pointer(_ pointer: String, _ component: some StringProtocol) -> String {
        var result = pointer + "/"
        for character in component.unicodeScalars {
            switch character {
            case "~": result += "~0"
            case "/": result += "~1"
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }
}

private func isWhole(_ number: String) -> Bool {
    if Int64(number) != nil { return true }
    guard let value = Double(number) else { return false }
    return value.isFinite && value == value.rounded(.towardZero)
}
