import Foundation
import StepwellKernel
import StepwellModel
import Testing

@Suite("The states of steps and tasks")
struct StateTableTests {
    /// The page is written from the tables: `STEPWELL_WRITE_DOCS=1 swift test --filter StateTableTests`.
    @Test("The page on states says what the tables say")
    func page() throws {
        let page = StatesPage().text
        let place = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appending(path: "docs/states.md")
        if ProcessInfo.processInfo.environment["STEPWELL_WRITE_DOCS"] == "1" {
            try page.write(to: place, atomically: true, encoding: .utf8)
        }
        #expect(try String(contentsOf: place, encoding: .utf8) == page)
    }

    @Test("A step that is final leaves its state only by an operator's hand, and a complete one never")
    func finalSteps() {
        for trigger in StepMachine.Trigger.allCases {
            for state in [StepState.complete, .resolvedManually, .skipped, .cancelled] {
                if case .moves(let next) = StepMachine.table[state, trigger] {
                    Issue.record("\(state) goes to \(next) on \(trigger)")
                }
            }
            if case .moves = StepMachine.table[.error, trigger] {
                #expect([.stepReset, .stepResolved].contains(trigger))
            }
        }
    }

    @Test("A closed task moves no more, and hears nothing but what comes late from a worker")
    func closedTasks() {
        for state in TaskState.allCases where state.isClosed {
            for trigger in TaskMachine.Trigger.allCases {
                #expect(TaskMachine.table[state, trigger] == (trigger == .lateReport ? .stays : .illegal))
            }
        }
    }

    @Test("Every open task can be completed, and cancelled")
    func openTasks() {
        #expect(TaskMachine.open.contains(.blockedByFailures))
        for state in TaskMachine.open {
            #expect(!state.isClosed)
            #expect(TaskMachine.table[state, .taskCompleted] == .moves(to: .complete))
            #expect(TaskMachine.table[state, .taskCancelled] == .moves(to: .cancelled))
        }
    }

    @Test("From every step that is not final, some event leads on")
    func noDeadEnds() {
        for state in [StepState.pending, .enqueued, .inProgress, .waitingForRetry, .error] {
            let ways = StepMachine.Trigger.allCases.filter {
                if case .moves = StepMachine.table[state, $0] { true } else { false }
            }
            #expect(!ways.isEmpty, "nothing leads out of \(state)")
        }
    }

    @Test("Nothing leads to the states that are kept for later")
    func unreachable() {
        let steps = reached(StepMachine.table, from: .pending)
        #expect(Set(StepState.allCases).subtracting(steps) == [.skipped])
        let tasks = reached(TaskMachine.table, from: .pending)
        #expect(Set(TaskState.allCases).subtracting(tasks) == [.error, .resolvedManually])
    }

    private func reached<State, Trigger>(_ table: TransitionTable<State, Trigger>, from first: State) -> Set<State> {
        var found: Set<State> = [first]
        var next = [first]
        while let state = next.popLast() {
            for trigger in Trigger.allCases {
                if case .moves(let other) = table[state, trigger], found.insert(other).inserted { next.append(other) }
            }
        }
        return found
    }
}
