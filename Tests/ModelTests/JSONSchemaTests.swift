import StepwellModel
import Testing

struct JSONSchemaTests {
    private func violations(_ schema: JSON, _ value: JSON) throws -> [String] {
        try JSONSchema(schema).violations(of: value).map(\.description)
    }

    @Test(
        "a value fits, or is told why not",
        arguments: [
            (#"{}"#, #"[1, {"a": null}]"#, nil),
            (#"true"#, #"1"#, nil),
            (#"false"#, #"1"#, "nothing is allowed here"),
            (#"{"type": "null"}"#, #"null"#, nil),
            (#"{"type": "boolean"}"#, #"false"#, nil),
            (#"{"type": "integer"}"#, #"3"#, nil),
            (#"{"type": "integer"}"#, #"3.0"#, nil),
            (#"{"type": "integer"}"#, #"-3e2"#, nil),
            (#"{"type": "integer"}"#, #"123456789012345678901234567890"#, nil),
            (#"{"type": "integer"}"#, #"3.5"#, "must be an integer, found 3.5"),
            (#"{"type": "number"}"#, #"3"#, nil),
            (#"{"type": "number"}"#, #""3""#, "must be a number, found \"3\""),
            (#"{"type": "string"}"#, #"3"#, "must be a string, found 3"),
            (#"{"type": "array"}"#, #"{}"#, "must be an array, found an object"),
            (#"{"type": "object"}"#, #"[]"#, "must be an object, found an array"),
            (#"{"type": ["string", "null"]}"#, #"null"#, nil),
            (#"{"type": ["string", "null"]}"#, #"true"#, "must be null or a string, found true"),
            (#"{"required": ["a"]}"#, #"{"a": null}"#, nil),
            (#"{"required": ["a"]}"#, #"{"b": 1}"#, "'a' is missing"),
            (#"{"required": ["a"]}"#, #"[]"#, nil),
            (#"{"properties": {"a": {"type": "string"}}}"#, #"{"b": 1}"#, nil),
            (#"{"properties": {"a": {"type": "string"}}}"#, #"{"a": 1}"#, "/a: must be a string, found 1"),
            (#"{"properties": {"a": true}, "additionalProperties": false}"#, #"{"a": 1}"#, nil),
            (
                #"{"properties": {"a": true}, "additionalProperties": false}"#, #"{"b/~": 1}"#,
                "/b~1~0: is no member that the schema knows"
            ),
            (#"{"additionalProperties": {"type": "integer"}}"#, #"{"b": "x"}"#, "/b: must be an integer, found \"x\""),
            (#"{"items": {"type": "integer"}}"#, #"[1, 2]"#, nil),
            (
                #"{"items": {"items": {"type": "integer"}}}"#, #"[[1], [2, "x"]]"#,
                "/1/1: must be an integer, found \"x\""
            ),
            (#"{"enum": [1, "a", null]}"#, #"1.0"#, nil),
            (#"{"enum": [1, "a", null]}"#, #""b""#, "must be one of 1, \"a\", null, found \"b\""),
            (#"{"enum": [{"a": 1, "b": [2]}]}"#, #"{"b": [2.0], "a": 1}"#, nil),
            (#"{"enum": [{"a": 1, "b": [2]}]}"#, #"{"a": 1, "b": [3]}"#, "must be one of an object, found an object"),
            (#"{"const": "x"}"#, #""x""#, nil),
            (#"{"const": 0}"#, #"false"#, "must be 0, found false"),
            (#"{"minimum": 2}"#, #"2"#, nil),
            (#"{"minimum": 2}"#, #"1.99"#, "must be at least 2, found 1.99"),
            (#"{"minimum": 2}"#, #""a""#, nil),
            (
                #"{"maximum": 9007199254740993}"#, #"9007199254740994"#,
                "must be at most 9007199254740993, found 9007199254740994"
            ),
            (#"{"exclusiveMinimum": 2}"#, #"2"#, "must be greater than 2, found 2"),
            (#"{"exclusiveMaximum": 2}"#, #"2.0"#, "must be less than 2, found 2.0"),
            (#"{"minLength": 2}"#, #""äö""#, nil),
            (#"{"minLength": 1}"#, #""""#, "must have at least 1 character, has 0"),
            (#"{"maxLength": 1}"#, #""äö""#, "must have at most 1 character, has 2"),
            (#"{"minItems": 1}"#, #"[]"#, "must have at least 1 element, has 0"),
            (#"{"maxItems": 1}"#, #"[1, 2]"#, "must have at most 1 element, has 2"),
            (#"{"minProperties": 1}"#, #"{}"#, "must have at least 1 member, has 0"),
            (#"{"maxProperties": 0}"#, #"{"a": 1}"#, "must have at most 0 members, has 1"),
            (#"{"allOf": [{"minimum": 1}, {"maximum": 2}]}"#, #"3"#, "must be at most 2, found 3"),
            (#"{"anyOf": [{"minimum": 4}, {"maximum": 2}]}"#, #"1"#, nil),
            (#"{"anyOf": [{"minimum": 4}, {"maximum": 2}]}"#, #"3"#, "fits none of the 2 schemas of 'anyOf'"),
            (#"{"oneOf": [{"minimum": 1}, {"maximum": 2}]}"#, #"3"#, nil),
            (
                #"{"oneOf": [{"minimum": 1}, {"maximum": 2}]}"#, #"2"#,
                "must fit one of the 2 schemas of 'oneOf', fits 2"
            ),
            (#"{"not": {"type": "string"}}"#, #"2"#, nil),
            (#"{"not": {"type": "string"}}"#, #""a""#, "must not fit the schema of 'not'"),
        ] as [(String, String, String?)])
    func checks(_ schema: String, _ value: String, _ violation: String?) throws {
        let found = try violations(JSONText(schema).json, JSONText(value).json)
        #expect(found == (violation.map { [$0] } ?? []))
    }

    @Test("all violations are told, in the order of the value, up to a limit")
    func several() throws {
        let schema = try JSONSchema([
            "type": "object", "required": ["id", "name"],
            "properties": ["id": ["type": "integer"], "rows": ["items": ["type": "number", "minimum": 0]]],
        ])
        #expect(
            schema.violations(of: ["rows": [1, -1, "x"], "id": "7"]).map(\.description) == [
                "'name' is missing", "/rows/1: must be at least 0, found -1", "/rows/2: must be a number, found \"x\"",
                "/id: must be an integer, found \"7\"",
            ])
        let many = JSON.object([JSON.Member("rows", .array(Array(repeating: "x", count: 10_000)))])
        #expect(schema.violations(of: many).count == 100)
        #expect(schema.violations(of: many, limit: 3).count == 3)
        #expect(schema.violations(of: ["id": 1, "name": 2]) == [])
    }

    @Test("annotations are passed over; what nobody would enforce is listed with its place")
    func keywords() throws {
        let schema = try JSONSchema([
            "$schema": "https://json-schema.org/draft/2020-12/schema", "title": "t", "description": "d", "default": 1,
            "examples": [], "$comment": "c", "pattern": "^a",
            "properties": ["a/b": ["format": "date", "deprecated": true, "readOnly": true, "$ref": "#/x"]],
        ])
        #expect(
            schema.unsupported == [
                JSONSchema.Finding("/pattern", "pattern"), JSONSchema.Finding("/properties/a~1b/$ref", "$ref"),
            ])
        #expect(schema.violations(of: "zzz") == [])
    }

    @Test(
        "a schema that is none is refused with the place of each fault",
        arguments: [
            (#"3"#, ": a schema must be an object, true or false, not 3"),
            (#"{"type": "objekt"}"#, "/type: \"objekt\" is no type"),
            (#"{"type": []}"#, "/type: 'type' must be one of"),
            (#"{"type": 3}"#, "/type: 'type' must be one of"),
            (#"{"properties": []}"#, "/properties: 'properties' must be an object"),
            (#"{"properties": {"a": 1}}"#, "/properties/a: a schema must be"),
            (#"{"required": "a"}"#, "/required: 'required' must be an array of names"),
            (#"{"required": [1]}"#, "/required: 'required' must be an array of names"),
            (#"{"items": []}"#, "/items: a schema must be"),
            (#"{"enum": 1}"#, "/enum: 'enum' must be an array"),
            (#"{"minimum": "1"}"#, "/minimum: 'minimum' must be a number"),
            (#"{"exclusiveMinimum": true}"#, "/exclusiveMinimum: 'exclusiveMinimum' must be a number"),
            (#"{"minLength": -1}"#, "/minLength: 'minLength' must be a whole number from 0"),
            (#"{"maxItems": 1.5}"#, "/maxItems: 'maxItems' must be a whole number from 0"),
            (#"{"anyOf": []}"#, "/anyOf: must be an array of at least one schema"),
            (#"{"not": {"allOf": {}}}"#, "/not/allOf: must be an array of at least one schema"),
        ])
    func faults(_ schema: String, _ fault: String) throws {
        do throws(JSONSchemaError) {
            _ = try JSONSchema(try! JSONText(schema).json)
            Issue.record("accepted")
        } catch {
            #expect(error.faults.count == 1)
            #expect("\(error.faults[0].pointer): \(error.faults[0].message)".hasPrefix(fault))
        }
    }

    @Test("values and schemas as deep as JSON may be are checked without trouble")
    func deep() throws {
        let depth = 500
        let value = try JSONText(String(repeating: "[", count: depth) + "1" + String(repeating: "]", count: depth)).json
        #expect(try violations(["items": ["type": "array"]], value) == [])
        let schema = try JSONText(
            String(repeating: #"{"items":"#, count: depth) + #"{"type":"string"}"#
                + String(repeating: "}", count: depth)
        ).json
        let found = try JSONSchema(schema).violations(of: value)
        #expect(found.count == 1)
        #expect(found[0].pointer == String(repeating: "/0", count: depth))
    }
}
