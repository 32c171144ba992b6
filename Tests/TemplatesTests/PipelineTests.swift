import StepwellModel
import StepwellTemplates
import Testing

struct PipelineTests {
    /// The shape that users of the format know: extracts, transforms, an aggregate, insights.
    static let pipeline = """
        name: analytics_pipeline
        namespace_name: data_pipeline
        version: 1.0.0
        description: "Sales, stock and customers of a night"

        steps:
          - name: extract_sales_data
            description: "Read the night's sales"
            handler:
              callable: extract_sales_data
            dependencies: []
            retry:
              retryable: true
              max_attempts: 3
              backoff: exponential
              initial_delay: 2
              max_delay: 30
          - name: extract_inventory_data
            handler:
              callable: DataPipeline.StepHandlers.ExtractInventoryDataHandler
            retry: { retryable: true, max_attempts: 3, backoff: exponential, initial_delay: 2, max_delay: 30 }
          - name: transform_sales
            handler: { callable: "DataPipeline::StepHandlers::TransformSalesHandler", method: daily }
            dependencies: [extract_sales_data]
            retry: { max_attempts: 2, initial_delay: 1.5, max_delay: 20 }
            timeout_seconds: 20
          - name: aggregate_metrics
            handler:
              command: [python3, -m, totals, 7]
              env: { REGION: north, WORKERS: 2 }
              working_directory: jobs
              initialization: { rounding: 2 }
            depends_on:
              - transform_sales
              - extract_inventory_data
        """

    @Test("a template loads without a word, and each key has its effect")
    func loads() throws {
        let load = TemplateLoader.load(text: Self.pipeline)
        #expect(load.diagnostics.map(\.description) == [])
        let template = try load.get()
        #expect(template.namespace == "data_pipeline")
        #expect(template.version == "1.0.0")
        #expect(template.unsupported == [])
        #expect(template.steps.map(\.dependencies) == [[], [], [0], [2, 1]])
        #expect(
            template.steps[0].retry
                == RetryPolicy(attemptsMax: 3, initialDelay: .seconds(2), maximumDelay: .seconds(30)))
        #expect(template.steps[2].retry.initialDelay == Milliseconds(1500))
        #expect(template.steps[2].timeout == .seconds(20))
        #expect(
            template.steps[2].handler
                == .callable("DataPipeline::StepHandlers::TransformSalesHandler", method: "daily"))
        let command = template.steps[3].handler
        #expect(command.target == .command(["python3", "-m", "totals", "7"]))
        #expect(command.environment == [EnvironmentVariable("REGION", "north"), EnvironmentVariable("WORKERS", "2")])
        #expect(command.workingDirectory == "jobs")
        #expect(command.configuration.description == #"{"rounding":2}"#)
    }
}
