import StepwellEngine
import StepwellModel
import Testing

private let noon = Timestamp(milliseconds: 1_700_000_000_000)
private let hour: Int64 = 3_600_000
private let year = 365 * 24 * hour

@Suite("The log's time")
struct LogClockTests {
    /// A machine whose clock can be set, and the log's time on it, in milliseconds after noon.
    private struct Machine {
        var reading = ClockReading(wall: noon, monotonic: Milliseconds(77))
        var clock: LogClock

        init(logAhead: Int64 = 0) {
            clock = LogClock(from: noon.advanced(by: Milliseconds(logAhead)), at: reading.monotonic)
        }

        mutating func pass(_ time: Int64) { reading.pass(Milliseconds(time)) }
        mutating func set(_ change: Int64) { reading.wall = reading.wall.advanced(by: Milliseconds(change)) }
        mutating func look() -> Int64 { (clock.time(at: reading) - noon).rawValue }

        /// Lets the time pass in so many looks, and says how often a look found that the clock had been set back.
        mutating func look(_ count: Int, every time: Int64) -> Int {
            var found = 0
            for _ in 0..<count {
                pass(time)
                _ = look()
                if clock.isSetBack { found += 1 }
            }
            return found
        }
    }

    @Test("It is the time of day, as long as that is not set back")
    func inStep() {
        var machine = Machine(logAhead: -5)
        #expect(machine.look() == 0)
        machine.pass(1)
        #expect(machine.look() == 1)
        machine.pass(hour)
        #expect(machine.look() == hour + 1)
        machine.set(year)
        #expect(machine.look() == year + hour + 1)
        #expect(!machine.clock.isSetBack)
    }

    @Test("After a set-back it goes at half speed, and the time of day has caught up after twice as long")
    func setBack() {
        var machine = Machine()
        #expect(machine.look() == 0)
        machine.set(-hour)
        #expect(machine.look() == 0)
        #expect(machine.clock.isSetBack)
        machine.pass(3)
        #expect(machine.look() == 1)
        #expect(!machine.clock.isSetBack)
        machine.pass(2 * hour - 5)
        #expect(machine.look() == hour - 1)
        machine.pass(2)
        #expect(machine.look() == hour)
        machine.pass(10)
        #expect(machine.look() == hour + 10)
    }

    @Test("However often one looks, no half millisecond is lost, and a set-back is told once")
    func manyLooks() {
        var machine = Machine()
        _ = machine.look()
        machine.set(-hour)
        #expect(machine.look(10_000, every: 1) == 1)
        #expect(machine.look() == 5000)
    }

    @Test("Each further set-back is told, and none makes the time slower than half speed")
    func repeated() {
        var machine = Machine()
        _ = machine.look()
        for count in 1...50 as ClosedRange<Int64> {
            machine.set(-30_000)
            #expect(machine.look(10, every: 100) == 1)
            #expect(machine.look() == count * 500)
        }
    }

    @Test("A set-back that nothing notices, since more time has passed meanwhile, is none")
    func unnoticed() {
        var machine = Machine()
        _ = machine.look()
        machine.pass(60_000)
        machine.set(-20_000)
        #expect(machine.look() == 40_000)
        #expect(!machine.clock.isSetBack)
    }

    @Test("A clock that is slowed down to be put right is not set back")
    func slewed() {
        var machine = Machine()
        _ = machine.look()
        for _ in 0..<100 {
            machine.pass(100)
            machine.set(-10)
            _ = machine.look()
            #expect(!machine.clock.isSetBack)
        }
        #expect(machine.look() == 9000)
    }

    @Test("Set forward while behind, it is the time of day again, or nearer to it")
    func setForward() {
        var machine = Machine()
        _ = machine.look()
        machine.set(-hour)
        _ = machine.look()
        machine.set(hour / 2)
        machine.pass(1000)
        #expect(machine.look() == 500)
        #expect(!machine.clock.isSetBack)
        machine.set(hour / 2)
        #expect(machine.look() == 1000)
        machine.pass(7)
        #expect(machine.look() == 1007)
    }

    @Test(
        "While the machine sleeps the clock that nobody sets stands still; then it is the time of day, or waits for it")
    func suspended() {
        var machine = Machine()
        _ = machine.look()
        machine.set(-hour)
        _ = machine.look()
        // The time of day goes on in sleep.
        machine.set(hour / 2)
        #expect(machine.look() == 0)
        machine.set(8 * hour)
        #expect(machine.look() == 7 * hour + hour / 2)
        #expect(!machine.clock.isSetBack)
    }

    @Test("A log that is ahead when an engine starts goes on from its last event at half speed, and that is told")
    func startsAhead() {
        var machine = Machine(logAhead: 10_000)
        machine.pass(100)
        #expect(machine.look() == 10_050)
        #expect(machine.clock.isSetBack)
        machine.pass(20_000)
        #expect(machine.look() == 20_100)
    }

    @Test("A set-back by ten years is caught up with after twenty")
    func tenYears() {
        var machine = Machine()
        _ = machine.look()
        machine.set(-10 * year)
        _ = machine.look()
        machine.pass(20 * year - 2)
        #expect(machine.look() == 10 * year - 1)
        machine.pass(1002)
        #expect(machine.look() == 10 * year + 1000)
    }

    @Test(
        "Who waits as long as he is told wakes when the time has come, and not much later",
        arguments: [0, 1, 5, 500, 1000, 3600, 1_000_000] as [Int64], [0, 1, 2, 3, 999, 1000, 1001, 7777] as [Int64])
    func delays(behind: Int64, due: Int64) {
        for passed in 0..<4 as Range<Int64> {
            var machine = Machine()
            _ = machine.look()
            machine.set(-behind)
            _ = machine.look()
            machine.pass(passed)
            let now = machine.look()
            let moment = noon.advanced(by: Milliseconds(due))
            let delay = machine.clock.delay(until: moment, at: machine.reading)
            #expect(delay.rawValue <= max(0, 2 * (due - now)))
            var earlier = machine
            machine.pass(delay.rawValue)
            #expect(machine.look() >= due)
            // One of the log's milliseconds takes two.
            guard delay.rawValue >= 2 else { continue }
            earlier.pass(delay.rawValue - 2)
            #expect(earlier.look() < due)
        }
    }

    @Test("The end of time is a long wait, not an overflow")
    func endOfTime() {
        var machine = Machine()
        machine.set(-hour)
        _ = machine.look()
        let delay = machine.clock.delay(until: Timestamp(milliseconds: .max), at: machine.reading)
        #expect(delay > Milliseconds(.max / 2))
        #expect(machine.clock.delay(until: Timestamp(milliseconds: .min), at: machine.reading) == .zero)
    }

    @Test("The machine's two clocks are read together, and the second never goes back")
    func system() {
        let clock = SystemClock()
        var last = clock.read()
        for _ in 0..<1000 {
            let reading = clock.read()
            #expect(reading.monotonic >= last.monotonic)
            last = reading
        }
        #expect(last.wall > noon)
    }
}
