import StepwellHistory
import StepwellModel

/// Prints a report in the wanted format.
struct ReportPrinter {
    var format: OutputFormat

    func print(_ report: TaskReport) {
        switch format {
        case .json: output(report.json.json.pretty)
        case .jsonl: output(report.json.description)
        case .table: output(ShownReport(report).text(isColored: Terminal.stdoutIsColored))
        }
    }
}
