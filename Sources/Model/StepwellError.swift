/// What every error of Stepwell can say of itself. `docs/errors.md` lists the codes.
public protocol StepwellError: Error, Sendable, CustomStringConvertible {
    /// A stable word for programs, such as `store_locked`.
    var code: String { get }
    /// What went wrong, with the place.
    var message: String { get }
    /// What to do next.
    var cure: String? { get }
}

extension StepwellError {
    public var cure: String? { nil }

    public var description: String {
        "\(message) [\(code)]" + (cure.map { "\n  \($0)" } ?? "")
    }
}
