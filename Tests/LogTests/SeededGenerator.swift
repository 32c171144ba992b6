/// SplitMix64: the same numbers from the same seed on every machine, so that a failure can be had again.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ value >> 30) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
        return value ^ value >> 31
    }
}

extension SeededGenerator {
    mutating func bool() -> Bool { next() & 1 == 0 }

    /// A number of any length in bits, so that every form of CBOR occurs.
    mutating func number() -> UInt64 { next() >> UInt64.random(in: 0..<64, using: &self) }

    mutating func small() -> Int { Int(number() & 0x7FFF_FFFF) }

    mutating func signed() -> Int64 { Int64(bitPattern: next()) >> Int64.random(in: 0..<63, using: &self) }

    mutating func text() -> String {
        let letters = Array("abcXYZ019 _-.\"\\\n\u{0}äß€𝄞é")
        return String((0..<Int.random(in: 0..<40, using: &self)).map { _ in letters.randomElement(using: &self)! })
    }

    mutating func maybe<Value>(_ make: (inout SeededGenerator) -> Value) -> Value? {
        bool() ? make(&self) : nil
    }
}
