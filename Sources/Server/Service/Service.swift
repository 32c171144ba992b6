package import Stepwell
package import StepwellEngine
import StepwellHistory
import StepwellLog
package import StepwellModel
import Synchronization

/// What the routes work with: one engine, and all that a service has around it.
package final class Service: Sendable {
    package let engine: Engine
    package let catalog: TemplateCatalog
    package let feed: EventFeed
    package let workers: RemoteWorkers
    package let access: Access
    package let metrics: Metrics
    package let refusals: Refusals
    let window: EventWindow
    package let outbox: Outbox
    let slow = SlowLane()
    /// What a pruning has found last, and when.
    let lastPrunable = Mutex<(tasks: PrunableTasks, at: Int64)?>(nil)
    let released: @Sendable (Release) -> Void
    let startedAt = monotonicMilliseconds()
    private let phase = Mutex(Phase.starting)

    /// Where the service stands; the order is that of a life.
    package enum Phase: Int, Comparable, Sendable {
        case starting
        case ready
        case draining

        package static func < (left: Phase, right: Phase) -> Bool { left.rawValue < right.rawValue }
    }

    package init(
        engine: Engine, catalog: TemplateCatalog, feed: EventFeed, workers: RemoteWorkers, access: Access,
        metrics: Metrics, refusals: Refusals = Refusals(), released: @escaping @Sendable (Release) -> Void = { _ in }
    ) throws {
        self.refusals = refusals
        self.released = released
        self.engine = engine
        self.catalog = catalog
        self.feed = feed
        self.workers = workers
        self.access = access
        self.metrics = metrics
        window = try EventWindow(engine.store)
        outbox = try Outbox(engine: engine, feed: feed)
    }

    var store: LMDBLog { engine.store }

    package var currentPhase: Phase { phase.withLock { $0 } }

    package func enter(_ next: Phase) {
        phase.withLock { $0 = max($0, next) }
    }

    /// The report of a task that somebody may see.
    func report(_ word: String, _ identity: Identity) throws -> TaskReport {
        let id = try find(word, identity)
        guard let report = try TaskReport.read(id, from: store) else { throw TaskNameError.unknown(word) }
        return report
    }

    /// The task that a word names: an id or the beginning of one, a key, or `last`.
    func find(_ word: String, _ identity: Identity) throws -> TaskID {
        // A whole id needs no search, and most requests have one.
        if let task = try TaskID(word).flatMap({ try store.task($0) }) {
            guard identity.namespaces.includes(task.namespace) else { throw TaskNameError.unknown(word) }
            return task.id
        }
        guard case .only(let namespaces) = identity.namespaces else { return try store.findTask(word) }
        // A client is told nothing of tasks that are not for him, not even that they are there: for him the word means one of his own.
        return try store.findTask(word, in: namespaces)
    }

    /// Waits until the task is settled, at most so long.
    func settled(_ task: TaskID, within limit: Milliseconds) async throws {
        guard limit > Milliseconds(0) else { return }
        let (states, state) = AsyncStream.makeStream(of: Void.self)
        let waiter = feed.whenSettled(task) { _ in state.yield() }
        defer { feed.forget(waiter, of: task) }
        if try store.task(task)?.state.isSettled ?? true { return }
        let timer = Task {
            try await Task.sleep(for: .milliseconds(limit.rawValue))
            state.finish()
        }
        defer { timer.cancel() }
        for await _ in states { return }
    }
}

/// The end of a hold.
package struct Release: Sendable {
    package var by: String
    package var reason: String?
}

/// Questions that read much of a store run on threads of their own, few at a time.
final class SlowLane: Sendable {
    private let running = Mutex(0)
    private static let runningMax = 4

    /// - Throws: ``Problem`` when enough of them run already.
    func run(_ body: @escaping @Sendable () -> Void) throws(Problem) {
        let isFree = running.withLock { running in
            guard running < Self.runningMax else { return false }
            running += 1
            return true
        }
        guard isFree else { throw .busy("\(Self.runningMax) long questions are being answered already") }
        onThread { [self] in
            body()
            running.withLock { $0 -= 1 }
        }
    }
}

extension Service {
    /// Makes a template known.
    /// - Returns: whether it is new.
    /// - Throws: ``CatalogError`` when that version has another text; ``EngineError``.
    package func register(_ template: Template, by actor: Actor) async throws -> Bool {
        guard try catalog.add(template) else { return false }
        do throws(EngineError) {
            try await engine.core.send(.registerTemplate(template, template.digest), by: actor)
        } catch {
            catalog.remove(template)
            throw error
        }
        return true
    }

    var now: Timestamp { engine.core.clock.now() }
}
