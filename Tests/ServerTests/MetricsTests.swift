import StepwellModel
import Testing

@testable import StepwellServer

/// What Prometheus is told.
@Suite struct MetricsTests {
    @Test func aHistogramCountsFromTheSmallestUp() {
        var histogram = Histogram(bounds: [1, 2.5])
        for value in [0.5, 1, 2, 4] { histogram.observe(value) }
        var text = MetricsText()
        text.add(.commitEvents, histogram: histogram)
        let lines = text.text.split(separator: "\n").dropFirst(2)
        #expect(
            Array(lines) == [
                #"stepwell_commit_events_bucket{le="1.0"} 2"#, #"stepwell_commit_events_bucket{le="2.5"} 3"#,
                #"stepwell_commit_events_bucket{le="+Inf"} 4"#, "stepwell_commit_events_sum 7.5",
                "stepwell_commit_events_count 4",
            ])
    }

    @Test func labelsAreEscaped() {
        var text = MetricsText()
        text.add(.waiting, [([("handler", "a\"b\\c\nü")], "1")])
        #expect(text.text.hasSuffix("\nstepwell_waiting_steps{handler=\"a\\\"b\\\\c\\nü\"} 1\n"))
    }

    @Test func anUnknownAddressMakesNoName() {
        let metrics = Metrics()
        metrics.answered("GET", "", status: 404, nanoseconds: 1)
        metrics.answered("BREW", "", status: 404, nanoseconds: 1)
        #expect(metrics.currentRequests.answered == [.init(method: "", path: "", status: 404): 2])
    }

    @Test func theProcessIsMeasured() throws {
        let figures = ProcessFigures.now()
        let (resident, virtual) = (try #require(figures.residentBytes), try #require(figures.virtualBytes))
        let descriptors = try #require(figures.descriptors)
        #expect(0 < figures.heapUsedBytes && figures.heapUsedBytes <= figures.heapBytes)
        #expect(figures.heapBytes < virtual && 0 < resident)
        #expect(resident < virtual)
        #expect(figures.processorSeconds > 0)
        #expect(2 < descriptors && descriptors < Int(figures.descriptorsMax))
    }

    @Test func thePageListsEveryMetric() throws {
        let page = try Project.text(of: "docs/operations.md")
        let written = page.split(separator: "\n").filter { $0.hasPrefix("| `stepwell_") || $0.hasPrefix("| `process_") }
            .map(String.init)
        #expect(written == MetricName.all.map { "| `\($0.name)` | \($0.kind.rawValue) | \($0.help) |" })
    }
}
