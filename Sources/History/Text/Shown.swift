package import StepwellLog
package import StepwellModel

/// Something that is shown: as one JSON document for programs, and as text for people. The command line prints it, and a
/// server answers with it, so that both say the same.
package protocol Shown {
    var document: JSONText { get }
    /// Without a line's end.
    func text(isColored: Bool) -> String
}

/// A task's report.
package struct ShownReport: Shown {
    let report: TaskReport
    let showsDetails: Bool
    let activity: StoreActivity

    /// - Parameters:
    ///   - showsDetails: also who submitted the task, its input, and backtraces.
    ///   - activity: of the store that the report is from.
    package init(_ report: TaskReport, showsDetails: Bool = false, activity: StoreActivity = .unknown) {
        self.report = report
        self.showsDetails = showsDetails
        self.activity = activity
    }

    package var document: JSONText { report.json }

    package func text(isColored: Bool) -> String {
        ReportText(report: report, isColored: isColored, showsDetails: showsDetails, activity: activity).text
    }
}

/// Why a task is where it is.
package struct ShownExplanation: Shown {
    let explanation: Explanation
    let isHeld: Bool

    /// - Parameter isHeld: whether the server is on hold, of which the store knows nothing.
    package init(_ explanation: Explanation, isHeld: Bool) {
        self.explanation = explanation
        self.isHeld = isHeld
    }

    package var document: JSONText {
        let members = explanation.json.members ?? []
        return JSONText(.object(isHeld ? members + [.init("held", true)] : members))
    }

    package func text(isColored: Bool) -> String {
        var lines = explanation.sentences.enumerated().map { index, sentence in
            index == 0 ? sentence.description.colored(.bold, if: isColored) : "  \(sentence)"
        }
        if !explanation.actions.isEmpty {
            lines.append("")
            for action in explanation.actions { lines.append("\(action.command)\n    \(action.purpose)") }
        }
        return lines.joined(separator: "\n")
    }
}

extension TaskDiff: Shown {
    package var document: JSONText { JSONText(json) }

    package func text(isColored: Bool) -> String { DiffText(diff: self).text }
}

/// The whole engine at a moment.
package struct ShownWorld: Shown {
    let world: World
    let activity: StoreActivity

    /// - Parameter activity: of the store; unknown of the past.
    package init(_ world: World, activity: StoreActivity) {
        self.world = world
        self.activity = activity
    }

    package var document: JSONText { JSONText(world.json) }

    package func text(isColored: Bool) -> String { WorldText(world: world, activity: activity).text }
}

/// What a store holds.
package struct ShownStatistics: Shown {
    let statistics: StoreStatistics
    let path: String

    package init(_ statistics: StoreStatistics, path: String) {
        self.statistics = statistics
        self.path = path
    }

    package var document: JSONText { JSONText(statistics.json) }

    package func text(isColored: Bool) -> String { statistics.text(path: path) }
}
