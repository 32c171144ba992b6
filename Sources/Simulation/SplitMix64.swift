/// Small, seedable, the same on every machine.
package struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    package init(seed: UInt64) {
        state = seed
    }

    package mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        return Self.mix(state)
    }

    /// Spreads every bit of the input over the output.
    private static func mix(_ value: UInt64) -> UInt64 {
        var bits = value
        bits = (bits ^ bits >> 30) &* 0xBF58_476D_1CE4_E5B9
        bits = (bits ^ bits >> 27) &* 0x94D0_49BB_1331_11EB
        return bits ^ bits >> 31
    }

    /// A generator of its own for each place that the numbers name: what is drawn at one place does not move the others.
    package init(seed: UInt64, _ places: UInt64...) {
        state = places.reduce(seed) { Self.mix($0 &+ 0x9E37_79B9_7F4A_7C15) ^ Self.mix($1 &+ 0x632B_E59B_D9B4_E019) }
    }

    /// A number of the range. Our own arithmetic: the standard library does not promise its own from release to release.
    package mutating func number(_ range: ClosedRange<Int>) -> Int {
        range.lowerBound + Int(next() % UInt64(range.count))
    }

    /// The same for times: mostly short ones, now and then one near the upper end.
    package mutating func skewed(_ range: ClosedRange<Int>) -> Int {
        let width = range.upperBound - range.lowerBound
        return range.lowerBound + number(0...number(0...width))
    }

    /// True in so many of a hundred cases.
    package mutating func chance(_ percent: Int) -> Bool { number(0...99) < percent }

    package mutating func pick<Element>(_ elements: [Element]) -> Element { elements[number(0...elements.count - 1)] }
}
