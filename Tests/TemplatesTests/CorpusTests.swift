import StepwellModel
import StepwellTemplates
import Testing

struct CorpusTests {
    struct Expected: Sendable, CustomTestStringConvertible {
        var file: String
        var steps: Int
        var warnings: [String]

        init(_ file: String, _ steps: Int, _ warnings: String...) {
            self.file = file
            self.steps = steps
            self.warnings = warnings
        }

        var testDescription: String { file }
    }

    @Test(
        "templates of every kind of workflow load, with the warnings that they deserve",
        arguments: [
            Expected("analytics_pipeline", 8),
            Expected("anchors", 2),
            Expected("boundary_max_attempts_one", 1),
            Expected("boundary_max_attempts_three", 1),
            Expected("boundary_max_attempts_zero", 1, "5:98 raised_to_one"),
            Expected("boundary_non_retryable_first", 1),
            Expected("boundary_non_retryable_retries", 1, "5:102 ignored_key"),
            Expected("complex_dag", 7),
            Expected("content_publishing", 7),
            Expected("customer_success_refund", 5),
            Expected("diamond_pattern", 4),
            Expected("error_scenarios", 3, "10:46 raised_to_one"),
            Expected("hierarchical_tree", 8),
            Expected("mathematical_sequence", 4),
            Expected("method_dispatch", 3),
            Expected(
                "order_fulfillment", 4, "4:1 ignored_key", "5:1 ignored_key", "6:1 ignored_key", "9:46 ignored_key",
                "11:5 ignored_key"),
            Expected("order_processing", 5, "5:1 ignored_key"),
            Expected("payments_refund", 4),
            Expected("retry_exhaustion", 1),
            Expected("retry_mechanics", 1),
            Expected("typed_results", 2),
            Expected("user_registration", 5),
        ])
    func loads(_ expected: Expected) throws {
        let load = TemplateLoader.load(text: try corpus(expected.file + ".yaml"))
        #expect(load.places == expected.warnings)
        let template = try load.get()
        #expect(template.steps.count == expected.steps)
        #expect(template.unsupported == [])
    }

    @Test(
        "a template that asks for what this version does not have loads, is kept whole, and names it",
        arguments: [
            (
                "batch_resumption",
                ["type: batchable (step 'plan', line 5)", "type: batch_worker (step 'work', line 6)"], 1
            ),
            (
                "checkpoint_yield",
                ["type: batchable (step 'analyze', line 6)", "batch_config (step 'analyze', line 8)"], 2
            ),
            ("composition", ["composition (step 'normalize', line 6)"], 0),
            ("conditional_approval", ["type: decision (step 'route', line 11)"], 1),
            (
                "csv_batch",
                ["type: batchable (step 'analyze_csv', line 6)", "batch_config (step 'analyze_csv', line 8)"], 2
            ),
            ("diamond_decision_batch", ["type: decision (step 'route', line 8)"], 4),
            ("dlq_staleness", ["lifecycle (line 4)"], 0),
            (
                "domain_event_publishing",
                [
                    "publishes_events (step 'validate_order', line 10)",
                    "publishes_events (step 'process_payment', line 15)",
                ], 0
            ),
            ("resolver_hints", ["handler.resolver: model_store (step 'score', line 5)"], 0),
        ])
    func unsupported(_ file: String, _ first: [String], _ more: Int) throws {
        let load = TemplateLoader.load(text: try corpus(file + ".yaml"))
        let template = try load.get()
        #expect(Array(template.unsupported.prefix(first.count)) == first)
        #expect(template.unsupported.count == first.count + more)
        #expect(load.warnings.count { $0.code == .notSupportedYet } == template.unsupported.count)
    }

    @Test("what is not supported is kept in the details")
    func details() throws {
        let approval = try TemplateLoader.load(text: corpus("conditional_approval.yaml")).get()
        #expect(approval.steps[1].details.description == #"{"type":"decision"}"#)
        let batch = try TemplateLoader.load(text: corpus("csv_batch.yaml")).get()
        #expect(batch.steps[0].details.json["batch_config"]?["batch_size"] == 200)
        let events = try TemplateLoader.load(text: corpus("domain_event_publishing.yaml")).get()
        #expect(events.details.json["domain_events"]?[1]?["name"] == "payment.processed")
        #expect(events.steps[1].details.json["publishes_events"]?.array?.count == 2)
        let lifecycle = try TemplateLoader.load(text: corpus("dlq_staleness.yaml")).get()
        #expect(lifecycle.details.json["lifecycle"]?["max_duration_minutes"] == 30)
        let resolver = try TemplateLoader.load(text: corpus("resolver_hints.yaml")).get()
        #expect(resolver.steps[0].details.description == #"{"resolver":"model_store"}"#)
    }

    @Test("the pipeline of the nightly story: every retry key has its effect")
    func pipeline() throws {
        let template = try TemplateLoader.load(text: corpus("analytics_pipeline.yaml")).get()
        #expect(template.namespace == "data_pipeline" && template.name == "analytics_pipeline")
        #expect(template.steps.map(\.dependencies) == [[], [], [], [0], [1], [2], [3, 4, 5], [6]])
        for step in template.steps[0..<3] {
            #expect(
                step.retry
                    == RetryPolicy(
                        retryable: true, attemptsMax: 3, backoff: .exponential, initialDelay: .seconds(2),
                        maximumDelay: .seconds(30)))
            #expect(step.timeout == .seconds(30))
        }
        #expect(template.steps[3].retry.attemptsMax == 2)
        #expect(template.steps[3].retry.maximumDelay == .seconds(20))
        #expect(template.steps[4].handler == .callable("DataPipeline::StepHandlers::TransformInventoryHandler"))
        #expect(template.steps[6].retry == RetryPolicy(attemptsMax: 2))
        #expect(template.inputSchema?.json["properties"]?["pipeline_id"]?["type"] == "string")
        #expect(template.steps[0].resultSchema?.json["required"] == ["record_count", "total_revenue"])
        #expect(template.details.json["metadata"]?["documentation_url"] == .null)
    }

    @Test("a broken file tells every fault at once, in the order of its lines")
    func broken() throws {
        let load = TemplateLoader.load(text: try corpus("broken.yaml"), file: "broken.yaml", environment: "prod")
        #expect(load.template == nil)
        let printed = load.diagnostics.map { $0.description + "\n" }.joined()
        #expect(printed == (try corpus("broken.txt")))
    }
}
