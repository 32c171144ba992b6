package import StepwellLog
package import StepwellModel

extension StoreStatistics {
    /// The counts as one JSON object.
    package var json: JSON {
        .object(
            [
                .init("store_id", .string(storeID)), .init("events", .number(String(head.number.rawValue))),
                .init("commits", number(commits)),
            ] + head.json + [
                .init(
                    "tasks",
                    .array(
                        tasks.map {
                            [
                                "state": .string($0.state.name), "namespace": .string($0.namespace),
                                "name": .string($0.name), "count": number($0.count),
                            ]
                        })),
                .init(
                    "oldest_open",
                    oldestOpen.map {
                        [
                            "task_id": .string($0.id.description), "state": .string($0.state.name),
                            "submitted_at": .string($0.submitted.description),
                        ]
                    } ?? .null),
                .init(
                    "days",
                    .array(days.map { ["date": .string($0.date), "events": .number(String($0.events))] })),
                .init(
                    "largest",
                    .array(
                        largest.map {
                            [
                                "seq": .number(String($0.event.number.rawValue)),
                                "type": .string($0.event.event.type.name),
                                "task_id": $0.event.task.map { .string($0.description) } ?? .null,
                                "bytes": number($0.bytes),
                            ]
                        })),
                .init(
                    "tables",
                    .object(tables.map { .init($0.name, ["rows": number($0.rows), "bytes": number($0.bytes)]) })),
                .init(
                    "file",
                    [
                        "bytes": number(file.bytes), "free_bytes": number(file.freeBytes),
                        "page_bytes": number(file.pageBytes), "map_bytes": number(file.mapBytes),
                    ]),
                .init(
                    "readers",
                    .array(
                        readers.map {
                            [
                                "process_id": number($0.process),
                                "transaction": $0.transaction.map(number) ?? .null,
                            ]
                        })),
            ])
    }
}

private func number(_ value: Int) -> JSON { .number(String(value)) }

extension LogHead {
    /// The end of a log, as the members of a JSON object.
    package var json: [JSON.Member] {
        [
            .init("head", .number(String(number.rawValue))),
            .init("head_time", number == .zero ? .null : .string(time.description)),
            .init("head_hash", .string(hexadecimal(hash))),
        ]
    }
}
