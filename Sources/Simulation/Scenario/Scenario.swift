package import StepwellModel

/// All that happens from outside in one simulated life of a store, as a value: the same scenario gives the same log, byte for byte,
/// on every machine. A scenario that breaks an invariant can be made smaller piece by piece.
package struct Scenario: Sendable {
    /// What is not written here is drawn from it: what comes of each attempt, what a power failure leaves.
    package var seed: UInt64
    package var plots: [Plot]
    /// What the engine has at its side each time that it starts.
    package var workers: [Helper]
    package var conduct: Conduct
    /// In the order of their times.
    package var acts: [Act]
    /// Whether faults end after the last act. From then on all goes well, so that every task must come to an end.
    package var endsCalmly = true
    /// A task with so many events is worth a snapshot.
    package var snapshotsFrom = 256
    /// What each task gets.
    package var input = JSONText.emptyObject
}

/// A template, and where its steps stood before some were taken out: what happens to a step depends on that place.
package struct Plot: Sendable {
    package var template: Template
    package var places: [Int]

    package init(_ template: Template) {
        self.template = template
        places = Array(template.steps.indices)
    }
}

/// A worker.
package struct Helper: Sendable, Hashable {
    package var kind: WorkerJoin.Kind
    package var handlers: [String]
    package var slots: Int
    /// How long after the engine it is there, in milliseconds.
    package var delay: Int
    /// None: all.
    package var namespaces: [String] = []
}

/// Something that somebody does at a time, in milliseconds since the beginning.
package struct Act: Sendable {
    package var time: Int64
    package var deed: Deed
}

package enum Deed: Sendable {
    /// `task` counts the submissions, from 0.
    case submit(task: Int, plot: Int, key: String?, priority: Int, replacing: Bool)
    /// `task` is a fork of the task `origin`, from that step on, modulo those that there are.
    case fork(task: Int, origin: Int, step: Int)
    case cancel(task: Int)
    /// What is still paused at the end goes on.
    case pause(task: Int)
    case resume(task: Int)
    /// A limit that lets nothing start is removed in the end.
    case limit(LimitSetting)
    case unlimit(LimitTarget)
    /// No steps: all that have failed.
    case retry(task: Int, steps: [Int])
    case resolve(task: Int, step: Int, withResult: Bool)
    /// A further worker comes.
    case help(Helper)
    /// A worker leaves; which, modulo those that are there.
    case dismiss(Int)
    /// The clock is set, by so many milliseconds.
    case setClock(Int64)
    case crash(Crash)
    /// The disk has no space for so long.
    case fillDisk(Int64)
    /// The engine is stopped in good order, and comes back.
    case stop(grace: Int64, pause: Int64, focus: Int?)
    /// An end is reported that nobody may report; the number says how it is wrong.
    case forge(Int)
}

/// The machine stops.
package struct Crash: Sendable, Hashable {
    /// At that write or sync after the act's time, or after ``patience`` if there are not so many.
    package var operations: Int
    package var patience: Int64
    /// Also the cache of the operating system is lost.
    package var powerFails: Bool
    package var pause: Int64
    /// The next start meets another one after so many writes and syncs.
    package var again: Int?
    package var focus: Int?
}

/// What workers make of attempts, in percent; what is left succeeds.
package struct Conduct: Sendable, Hashable {
    package var fails = 0
    /// Of the failures, how many are final, and how many ask for a wait of their own.
    package var failsForGood = 0
    package var asksForWait = 0
    /// Runs until its time is over. Without a timeout it succeeds late.
    package var hangs = 0
    /// The worker dies of it.
    package var kills = 0
    /// The engine dies while it runs.
    package var killsEngine = 0
    /// Reports twice, or after it was told to stop.
    package var repeats = 0
    package var checkpoints = 0
    package var logs = 0
    /// Of the reports of attempts that were lost with the engine, how many arrive all the same.
    package var outlives = 0
    /// How long an attempt takes at most, in milliseconds.
    package var duration = 1000
    package var commitDuration = 3

    package init() {}

    /// When the faults have ended.
    static let calm: Conduct = {
        var conduct = Conduct()
        conduct.duration = 50
        return conduct
    }()
}
