package import StepwellModel

/// The chain that binds each commit to all before it.
package enum HashChain {
    /// The hash before the first commit.
    package static let origin = [UInt8](repeating: 0, count: SHA256.byteCount)

    /// How a commit's hash is made from its events. The numbers are those of the log and never change.
    package enum Form: UInt8, Sendable {
        /// Over the hash before and the bytes of all events. Commits that do not say their form have this one.
        case flat = 0
        /// Over the hash before and the hashes of the runs: neighbouring events of the same task, or of none. So one task's events
        /// can be taken out of a commit, or be given to somebody without the other tasks', and its hash can still be checked.
        case runs = 1
    }
}

/// Computes the hash of a commit, event by event, as `docs/log-format.md` says.
package struct CommitHasher: ~Copyable {
    private var commit = SHA256()
    private var run = SHA256()
    private var form = HashChain.Form.runs
    private var task: TaskID?
    private var isInRun = false

    package init() {}

    /// Begins with the hash of the commit before.
    package mutating func begin(after previous: [UInt8], form: HashChain.Form) {
        self.form = form
        isInRun = false
        commit.update(previous)
    }

    package mutating func add(_ event: UnsafeRawBufferPointer, of task: TaskID?) {
        guard form == .runs else { return commit.update(event) }
        if isInRun, task != self.task { endRun() }
        self.task = task
        isInRun = true
        run.update(event)
    }

    /// Adds a run whose events are not at hand.
    package mutating func add(run hash: [UInt8]) {
        endRun()
        commit.update(hash)
    }

    /// The hash of the present run; the next event begins another.
    package mutating func finishRun() -> [UInt8] {
        let hash = run.finish()
        commit.update(hash)
        isInRun = false
        return hash
    }

    /// The commit's hash; the next commit may begin.
    package mutating func finish() -> [UInt8] {
        endRun()
        return commit.finish()
    }

    private mutating func endRun() {
        guard isInRun else { return }
        run.finish { commit.update($0) }
        isInRun = false
    }
}
