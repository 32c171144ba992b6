import StepwellEngine
import StepwellLog
import StepwellModel

/// Those who ask for things, and what they were told. Each command goes under its number, which the log keeps as the actor's
/// name.
struct Clients {
    private enum Answer: Equatable {
        case awaited
        case accepted
        case refused
        /// The engine has died before it came: the command may be in the log or not.
        case lost
    }

    private struct Command {
        let act: Int
        /// Submits a task although its key has an owner; nil for other commands.
        let replaces: Bool?
        var answer = Answer.awaited
        var isInLog = false
    }

    private var commands: [Command] = []
    private var seed: UInt64 = 0
    private var digests: [TemplateDigest] = []
    private var numbers: [TaskID: Int] = [:]

    mutating func prepare(_ scenario: Scenario) {
        seed = scenario.seed
        digests = scenario.plots.map(\.template.digest)
        for act in scenario.acts {
            if let task = act.deed.submittedTask { numbers[taskID(task)] = task }
        }
    }

    func digest(_ plot: Int) -> TemplateDigest { digests[plot] }

    /// Ids that do not follow the order of submission, as those of one millisecond do not.
    func taskID(_ number: Int) -> TaskID {
        var random = SplitMix64(seed: seed, 3, UInt64(number))
        return TaskID(
            time: Timestamp(milliseconds: 1_700_000_000_000 + Int64(random.number(0...9))),
            random: (random.next(), random.next()))
    }

    /// The number under which the scenario knows the task.
    func number(_ task: TaskID) -> Int { numbers[task] ?? 0 }

    /// A number for a command that is about to be sent.
    mutating func send(act: Int, replaces: Bool? = nil) -> Int {
        commands.append(Command(act: act, replaces: replaces))
        return commands.count - 1
    }

    /// Whether the log may hold that a client or operator did this now.
    mutating func check(_ record: EventRecord, after ledger: Ledger) throws(Violation) {
        guard record.actor.kind == .client || record.actor.kind == .operator, let number = Int(record.actor.id) else {
            return
        }
        func fail(_ message: String) -> Violation {
            Violation(invariant: "commands", message: "command \(number) \(message)", number: record.number)
        }
        guard commands.indices.contains(number) else { throw fail("was never given") }
        if case .resultAdopted = record.event {
            guard commands[number].isInLog else { throw fail("adopts results before its task is submitted") }
            return
        }
        guard !commands[number].isInLog else { throw fail("was carried out twice") }
        if commands[number].answer == .refused { throw fail("was refused and carried out") }
        commands[number].isInLog = true
        if case .taskSubmitted(let submission) = record.event, let owner = ledger.owner(of: submission),
            commands[number].replaces == false
        {
            throw fail("submits a second task of the key of \(owner)")
        }
    }

    /// What was accepted is in the log. Asked after each recovery.
    func check(at number: SequenceNumber) throws(Violation) {
        for (place, command) in commands.enumerated() where command.answer == .accepted && !command.isInLog {
            throw Violation(
                invariant: "acknowledged", message: "command \(place) was acknowledged, and is not in the log",
                number: number)
        }
    }

    mutating func hear(_ number: Int, isAccepted: Bool, at head: SequenceNumber) throws(Violation) {
        guard commands[number].answer == .awaited else {
            throw Violation(invariant: "answers", message: "command \(number) was answered twice", number: head)
        }
        commands[number].answer = isAccepted ? .accepted : .refused
        if isAccepted { return }
        if commands[number].isInLog {
            throw Violation(
                invariant: "commands", message: "command \(number) was carried out and refused", number: head)
        }
    }

    /// The act that sent the command, if it is a submission.
    func submission(_ number: Int) -> Int? { commands[number].replaces == nil ? nil : commands[number].act }

    /// No further answer will come; gives the acts that somebody will try again.
    mutating func forget() -> [Int] {
        var again: [Int] = []
        for place in commands.indices where commands[place].answer == .awaited {
            commands[place].answer = .lost
            if let act = submission(place) { again.append(act) }
        }
        return again
    }

    /// A command whose answer is still awaited.
    var unanswered: Int? { commands.firstIndex { $0.answer == .awaited } }
}
