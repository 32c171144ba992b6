import Foundation
import Stepwell

/// What all runs came to.
struct Report: Encodable {
    struct Machine: Encodable {
        var cores = ProcessInfo.processInfo.activeProcessorCount
        var processor = Report.processor
        var memoryBytes = ProcessInfo.processInfo.physicalMemory
        var system = ProcessInfo.processInfo.operatingSystemVersionString
    }

    struct Figure: Encodable {
        var benchmark: String
        var metric: String
        var unit: String
        var moreIsBetter: Bool?
        var samples: Int
        var median: Double
        var min: Double
        var max: Double
    }

    var version = stepwellVersion
    var size: String
    var date = ISO8601DateFormatter().string(from: Date())
    var machine = Machine()
    var figures: [Figure] = []

    mutating func add(_ samples: [Sample], of benchmark: String) {
        var metrics: [String] = []
        for sample in samples where !metrics.contains(sample.metric) { metrics.append(sample.metric) }
        for metric in metrics {
            let all = samples.filter { $0.metric == metric }
            let values = all.map(\.value).sorted()
            figures.append(
                Figure(
                    benchmark: benchmark, metric: metric, unit: all[0].unit, moreIsBetter: all[0].moreIsBetter,
                    samples: values.count, median: Self.median(values), min: values[0], max: values[values.count - 1]))
        }
    }

    /// Of sorted values.
    private static func median(_ values: [Double]) -> Double {
        let middle = values.count / 2
        return values.count % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2
    }

    private static var processor: String {
        let text = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = text.split(separator: "\n").first { $0.hasPrefix("model name") }
        return line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) } ?? "unknown"
    }

    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

extension Report.Figure {
    /// `durable_steps   rate   52,310 steps/s [51,002 .. 53,441]`
    var line: String {
        "\(pad(benchmark, 18))\(pad(metric, 36))\(pad(Self.text(median) + " " + unit, 22))"
            + "[\(Self.text(min)) .. \(Self.text(max))]"
    }

    private func pad(_ text: String, _ width: Int) -> String {
        text + String(repeating: " ", count: Swift.max(1, width - text.count))
    }

    /// Three significant digits at least.
    private static func text(_ value: Double) -> String {
        switch abs(value) {
        case 1000...: value.formatted(.number.precision(.fractionLength(0)).locale(Locale(identifier: "en_US")))
        case 100...: value.formatted(.number.precision(.fractionLength(1)).locale(Locale(identifier: "en_US")))
        default: value.formatted(.number.precision(.fractionLength(3)).locale(Locale(identifier: "en_US")))
        }
    }
}
