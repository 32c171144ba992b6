import StepwellModel
import Testing

@testable import StepwellLog

@Suite("Events as CloudEvents")
struct CloudEventTests {
    private let storeID = String(repeating: "ab", count: 16)

    private func event(_ record: EventRecord, correlationID: String? = nil) throws -> JSON {
        try JSONText(CloudEventJSON.line(record, storeID: storeID, correlationID: correlationID) { "step \($0)" }).json
    }

    private func record(_ event: Event, task: TaskID? = nil, cause: UInt64 = 0, actor: Actor = .engine) -> EventRecord {
        EventRecord(
            number: SequenceNumber(412), task: task, taskNumber: task == nil ? 0 : 7, previous: .zero,
            time: Timestamp(milliseconds: 1_700_000_000_042), actor: actor, cause: SequenceNumber(cause), event: event)
    }

    @Test("A decision of a task: its cause, its task, and the log's own data")
    func decision() throws {
        let task = TaskID(high: 1, low: 2)
        let json = try event(record(.stepCompleted(3), task: task, cause: 411), correlationID: "night")
        #expect(
            json == [
                "specversion": "1.0", "id": "412", "source": .string("urn:stepwell:store:\(storeID)"),
                "type": "stepwell.step.completed", "subject": .string(task.description),
                "time": "2023-11-14T22:13:20.042Z", "datacontenttype": "application/json",
                "sequence": "00000000000000000412", "causationid": "411", "correlationid": "night",
                "actortype": "engine", "tasksequence": 7, "data": ["step": "step 3", "step_index": 3],
            ])
    }

    @Test("A fact of the engine has no task, no cause and no correlation")
    func fact() throws {
        let json = try event(record(.engineStopped, actor: Actor(.operator, id: "ada \"x\" ü")))
        #expect(json["actorid"]?.string == "ada \"x\" ü")
        for absent in ["subject", "causationid", "correlationid", "tasksequence"] { #expect(json[absent] == nil) }
        #expect(json["data"] == [:])
    }

    @Test("Every event of the log has the required attributes, and only names that CloudEvents allows")
    func names() throws {
        var generator = SeededGenerator(seed: 7)
        for type in EventType.allCases {
            let json = try event(record(generator.event(type), task: TaskID(high: 1, low: 2), cause: 1))
            for name in try #require(json.members).map(\.name) {
                #expect(name.wholeMatch(of: /[a-z0-9]{1,20}/) != nil)
            }
            for required in ["id", "source", "specversion", "type"] {
                #expect(json[required]?.string?.isEmpty == false)
            }
            #expect(json["type"]?.string == "stepwell.\(type.name)")
        }
    }

    @Test("Numbers sort as text")
    func sequence() throws {
        var records = [record(.engineStopped), record(.engineStopped)]
        records[0].number = SequenceNumber(9)
        records[1].number = SequenceNumber(.max)
        let texts = try records.compactMap { try event($0)["sequence"]?.string }
        #expect(texts == texts.sorted())
        #expect(texts.map(\.count) == [20, 20])
    }
}
