import StepwellModel
import Testing

@Suite("Times as people write them")
struct TimeTextTests {
    @Test(
        "ISO 8601, with and without what may be left out",
        arguments: [
            ("2023-11-14T22:13:20.042Z", 1_700_000_000_042),
            ("2023-11-14T22:13:20,042Z", 1_700_000_000_042),
            ("2023-11-14T22:13:20.0429999Z", 1_700_000_000_042),
            ("2023-11-14T22:13:20.5Z", 1_700_000_000_500),
            ("2023-11-14 22:13:20", 1_700_000_000_000),
            ("2023-11-14t22:13z", 1_699_999_980_000),
            ("2023-11-14", 1_699_920_000_000),
            ("2023-11-15T00:13:20+02:00", 1_700_000_000_000),
            ("2023-11-14T16:43:20-0530", 1_700_000_000_000),
            ("2023-11-15T00:13:20+02", 1_700_000_000_000),
            ("1969-12-31T23:59:59.999Z", -1),
            ("2000-02-29", 951_782_400_000),
            ("0001-01-01", -62_135_596_800_000),
        ] as [(String, Int64)])
    func moments(text: String, milliseconds: Int64) {
        #expect(Timestamp(text)?.milliseconds == milliseconds)
    }

    @Test("What is written is read again", arguments: [0, -1, 951_868_799_999, 4_107_542_400_000, -62_135_596_800_000])
    func roundTrip(milliseconds: Int64) {
        let time = Timestamp(milliseconds: milliseconds)
        #expect(Timestamp(time.description) == time)
    }

    @Test(
        "Anything else is refused",
        arguments: [
            "", "now", "2023-11-14T", "2023-11-14T22", "2023-13-01", "2023-02-29", "1900-02-29", "2023-04-31",
            "2023-00-10", "2023-11-14T24:00Z", "2023-11-14T22:60", "2023-11-14T22:13:60", "2023-11-14T22:13:20.Z",
            "2023-11-14T22:13:20Zx", "2023-11-14T22:13:20+", "2023-11-14T22:13:20+24:00", "23-11-14", "2023/11/14",
            "٢٠٢٣-11-14", "2023-11-14T22:13:20+02:0",
        ])
    func refused(text: String) {
        #expect(Timestamp(text) == nil)
    }

    @Test("A time of day, and the day that a moment lies in")
    func timeOfDay() {
        #expect(Timestamp.timeOfDay("02:00") == 7_200_000)
        #expect(Timestamp.timeOfDay("23:59:59.5") == 86_399_500)
        for text in ["24:00", "2:00", "02:00Z", "02", ""] { #expect(Timestamp.timeOfDay(text) == nil) }
        #expect(Timestamp("2023-11-14T22:13:20Z")?.startOfDay == Timestamp("2023-11-14"))
        #expect(Timestamp(milliseconds: -1).startOfDay == Timestamp(milliseconds: -86_400_000))
    }

    @Test(
        "Lengths of time",
        arguments: [
            ("250ms", 250), ("90s", 90_000), ("10m", 600_000), ("2h", 7_200_000), ("7d", 604_800_000), ("0s", 0),
        ] as [(String, Int64)])
    func lengths(text: String, milliseconds: Int64) {
        #expect(Milliseconds(text)?.rawValue == milliseconds)
    }

    @Test("No length of time", arguments: ["", "10", "m", "-1m", "1.5h", "1 m", "1w", "9223372036854775807d", "١m"])
    func noLengths(text: String) {
        #expect(Milliseconds(text) == nil)
    }
}
