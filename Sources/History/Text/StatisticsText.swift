package import StepwellLog
import StepwellModel

/// How many of the last days with events are shown to people.
private let daysShown = 7

extension StoreStatistics {
    func text(path: String) -> String {
        var parts = [
            "store \(path)  \(storeID)", head.line,
            "\(Int(head.number.rawValue).grouped) events in \(commits.grouped) commits",
            "data.mdb \(byteCount(file.bytes)), of it free \(byteCount(file.freeBytes)); map \(byteCount(file.mapBytes))",
            "readers: " + (readers.isEmpty ? "none" : readers.map { "process \($0.process)" }.joined(separator: ", ")),
        ]
        if let task = oldestOpen {
            parts.append(
                "oldest open task: \(task.id)  \(task.namespace)/\(task.name)  \(task.state.name)"
                    + "  submitted \(task.submitted)")
        }
        var groups = Table("STATE", "TEMPLATE", "TASKS")
        groups.rows = tasks.map { [$0.state.name, "\($0.namespace)/\($0.name)", $0.count.grouped] }
        var sizes = Table("TABLE", "ROWS", "BYTES")
        sizes.rows = tables.map { [$0.name, $0.rows.grouped, byteCount($0.bytes)] }
        var recent = Table("DAY", "EVENTS")
        recent.rows = days.suffix(daysShown).map { [$0.date, Int($0.events).grouped] }
        var payloads = Table("LARGEST EVENTS", "TYPE", "TASK", "BYTES")
        payloads.rows = largest.map {
            [
                $0.event.number.description, $0.event.event.type.name, $0.event.task?.description ?? "",
                byteCount($0.bytes),
            ]
        }
        let shown = [groups, sizes, recent, payloads].filter { !$0.rows.isEmpty }
        return ([parts.joined(separator: "\n")] + shown.map(\.text)).joined(separator: "\n\n")
    }
}

extension LogHead {
    /// For people: where a log ends, and what to note down to know it again.
    package var line: String {
        number == .zero ? "no events" : "head \(number)  \(time)  \(hexadecimal(hash))"
    }
}
