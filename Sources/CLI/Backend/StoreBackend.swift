import Stepwell
import StepwellEngine
import StepwellHistory
import StepwellLog
import StepwellModel
import StepwellServer

/// A store on this machine. It is read in place, beside whoever writes it; what changes it is done by the server that has it,
/// if there is one.
struct StoreBackend: Backend {
    let store: StoreLocation

    func tasks(matching filter: TaskFilter, limit: Int) throws -> [JSON] {
        try store.reader().tasks(matching: filter, limit: limit).map(\.json)
    }

    func findTask(_ word: String) throws -> TaskID { try store.reader().findTask(word) }

    func answer(_ question: Question, needsText: Bool) throws -> Answer {
        let reader = try store.reader()
        switch question {
        case .report(let word, let details):
            guard var report = try TaskReport.read(reader.findTask(word), from: reader) else {
                throw TaskNameError.unknown(word)
            }
            guard details else { return told(ShownReport(report), needsText) }
            try report.readForks(from: reader)
            return told(ShownReport(report, showsDetails: true, activity: try activity(reader)), needsText)
        case .explanation(let word, let step):
            let id = try reader.findTask(word)
            let names = try reader.stepNames(of: id)
            let index = try step.map { try names.index(ofStep: $0) }
            guard
                let explanation = try Explanation.read(id, step: index, from: reader, activity: activity(reader))
            else { throw TaskNameError.unknown(word) }
            return told(ShownExplanation(explanation, isHeld: isHeld), needsText)
        case .difference(let one, let other):
            let ids = try [one, other].map { try reader.findTask($0) }
            guard let diff = try TaskDiff.read(ids[0], ids[1], from: reader) else { throw TaskNameError.unknown(one) }
            return told(diff, needsText, isAlike: diff.isAlike)
        case .world(let at):
            let last = try reader.currentHead().time
            let moment = at.flatMap(MomentText.init)?
                .moment(first: last.startOfDay, last: last, now: SystemClock().now())
            let activity = try activity(reader)
            // Whether an engine is at work is known of the present alone.
            let then = moment == nil || activity == .imported ? activity : .unknown
            return told(ShownWorld(try World.read(reader, at: moment ?? .end), activity: then), needsText)
        case .statistics:
            return told(ShownStatistics(try reader.statistics(), path: store.path), needsText)
        }
    }

    /// What goes on in the store. The process that has it tells whether that is a server.
    private func activity(_ reader: LMDBReader) throws(LogError) -> StoreActivity {
        let activity = try reader.activity()
        return activity == .atWork && RunningServer.isServed(store) ? .served : activity
    }

    private func told(_ shown: some Shown, _ needsText: Bool, isAlike: Bool = false) -> Answer {
        needsText
            ? .text(shown.text(isColored: Terminal.stdoutIsColored), isAlike: isAlike) : .document(shown.document)
    }

    func events(
        of task: String?, after: SequenceNumber, as form: EventForm, follows: Bool,
        _ body: @escaping (String) -> Void
    ) async throws {
        let reader = try store.reader()
        let id = try task.map { try reader.findTask($0) }
        var lines = try EventLines(form, from: reader)
        var last = after
        func tell(_ record: EventRecord) throws {
            body(String(decoding: try lines.line(record), as: UTF8.self))
            last = record.number
        }
        func readOn() throws {
            if let id { return try reader.events(of: id, after: last, payloads: .included, tell) }
            try reader.events(after: last, payloads: .included) { record in
                try tell(record)
                return true
            }
        }
        try readOn()
        while follows {
            // LMDB tells nobody of a commit, so the end of the log is looked at.
            try await Task.sleep(for: .milliseconds(100))
            if try reader.currentHead().number > last { try readOn() }
        }
    }

    func logLines(of task: TaskID, step: String?, _ body: (JSON) -> Void) throws {
        let reader = try store.reader()
        let names = try reader.stepNames(of: task)
        let wanted = try step.map { try names.index(ofStep: $0) }
        try reader.logLines(of: task, after: nil) { line in
            if wanted == nil || wanted == line.step { body(line.json(names)) }
            return true
        }
    }

    func export(_ task: String, redacting pointers: [String]) throws -> [UInt8] {
        let reader = try store.reader()
        let id = try reader.findTask(task)
        guard let bundle = try RunBundle.export(id, from: reader, redacting: pointers, version: stepwellVersion) else {
            throw TaskNameError.unknown(task)
        }
        return try bundle.text()
    }

    func graph(ofTask task: String, _ format: GraphText.Format) throws -> String {
        let reader = try store.reader()
        guard let report = try TaskReport.read(try reader.findTask(task), from: reader) else {
            throw TaskNameError.unknown(task)
        }
        return GraphText(template: report.template, states: report.steps.map(\.state)).text(format)
    }

    func graph(ofTemplate name: TemplateName, _ format: GraphText.Format) throws -> String {
        let template = try catalog().find(namespace: name.namespace, name: name.name, version: name.version)
        return GraphText(template: template).text(format)
    }

    func templates() throws -> [JSON] { try catalog().all.map(\.nameJSON) }

    private func catalog() throws -> TemplateCatalog {
        let catalog = TemplateCatalog()
        try catalog.load(store.reader())
        return catalog
    }

    func workers() throws -> [JSON] {
        let reader = try store.reader()
        // Only the server knows when a worker was last heard of.
        if let server = RunningServer.of(store) { return try server.workers() }
        guard try reader.activity() == .atWork else { return [] }
        return try World.read(reader).workers.map { $0.join.json(running: $0.busy) }
    }

    var isHeld: Bool { RunningServer.of(store)?.isHeld ?? false }

    func limits() throws -> [JSON] {
        let reader = try store.reader()
        // Only the server knows who is at work.
        if let server = RunningServer.of(store) { return try server.limits() }
        return try LimitReport.all(in: reader).map(\.json)
    }

    func plan(_ wish: Wish?, for task: TaskID) throws -> DryRun {
        let reader = try store.reader()
        return try DryRun.of(wish?.command(for: task, in: reader), task: task, in: reader)
    }

    func perform(_ wish: Wish, on task: TaskID) async throws {
        try await RunningServer.write(
            to: store, by: { try await $0.perform(wish, on: task) },
            alone: { try await store.change { engine in try await wish.perform(on: engine.task(task)) } })
    }
}

extension Wish {
    fileprivate func command(for task: TaskID, in log: some EventReader) throws -> StepwellModel.Command {
        switch self {
        case .cancel(let reason): .cancelTask(task, reason: reason)
        case .pause(let reason): .pauseTask(task, reason: reason)
        case .unpause(let reason): .resumeTask(task, reason: reason)
        case .retry(let steps, let reason):
            .retryTask(task, steps: try log.stepIndexes(of: steps, in: task), reason: reason)
        case .resolve(let step, let result, let reason):
            .resolveStep(task, try log.stepIndexes(of: [step], in: task)[0], result: result, reason: reason)
        }
    }

    func perform(on task: TaskHandle) async throws {
        let actor = Operator.actor()
        switch self {
        case .cancel(let reason): try await task.cancel(reason: reason, by: actor)
        case .pause(let reason): try await task.pause(reason: reason, by: actor)
        case .unpause(let reason): try await task.resume(reason: reason, by: actor)
        case .retry(let steps, let reason): try await task.retry(steps: steps, reason: reason, by: actor)
        case .resolve(let step, let result, let reason):
            try await task.resolve(step, result: result, reason: reason, by: actor)
        }
    }
}

extension StoreLocation {
    /// Opens the store for one change, without running anything.
    func change(_ body: (Engine) async throws -> Void) async throws {
        var options = EngineOptions()
        options.isPassive = true
        let failure = Once<LogError>()
        options.observers.failure = { failure.fire($0) }
        let engine = try await Engine.open(path, options: options)
        do {
            try await body(engine)
            await engine.stop(grace: .zero)
            if let error = failure.present { throw error }
        } catch {
            await engine.stop(grace: .zero)
            throw error
        }
    }
}

extension [String] {
    /// The place of a step's name.
    func index(ofStep step: String) throws -> Int {
        if let index = firstIndex(of: step) { return index }
        let near = nearest(to: step, in: self)
        throw UsageError("the task has no step '\(step)'" + (near.map { "; did you mean '\($0)'?" } ?? ""))
    }
}
