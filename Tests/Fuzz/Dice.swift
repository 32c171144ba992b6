/// Chance by a seed: the same seed gives the same run.
struct Dice {
    private var state: UInt64

    init(_ seed: UInt64, _ more: UInt64 = 0) {
        state = seed &* 0xD134_2543_DE82_EF95 &+ more
        _ = next()
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }

    /// A number from 0 to one below the bound; 0 for a bound of 0.
    mutating func below(_ bound: Int) -> Int {
        bound > 0 ? Int(((next() >> 32) &* UInt64(bound)) >> 32) : 0
    }

    /// True so many times of a thousand.
    mutating func chance(_ permille: Int) -> Bool { below(1000) < permille }

    mutating func pick<Element>(_ list: [Element]) -> Element { list[below(list.count)] }
}
