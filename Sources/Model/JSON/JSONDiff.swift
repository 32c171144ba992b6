/// One place at which two JSON values differ.
public struct JSONChange: Hashable, Sendable {
    /// Where, as a JSON Pointer (RFC 6901): empty for the whole value, else `/orders/0/total`. An element that only one of two
    /// arrays has is named by its place there.
    public var pointer: String
    /// Nil when only the other value has something there.
    public var before: JSON?
    public var after: JSON?

    public init(_ pointer: String, _ before: JSON?, _ after: JSON?) {
        self.pointer = pointer
        self.before = before
        self.after = after
    }
}

/// Compares JSON values as values: the order of an object's members does not count, and neither does how a number is
/// written, so that `1`, `1.0` and `10e-1` are equal. Text is compared by its code points, unlike Swift's strings.
public enum JSONDiff {
    /// The places at which two values differ, in the order of the first value; at most `limit`.
    public static func changes(_ before: JSON, _ after: JSON, limit: Int = .max) -> [JSONChange] {
        var search = Search(limit: limit)
        search.compare(before, after, at: "")
        return search.found
    }

    public static func areEqual(_ left: JSON, _ right: JSON) -> Bool {
        changes(left, right, limit: 1).isEmpty
    }
}

private struct Search {
    let limit: Int
    var found: [JSONChange] = []

    init(limit: Int) { self.limit = limit }

    mutating func compare(_ before: JSON, _ after: JSON, at pointer: String) {
        guard found.count < limit else { return }
        switch (before, after) {
        case (.object(let left), .object(let right)): members(left, right, pointer)
        case (.array(let left), .array(let right)): elements(left, right, pointer)
        case (.number(let left), .number(let right)):
            if left != right, Decimal(left) != Decimal(right) { note(pointer, before, after) }
        case (.string(let left), .string(let right)):
            if !left.utf8.elementsEqual(right.utf8) { note(pointer, before, after) }
        default:
            if before != after { note(pointer, before, after) }
        }
    }

    private mutating func note(_ pointer: String, _ before: JSON?, _ after: JSON?) {
        if found.count < limit { found.append(JSONChange(pointer, before, after)) }
    }

    private mutating func members(_ left: [JSON.Member], _ right: [JSON.Member], _ pointer: String) {
        let (left, right) = (Members(left), Members(right))
        for member in left.inOrder {
            let place = pointer + "/" + escaped(member.name)
            if let other = right[member.name] {
                compare(member.value, other, at: place)
            } else {
                note(place, member.value, nil)
            }
        }
        for member in right.inOrder where left[member.name] == nil {
            note(pointer + "/" + escaped(member.name), nil, member.value)
        }
    }

    /// What stands at the beginning and at the end of both is left out, so that one element more in the middle is one change.
    private mutating func elements(_ left: [JSON], _ right: [JSON], _ pointer: String) {
        let shorter = min(left.count, right.count)
        guard left.count != right.count else {
            for place in left.indices { compare(left[place], right[place], at: "\(pointer)/\(place)") }
            return
        }
        var start = 0
        while start < shorter, JSONDiff.areEqual(left[start], right[start]) { start += 1 }
        var end = 0
        while end < shorter - start, JSONDiff.areEqual(left[left.count - 1 - end], right[right.count - 1 - end]) {
            end += 1
        }
        for place in start..<(shorter - end) { compare(left[place], right[place], at: "\(pointer)/\(place)") }
        for place in (shorter - end)..<(left.count - end) where left.count > shorter {
            note("\(pointer)/\(place)", left[place], nil)
        }
        for place in (shorter - end)..<(right.count - end) where right.count > shorter {
            note("\(pointer)/\(place)", nil, right[place])
        }
    }

    private func escaped(_ name: String) -> String {
        guard name.utf8.contains(where: { $0 == UInt8(ascii: "~") || $0 == UInt8(ascii: "/") }) else { return name }
        return String(
            decoding: name.utf8.flatMap { unit -> [UInt8] in
                switch unit {
                case UInt8(ascii: "~"): Array("~0".utf8)
                case UInt8(ascii: "/"): Array("~1".utf8)
                default: [unit]
                }
            }, as: UTF8.self)
    }
}

/// An object's members by the bytes of their names. Of a name that stands twice the last counts, at the place of the first.
private struct Members {
    private(set) var inOrder: [JSON.Member] = []
    private var placeByName: [[UInt8]: Int] = [:]

    init(_ members: [JSON.Member]) {
        for member in members {
            let key = Array(member.name.utf8)
            if let place = placeByName[key] {
                inOrder[place].value = member.value
            } else {
                placeByName[key] = inOrder.count
                inOrder.append(member)
            }
        }
    }

    subscript(name: String) -> JSON? { placeByName[Array(name.utf8)].map { inOrder[$0].value } }
}

/// A number of JSON without a rounding: digits times a power of ten.
private struct Decimal: Hashable {
    private var isNegative = false
    private var digits: [UInt8] = []
    private var exponent = 0
    /// Set when the exponent is beyond all reason: then only the text can be compared.
    private var text: String?

    init(_ number: String) {
        var fractionCount = 0
        var isFraction = false
        var rest = Array(number.utf8)[...]
        while let unit = rest.popFirst() {
            switch unit {
            case UInt8(ascii: "-"): isNegative = true
            case UInt8(ascii: "."): isFraction = true
            case UInt8(ascii: "e"), UInt8(ascii: "E"):
                guard let power = Int(String(decoding: rest, as: UTF8.self)), abs(power) < 1 << 40 else {
                    text = number
                    return
                }
                exponent = power
                rest = []
            default:
                if isFraction { fractionCount += 1 }
                if unit != UInt8(ascii: "0") || !digits.isEmpty { digits.append(unit) }
            }
        }
        exponent -= fractionCount
        while digits.last == UInt8(ascii: "0") {
            digits.removeLast()
            exponent += 1
        }
        if digits.isEmpty { (isNegative, exponent) = (false, 0) }
    }
}
