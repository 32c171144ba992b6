import StepwellHistory
import StepwellModel

/// Prints a report in the wanted format.
struct ReportPrinter {
    var format: OutputFormat
    var showsDetails = false
    /// Of the store that the report is from.
    var activity = StoreActivity.unknown

    func print(_ report: TaskReport) {
        switch format {
        case .json: output(report.json.json.pretty)
        case .jsonl: output(report.json.description)
        case .table: output(ReportText(report: report, showsDetails: showsDetails, activity: activity).text)
        }
    }
}
