import Foundation
import Stepwell

/// The analytics pipeline with its handlers in this process, or this process as a worker of a server.
@main
struct AnalyticsPipeline {
    static func main() async {
        // The inventory service is on this machine, whatever proxy there is to the world.
        setenv("no_proxy", "*", 1)
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            if options.wantsHelp { return print(Options.help) }
            if let server = options.server { return try await work(for: server, options) }
            let report = try await run(options)
            print(report.json)
            exit(report.state == .complete ? 0 : 1)
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
            exit(error is UsageError ? 2 : 1)
        }
    }

    /// Runs the steps that a server gives, until the process is told to end.
    static func work(for server: String, _ options: Options) async throws {
        let worker = try Worker(server: server, name: "analytics", concurrency: options.concurrency)
        worker.register(
            Traced(ExtractSalesData()), Traced(ExtractInventoryData()), Traced(ExtractCustomerData()),
            Traced(TransformSales()), Traced(TransformInventory()), Traced(TransformCustomers()),
            Traced(AggregateMetrics()), Traced(GenerateInsights()))
        worker.drainAtSignals()
        try await worker.run()
    }

    /// Submits a task, or goes on with that of the key, and waits for its end.
    static func run(_ options: Options) async throws -> TaskReport {
        let file = DataSet.home.appending(path: "analytics_pipeline.yaml").path(percentEncoded: false)
        let template = try Template(file: file, environment: options.environment)
        let engine = try await Engine.open(options.store)
        do {
            engine.register(
                Traced(ExtractSalesData()), Traced(ExtractInventoryData()), Traced(ExtractCustomerData()),
                Traced(TransformSales()), Traced(TransformInventory()), Traced(TransformCustomers()),
                Traced(AggregateMetrics()), Traced(GenerateInsights()))
            let report = try await task(of: template, options, in: engine).wait()
            await engine.stop()
            return report
        } catch {
            await engine.stop()
            throw error
        }
    }

    private static func task(
        of template: Template, _ options: Options, in engine: Engine
    ) async throws -> TaskHandle {
        if let key = options.key,
            let task = try await engine.task(namespace: template.namespace, name: template.name, key: key)
        {
            return task
        }
        return try await engine.submit(template, input: ["data": .string(options.data)], key: options.key)
    }
}
