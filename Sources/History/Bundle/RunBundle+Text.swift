import StepwellLog
import StepwellModel

extension RunBundle {
    static let version = 1

    /// The bundle as lines of JSON, each with its end.
    package func text() throws -> [UInt8] {
        let template = try templateBytes.withUnsafeBytes { try TemplateCodec.decode($0, digest: templateDigest) }
        let names = template.steps.map(\.name)
        var text = Text()
        text.line { writer in
            writer.member("stepwell", "run")
            writer.member("version", Self.version)
            writer.member("written_by", writtenBy)
            writer.member("store_id", storeID)
            writer.member("task_id", task.description)
            writer.member("state", state.name)
            writer.member("head", head.rawValue)
            writer.member("head_hash", hexadecimal(headHash))
            writer.member("state_hash", hexadecimal(stateHash))
            writer.member("redacted", .array(redacted.map(JSON.string)))
        }
        text.line { writer in
            writer.member("template", hexadecimal(templateDigest.bytes))
            writer.member("cbor", Base64.encode(templateBytes))
            writer.member("content", template.json)
        }
        for event in events {
            text.line { writer in
                writer.name("event")
                EventJSON.write(event.record, to: &writer) { names.indices.contains($0) ? names[$0] : nil }
                writer.member("cbor", Base64.encode(event.bytes))
                if event.isRedacted { writer.member("redacted", true) }
            }
        }
        for commit in commits { text.line { $0.member("commit", commit.json) } }
        for line in logLines { text.line { $0.member("log", line.json) } }
        let (count, digest) = (text.count, SHA256.hash(text.bytes))
        text.line { writer in
            writer.member("end", ["lines": .number(String(count)), "sha256": .string(hexadecimal(digest))])
        }
        return text.bytes
    }
}

/// Lines of JSON objects.
private struct Text {
    private(set) var bytes: [UInt8] = []
    private(set) var count = 0

    mutating func line(_ write: (inout JSONWriter) -> Void) {
        var writer = JSONWriter()
        writer.beginObject()
        write(&writer)
        writer.endObject()
        bytes += writer.bytes
        bytes.append(UInt8(ascii: "\n"))
        count += 1
    }
}

extension Commit {
    fileprivate var json: JSON {
        var members: [JSON.Member] = [
            .init("first", .number(String(first.rawValue))), .init("last", .number(String(last.rawValue))),
            .init("time_ms", .number(String(time.milliseconds))), .init("form", .number(String(form.rawValue))),
            .init("previous", .string(hexadecimal(previous ?? []))), .init("hash", .string(hexadecimal(hash))),
        ]
        if let runs {
            members.append(
                .init(
                    "runs",
                    .array(
                        runs.map { run in
                            let count = JSON.Member("events", .number(String(run.count)))
                            return .object([count] + (run.hash.map { [.init("hash", .string(hexadecimal($0)))] } ?? []))
                        })))
        }
        return .object(members)
    }
}

extension LogLine {
    fileprivate var json: JSON {
        [
            "step_index": .number(String(step)), "attempt": .number(String(attempt)),
            "lease": .number(String(lease.rawValue)), "number": .number(String(number)),
            "time_ms": .number(String(time.milliseconds)), "level": .string(level.name), "text": .string(text),
        ]
    }
}
