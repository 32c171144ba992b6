public import StepwellModel

/// An input that a task of the template cannot be submitted with.
public struct InputError: StepwellError {
    public var faults: [String]

    public var code: String { "invalid_input" }
    public var message: String { "the input is refused: " + faults.joined(separator: "; ") }
    public var cure: String? { "the template's input_schema says what it must be" }

    package static func check(_ input: JSONText, against template: Template) throws(InputError) {
        let json = input.json
        guard case .object = json else {
            throw InputError(faults: ["it is of type \(json.typeName), not an object"])
        }
        guard let text = template.inputSchema, let schema = try? JSONSchema(text.json) else { return }
        let violations = schema.violations(of: json)
        guard violations.isEmpty else {
            throw InputError(faults: violations.prefix(20).map(\.description))
        }
    }
}
