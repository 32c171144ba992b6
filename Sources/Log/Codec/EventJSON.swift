package import StepwellModel
extension EventRecord {
    package func json(stepNames: [String]?) -> JSONText { .null }
}
