import Testing

@testable import StepwellLog

/// RFC 8949, appendix A, and what section 4.2 forbids.
struct CBORTests {
    @Test(
        "integers are written in their shortest form",
        arguments: [
            (0, "00"), (1, "01"), (10, "0a"), (23, "17"), (24, "1818"), (25, "1819"), (100, "1864"), (255, "18ff"),
            (256, "190100"), (1000, "1903e8"), (65535, "19ffff"), (65536, "1a00010000"), (1_000_000, "1a000f4240"),
            (4_294_967_295, "1affffffff"), (4_294_967_296, "1b0000000100000000"),
            (1_000_000_000_000, "1b000000e8d4a51000"),
            (Int64.max, "1b7fffffffffffffff"), (-1, "20"), (-10, "29"), (-24, "37"), (-25, "3818"), (-100, "3863"),
            (-1000, "3903e7"), (Int64.min, "3b7fffffffffffffff"),
        ] as [(Int64, String)])
    func integers(_ value: Int64, _ hex: String) throws {
        var writer = CBORWriter()
        writer.integer(value)
        #expect(hexadecimal(writer.bytes) == hex)
        try writer.bytes.withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            #expect(try reader.integer() == value)
            try reader.end()
        }
    }

    @Test("the greatest unsigned number comes back, but not as a signed one")
    func greatest() throws {
        var writer = CBORWriter()
        writer.unsigned(UInt64.max)
        #expect(hexadecimal(writer.bytes) == "1bffffffffffffffff")
        writer.bytes.withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            #expect(throws: CBORError(.outOfRange, at: 0)) { try reader.integer() }
            reader = CBORReader(bytes)
            #expect((try? reader.unsigned()) == .max)
        }
    }

    @Test("strings, arrays, maps and simple values are those of the standard")
    func others() {
        var writer = CBORWriter()
        writer.byteString([1, 2, 3, 4])
        writer.text("IETF")
        writer.text("ü水𐅑")
        writer.array(2)
        writer.bool(false)
        writer.bool(true)
        writer.map(1)
        writer.key(1)
        writer.null()
        #expect(hexadecimal(writer.bytes) == "4401020304" + "6449455446" + "69c3bce6b0b4f0908591" + "82f4f5" + "a101f6")
    }

    @Test(
        "every value of the standard's examples that is deterministic is passed over as a whole",
        arguments: [
            "f4", "f5", "f6", "f7", "f0", "f8ff", "40", "4401020304", "60", "6161", "62c3bc", "80", "83010203",
            "8301820203820405", "a0", "a201020304", "a26161016162820203", "826161a161626163", "f90000", "f98000",
            "f93e00", "f97bff", "f97c00", "f97e00", "fa47c35000", "fa7f7fffff", "fb3ff199999999999a",
            "fb7e37e43c8800759c", "c11a514b67b0", "d74401020304", "1bffffffffffffffff", "3bffffffffffffffff",
        ])
    func skipping(_ hex: String) throws {
        try bytes(hex).withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            try reader.skip()
            try reader.end()
        }
    }

    @Test(
        "what a deterministic writer cannot have written is refused",
        arguments: [
            ("", .truncated), ("18", .truncated), ("1817", .notShortest), ("1900ff", .notShortest),
            ("1a0000ffff", .notShortest), ("1b00000000ffffffff", .notShortest), ("1c", .reserved), ("1f", .indefinite),
            ("5f42010243030405ff", .indefinite), ("9fff", .indefinite), ("bfff", .indefinite), ("ff", .indefinite),
            ("4401", .truncated), ("5bffffffffffffffff", .truncated), ("9bffffffffffffffff", .truncated),
            ("bbffffffffffffffff", .truncated), ("62c328", .notUTF8), ("61ff", .notUTF8), ("a201020102", .unordered),
            ("a203010102", .unordered), ("a2616201616102", .unordered), ("f800", .notShortest), ("f81f", .notShortest),
            ("fa3f800000", .notShortest), ("fb3ff0000000000000", .notShortest), ("f97e01", .notShortest),
            ("fa7fc00000", .notShortest), ("fc", .reserved), ("a1", .truncated), ("8201", .truncated),
        ] as [(String, CBORError.Reason)])
    func refusing(_ hex: String, _ reason: CBORError.Reason) throws {
        bytes(hex).withUnsafeBytes { bytes in
            let error = #expect(throws: CBORError.self) {
                var reader = CBORReader(bytes)
                try reader.skip()
                try reader.end()
            }
            #expect(error?.reason == reason)
        }
    }

    @Test("what follows the value is refused")
    func trailing() {
        bytes("0000").withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            #expect(throws: Never.self) { try reader.skip() }
            #expect(throws: CBORError(.trailing, at: 1)) { try reader.end() }
        }
    }

    @Test("values nested too deep are refused instead of using up the stack")
    func depth() {
        let deep = [UInt8](repeating: 0x81, count: 100_000) + [0]
        deep.withUnsafeBytes { bytes in
            var reader = CBORReader(bytes)
            #expect(throws: CBORError(.tooDeep, at: CBORReader.depthMax + 1)) { try reader.skip() }
        }
    }

    @Test("any bytes at all are read or refused", arguments: 0..<20 as Range<UInt64>)
    func noise(_ seed: UInt64) {
        var generator = SeededGenerator(seed: seed)
        for _ in 0..<2000 {
            let noise = (0..<Int.random(in: 0..<24, using: &generator)).map { _ in
                UInt8(truncatingIfNeeded: generator.next())
            }
            noise.withUnsafeBytes { bytes in
                var reader = CBORReader(bytes)
                while (try? reader.skip()) != nil, reader.offset < bytes.count {}
                #expect(reader.offset <= bytes.count)
            }
        }
    }
}

/// The bytes that hexadecimal digits stand for.
func bytes(_ hex: String) -> [UInt8] {
    let digits = hex.compactMap(\.hexDigitValue).map(UInt8.init)
    return stride(from: 0, to: digits.count, by: 2).map { digits[$0] << 4 | digits[$0 + 1] }
}
