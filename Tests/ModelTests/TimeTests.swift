import StepwellModel
import Testing

@Suite("Times and lengths of time")
struct TimeTests {
    @Test(
        "A moment is written by the calendar, before 1970, in leap years and far in the future",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (951_868_799_999, "2000-02-29T23:59:59.999Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (1_709_164_800_000, "2024-02-29T00:00:00.000Z"),
            (1_700_000_000_042, "2023-11-14T22:13:20.042Z"),
            (-2_208_988_800_000, "1900-01-01T00:00:00.000Z"),
            (-2_203_977_600_000, "1900-02-28T00:00:00.000Z"),
            (-62_135_596_800_000, "0001-01-01T00:00:00.000Z"),
            (253_402_300_799_999, "9999-12-31T23:59:59.999Z"),
            (253_402_300_800_000, "10000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func calendar(milliseconds: Int64, text: String) {
        #expect(Timestamp(milliseconds: milliseconds).description == text)
    }

    @Test("Every day of four hundred years follows the day before it")
    func everyDay() {
        let lengths = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]
        var day: Int64 = 0
        for year in 1970..<2370 {
            let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
            for (month, length) in lengths.enumerated() {
                let last = day + Int64(length) + (month == 1 && isLeap ? 1 : 0) - 1
                // The first and the last of each month say enough of those between.
                for (day, ofMonth) in [(day, 1), (last, Int(last - day) + 1)] {
                    let parts = Timestamp(milliseconds: day * 86_400_000).description.prefix { $0 != "T" }
                        .split(separator: "-").map { Int($0) }
                    #expect(parts == [year, month + 1, ofMonth])
                }
                day = last + 1
            }
        }
    }

    @Test("Not even the ends of time overflow")
    func ends() {
        #expect(Timestamp(milliseconds: .max).description == "292278994-08-17T07:12:55.807Z")
        #expect(Timestamp(milliseconds: .min).description.hasSuffix("-05-16T16:47:04.192Z"))
        #expect(Timestamp(milliseconds: .max).advanced(by: Milliseconds(1)) == Timestamp(milliseconds: .max))
        #expect(Timestamp(milliseconds: 5).advanced(by: Milliseconds(-7)) == Timestamp(milliseconds: -2))
    }

    @Test(
        "A length of time is written for people",
        arguments: [
            (0, "0 ms"), (350, "350 ms"), (999, "999 ms"), (1000, "1.0 s"), (4299, "4.2 s"), (59_999, "59.9 s"),
            (60_000, "1 min 0 s"), (185_000, "3 min 5 s"), (3_599_999, "59 min 59 s"), (3_600_000, "1 h 0 min"),
            (7_800_000, "2 h 10 min"), (90_000_000, "25 h 0 min"), (-5, "-5 ms"),
        ] as [(Int64, String)])
    func lengths(milliseconds: Int64, text: String) {
        #expect(Milliseconds(milliseconds).description == text)
    }
}
