import StepwellModel

/// An answer that lacks what every server says.
struct BadAnswer: Error {
    var member: String
}

extension JSON {
    func text(_ member: String) throws(BadAnswer) -> String {
        guard let text = self[member]?.string else { throw BadAnswer(member: member) }
        return text
    }

    func list(_ member: String) throws(BadAnswer) -> [JSON] {
        guard let list = self[member]?.array else { throw BadAnswer(member: member) }
        return list
    }

    func list<Element>(
        _ member: String, _ read: (JSON) throws(BadAnswer) -> Element
    ) throws(BadAnswer) -> [Element] {
        var elements: [Element] = []
        for element in try list(member) { elements.append(try read(element)) }
        return elements
    }

    func number(_ member: String) throws(BadAnswer) -> Int {
        guard let number = self[member]?.int else { throw BadAnswer(member: member) }
        return Int(number)
    }

    func flag(_ member: String) throws(BadAnswer) -> Bool {
        guard let flag = self[member]?.bool else { throw BadAnswer(member: member) }
        return flag
    }

    /// Nil when there is none.
    func count(_ member: String) -> Int? { self[member]?.int.map { Int($0) } }

    /// The texts of a list; none when there is no list.
    func texts(_ member: String) -> [String] { self[member]?.array?.compactMap(\.string) ?? [] }

    func time(_ member: String) -> Timestamp? { self[member]?.string.flatMap { Timestamp($0) } }
}
