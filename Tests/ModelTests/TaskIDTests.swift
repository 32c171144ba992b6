import StepwellModel
import Testing

@Suite("A task's id")
struct TaskIDTests {
    private let id = TaskID(time: Timestamp(milliseconds: 0x0190_1234_5678), random: (.max, .max))

    @Test("It is a UUID of version 7 that begins with its time")
    func version7() {
        #expect(id.description == "01901234-5678-7fff-bfff-ffffffffffff")
        let least = TaskID(time: Timestamp(milliseconds: 0x0190_1234_5678), random: (0, 0))
        #expect(least.description == "01901234-5678-7000-8000-000000000000")
    }

    @Test("Ids sort by their time, whatever chance added; a time before 1970 counts as 1970")
    func order() {
        let later = TaskID(time: Timestamp(milliseconds: 0x0190_1234_5679), random: (0, 0))
        #expect(id < later)
        #expect(!(later < id))
        #expect(TaskID(high: 1, low: 2) < TaskID(high: 1, low: 3))
        #expect(TaskID(time: Timestamp(milliseconds: -5), random: (0, 0)).description.hasPrefix("00000000-0000-7"))
    }

    @Test("Text and bytes give it back")
    func roundTrip() {
        #expect(TaskID(id.description) == id)
        #expect(TaskID(id.description.uppercased()) == id)
        #expect(TaskID(bytes: id.bytes) == id)
        #expect(id.bytes.prefix(6) == [0x01, 0x90, 0x12, 0x34, 0x56, 0x78])
    }

    @Test(
        "What is no id is refused",
        arguments: [
            "", "01901234-5678-7fff-bfff-fffffffffff", "01901234-5678-7fff-bfff-fffffffffffff",
            "0190123405678-7fff-bfff-ffffffffffff", "01901234-5678-7fff-bfff-ffffffffffg0",
            "01901234567807fff0bfff0ffffffffffff0", "019012é-5678-7fff-bfff-ffffffffffff",
            "01901234--678-7fff-bfff-ffffffffffff", "-0190123-5678-7fff-bfff-ffffffffffff",
            "01901234-5678-7fff-bfff-fffffffffff-", "01901234-5678-7fffbffff-ffffffffffff",
        ])
    func refused(text: String) {
        #expect(TaskID(text) == nil)
    }

    @Test("Neither fewer nor more than 16 bytes are one")
    func wrongCount() {
        #expect(TaskID(bytes: [UInt8](repeating: 1, count: 15)) == nil)
        #expect(TaskID(bytes: [UInt8](repeating: 1, count: 17)) == nil)
    }

    @Test("Steps have ids of their own, of version 8, none like another")
    func steps() {
        let steps = (0..<1000).map(id.step)
        #expect(Set(steps).count == 1000)
        #expect(steps.allSatisfy { $0.high >> 12 & 0xF == 8 && $0.low >> 62 == 2 })
        #expect(steps == (0..<1000).map(id.step))
    }
}
