import StepwellLog
import StepwellModel

extension RunBundle {
    /// Reads the bundles of a file, one or more, one behind the other. What they say is not checked yet: see ``check()``.
    ///
    /// - Throws: ``BundleError`` with the line.
    package static func read(_ bytes: [UInt8]) throws -> [RunBundle] {
        var bundles: [RunBundle] = []
        var reader = BundleReader()
        var start = bytes.startIndex
        while start < bytes.endIndex {
            guard let end = bytes[start...].firstIndex(of: UInt8(ascii: "\n")) else { throw BundleError.truncated }
            if let bundle = try reader.take(Array(bytes[start...end])) {
                bundles.append(bundle)
            }
            start = end + 1
        }
        guard !bundles.isEmpty || reader.isWithin else { throw BundleError.notABundle }
        guard !reader.isWithin else { throw BundleError.truncated }
        return bundles
    }
}

/// Takes the lines of bundles.
private struct BundleReader {
    private var bundle: RunBundle?
    private var hasher = SHA256Box()
    /// In the file, for messages.
    private var line = 0
    private var linesOfBundle = 0
    /// Of the template's steps.
    private var names: [String] = []

    var isWithin: Bool { bundle != nil }

    /// - Parameter bytes: a line with its end.
    /// - Returns: a bundle that has ended with the line.
    mutating func take(_ bytes: [UInt8]) throws -> RunBundle? {
        line += 1
        guard let json = try? JSONParser.parse(Array(bytes.dropLast())) else {
            throw line == 1 ? BundleError.notABundle : fault("it is no JSON")
        }
        if let members = json.members, Set(members.lazy.map(\.name)).count < members.count {
            throw fault("a member stands twice")
        }
        if bundle == nil {
            bundle = try head(json)
        } else if let end = json["end"] {
            guard let lines = end["lines"]?.int, lines == linesOfBundle,
                end["sha256"]?.string == hexadecimal(hasher.value.finish())
            else { throw fault("the lines before are not those that were written") }
            linesOfBundle = 0
            names = []
            defer { bundle = nil }
            guard let bundle, !bundle.templateBytes.isEmpty else { throw fault("there is no template") }
            return bundle
        } else if json["template"] != nil {
            let (digest, content) = (TemplateDigest(try hex(json, "template")), try base64(json))
            bundle?.templateDigest = digest
            bundle?.templateBytes = content
            let template = try decoded("the template") {
                try content.withUnsafeBytes { try TemplateCodec.decode($0, digest: digest) }
            }
            try require(json["content"], template.json, "the template's content")
            names = template.steps.map(\.name)
        } else if json["event"] != nil {
            let event = try event(json)
            bundle?.events.append(event)
        } else if let commit = json["commit"] {
            let commit = try self.commit(commit)
            bundle?.commits.append(commit)
        } else if let log = json["log"], let task = bundle?.task {
            let line = try logLine(log, task)
            bundle?.logLines.append(line)
        }
        hasher.value.update(bytes)
        linesOfBundle += 1
        return nil
    }

    private func head(_ json: JSON) throws -> RunBundle {
        guard json["stepwell"]?.string == "run", let version = json["version"] else {
            throw line == 1 ? BundleError.notABundle : fault("it begins no run")
        }
        guard version.int == Int64(RunBundle.version) else {
            throw BundleError.otherVersion(JSONText(version).description)
        }
        guard let task = json["task_id"]?.string.flatMap({ TaskID($0) }) else { throw fault("task_id is no task's id") }
        guard let state = json["state"]?.string.flatMap({ TaskState(name: $0) }) else { throw fault("state is none") }
        let storeID = try hex(json, "store_id")
        guard storeID.count == 16 else { throw fault("store_id is not 16 bytes long") }
        return RunBundle(
            writtenBy: json["written_by"]?.string ?? "", storeID: hexadecimal(storeID), task: task, state: state,
            head: SequenceNumber(try number(json, "head")), headHash: try hash(json, "head_hash"),
            stateHash: try hash(json, "state_hash"), redacted: json["redacted"]?.array?.compactMap(\.string) ?? [],
            templateDigest: TemplateDigest([]), templateBytes: [], events: [], commits: [], logLines: [])
    }

    private func event(_ json: JSON) throws -> BundledEvent {
        let bytes = try base64(json)
        let number = SequenceNumber(try self.number(json["event"] ?? .null, "seq"))
        let record = try decoded("event \(number)") {
            try bytes.withUnsafeBytes { try EventCodec.decode($0, number: number, payloads: .included) }
        }
        let known = EventJSON.line(record) { names.indices.contains($0) ? names[$0] : nil }
        try require(json["event"], JSONParser.parse(known), "event \(number)")
        return BundledEvent(record: record, bytes: bytes, isRedacted: json["redacted"]?.bool ?? false)
    }

    private func decoded<Value>(_ what: String, _ body: () throws -> Value) throws -> Value {
        do { return try body() } catch LogError.corrupt(let reason, _) { throw fault("\(what): \(reason)") }
    }

    /// What the line tells must be what its CBOR says.
    private func require(_ told: JSON?, _ known: JSON, _ what: String) throws {
        if let told, let place = ToldAlike.difference(told, known) {
            throw fault("\(what) tells something else in JSON than in CBOR" + (place.isEmpty ? "" : ", at '\(place)'"))
        }
    }

    private func commit(_ json: JSON) throws -> Commit {
        guard let form = UInt8(exactly: try number(json, "form")).flatMap({ HashChain.Form(rawValue: $0) }) else {
            throw fault("form is none that is known")
        }
        let (first, last) = (try number(json, "first"), try number(json, "last"))
        guard 0 < first, first <= last, last - first < UInt64(UInt32.max) else {
            throw fault("first and last are wrong")
        }
        let runs = try json["runs"]?.array?.map { run in
            let count = try number(run, "events")
            guard (1...(last - first + 1)).contains(count) else { throw fault("events is wrong") }
            return CommitRun(count: Int(count), hash: run["hash"] == nil ? nil : try hash(run, "hash"))
        }
        if let runs, runs.reduce(0, { $0 + $1.count }) != Int(last - first) + 1 {
            throw fault("the runs have another number of events")
        }
        return Commit(
            first: SequenceNumber(first), last: SequenceNumber(last),
            time: Timestamp(milliseconds: Int64(clamping: try number(json, "time_ms"))), hash: try hash(json, "hash"),
            form: form, runs: runs, previous: try hash(json, "previous"))
    }

    private func logLine(_ json: JSON, _ task: TaskID) throws -> LogLine {
        guard let level = json["level"]?.string.flatMap({ LogLine.Level(name: $0) }), let text = json["text"]?.string
        else { throw fault("level or text is wrong") }
        return LogLine(
            task: task, step: Int(clamping: try number(json, "step_index")),
            attempt: Int(clamping: try number(json, "attempt")), lease: Lease(try number(json, "lease")),
            number: UInt32(clamping: try number(json, "number")),
            time: Timestamp(milliseconds: Int64(clamping: try number(json, "time_ms"))), level: level, text: text)
    }

    // MARK: Values

    private func fault(_ what: String) -> BundleError { .damaged(line: line, what) }

    private func number(_ json: JSON, _ name: String) throws -> UInt64 {
        guard case .number(let text)? = json[name], let value = UInt64(text) else {
            throw fault("\(name) is no number")
        }
        return value
    }

    private func hex(_ json: JSON, _ name: String) throws -> [UInt8] {
        guard let value = json[name]?.string.flatMap({ bytes(hexadecimal: $0) }) else {
            throw fault("\(name) is not hexadecimal")
        }
        return value
    }

    private func hash(_ json: JSON, _ name: String) throws -> [UInt8] {
        let value = try hex(json, name)
        guard value.count == SHA256.byteCount else { throw fault("\(name) is no SHA-256") }
        return value
    }

    private func base64(_ json: JSON) throws -> [UInt8] {
        guard let value = json["cbor"]?.string.flatMap({ Base64.decode($0) }) else { throw fault("cbor is not base64") }
        return value
    }
}

/// So that a hash can be a part of a struct that is copied.
private final class SHA256Box {
    var value = SHA256()
}
