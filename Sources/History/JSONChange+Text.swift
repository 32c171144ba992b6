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

    /// Reads what ``json`` has written.
    package init(_ json: JSON) {
        self.init(json["pointer"]?.string ?? "", json["before"], json["after"])
    }

    /// The array of which only one side has this element, and which side; nil for other changes.
    fileprivate var surplus: (array: Substring, isAfter: Bool)? {
        guard (before == nil) != (after == nil), let slash = pointer.lastIndex(of: "/"),
            Int(pointer[pointer.index(after: slash)...]) != nil
        else { return nil }
        return (pointer[..<slash], after != nil)
    }

    private func told(_ value: JSON?) -> String { value.map { JSONText($0).told } ?? "nothing" }
}

extension [JSONChange] {
    /// The changes for people, with many elements that only one of two arrays has in one line.
    package var summed: [String] {
        var lines: [String] = []
        var place = startIndex
        while place < endIndex {
            var end = index(after: place)
            if let first = self[place].surplus {
                while end < endIndex, let next = self[end].surplus, next == first { end += 1 }
                if end - place > Self.elementsMax {
                    let what = first.isAfter ? "more" : "fewer"
                    lines.append(
                        "\(first.array.isEmpty ? "(all of it)" : first.array): \(end - place) elements \(what), such as \(self[place].text)"
                    )
                    place = end
                    continue
                }
            }
            lines += self[place..<end].map(\.text)
            place = end
        }
        return lines
    }

    /// So many are listed one by one.
    private static var elementsMax: Int { 3 }
}
