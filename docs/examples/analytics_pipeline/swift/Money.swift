// Money and ratios in whole numbers, so that every language gets the same last digit.

/// An amount of money in whole cents; in JSON it is a number such as 12.5.
struct Money: Codable, Comparable {
    var cents: Int

    static let zero = Money(cents: 0)

    init(cents: Int) { self.cents = cents }

    /// A price as the CSV export writes it: `99.99` is 9999 cents.
    init?(written text: some StringProtocol) {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        let isNumber = parts.allSatisfy { part in !part.isEmpty && part.utf8.allSatisfy { (0x30...0x39).contains($0) } }
        guard parts.count == 2, parts[1].utf8.count == 2, isNumber, let cents = Int(parts.joined()) else { return nil }
        self.cents = cents
    }

    init(from decoder: any Decoder) throws {
        let amount = try decoder.singleValueContainer().decode(Double.self)
        cents = Int((amount * 100).rounded(.toNearestOrEven))
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Double(cents) / 100)
    }

    /// For people: 384968 cents are `3849.68`.
    var written: String { "\(cents / 100).\(cents % 100 < 10 ? "0" : "")\(cents % 100)" }

    static func < (left: Money, right: Money) -> Bool { left.cents < right.cents }
    static func + (left: Money, right: Money) -> Money { Money(cents: left.cents + right.cents) }

    /// An equal share of the amount, to the nearest cent.
    func divided(by count: Int) -> Money { Money(cents: divide(cents, count)) }
}

extension Sequence<Money> {
    func sum() -> Money { reduce(.zero, +) }
}

extension Sequence<Int> {
    func sum() -> Int { reduce(0, +) }
}

/// The nearest whole number, halves up; 0 when the divisor is 0. For numbers from 0 up.
func divide(_ dividend: Int, _ divisor: Int) -> Int {
    divisor == 0 ? 0 : (2 * dividend + divisor) / (2 * divisor)
}
