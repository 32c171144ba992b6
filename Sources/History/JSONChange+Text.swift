package import StepwellModel

extension JSONChange {
    /// The change for people: `/rows: 3 → 4`.
    package var text: String { "\(pointer.isEmpty ? "(all of it)" : pointer): \(told(before)) → \(told(after))" }

    /// The change as a JSON object; a side on which nothing stands has no member.
    package var json: JSON {
        var members = [JSON.Member("pointer", .string(pointer))]
        if let before { members.append(.init("before", before)) }
        if let after { members.append(.init("after", after)) }
        return .object(members)
    }

    private func told(_ value: JSON?) -> String { value.map { JSONText($0).told } ?? "nothing" }
}
