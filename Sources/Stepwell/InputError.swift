public import StepwellModel

/// An input that a task of the template cannot be submitted with.
public struct InputError: StepwellError {
    public var faults: [String]

    public var code: String { "invalid_input" }
    public var message: String { "the input is refused: " + faults.joined(separator: "; ") }
    public var cure: String? { "'stepwell validate' shows the template's input_schema" }

    static func check(_ input: JSONText, against template: Template) throws(InputError) {
        guard case .object = input.json else {
            throw InputError(faults: ["it is \(input.json.typeName) and must be an object"])
        }
    }
}
