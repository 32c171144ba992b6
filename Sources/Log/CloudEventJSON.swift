package import StepwellModel

/// Events in the JSON format of CloudEvents 1.0, for programs that take events from anywhere.
///
/// `source` and `id` together name an event for ever: the store, and the event's number in it. The extensions `sequence`,
/// `causationid` and `correlationid` are those that CloudEvents describes; `sequence` has leading zeros, so that its values sort as
/// text.
package enum CloudEventJSON {
    /// Every type is one of the log's names behind this.
    package static let typePrefix = "stepwell."
    private static let sequenceDigits = 20

    /// The record as one line, without its end.
    /// - Parameters:
    ///   - storeID: names the store, in hexadecimal digits.
    ///   - correlationID: that of the record's task.
    package static func line(
        _ record: EventRecord, storeID: String, correlationID: String?, stepName: ((StepIndex) -> String?)? = nil
    ) -> [UInt8] {
        var writer = JSONWriter()
        writer.beginObject()
        writer.member("specversion", "1.0")
        writer.member("id", String(record.number.rawValue))
        writer.member("source", "urn:stepwell:store:\(storeID)")
        writer.member("type", typePrefix + record.event.type.name)
        if let task = record.task { writer.member("subject", task.description) }
        writer.member("time", record.time.description)
        writer.member("datacontenttype", "application/json")
        writer.member("sequence", padded(record.number))
        if record.isDecision { writer.member("causationid", String(record.cause.rawValue)) }
        if let correlationID, !correlationID.isEmpty { writer.member("correlationid", correlationID) }
        writer.member("actortype", record.actor.kind.name)
        if !record.actor.id.isEmpty { writer.member("actorid", record.actor.id) }
        if record.task != nil { writer.member("tasksequence", record.taskNumber) }
        writer.name("data")
        EventJSON.writeData(record.event, to: &writer, stepName: stepName)
        writer.endObject()
        return writer.bytes
    }

    private static func padded(_ number: SequenceNumber) -> String {
        let digits = String(number.rawValue)
        return String(repeating: "0", count: max(0, sequenceDigits - digits.count)) + digits
    }
}
