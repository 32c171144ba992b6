import Stepwell

/// One set of figures from all three sources: where the three branches meet.
struct AggregateMetrics: StepHandler {
    static let name = "data_pipeline.aggregate_metrics"

    func call(_ context: StepContext) async throws -> StepResult {
        let missing = "MISSING_TRANSFORMS"
        let sales = try await context.result(of: "transform_sales", as: SalesFigures.self, orFail: missing)
        let inventory = try await context.result(of: "transform_inventory", as: InventoryFigures.self, orFail: missing)
        let customers = try await context.result(of: "transform_customers", as: CustomerFigures.self, orFail: missing)
        return try .success(
            encoding: Metrics(
                total_revenue: sales.total_revenue, total_inventory_quantity: inventory.total_quantity_on_hand,
                total_customers: customers.total_customers,
                total_customer_lifetime_value: customers.total_lifetime_value,
                avg_customer_value: customers.avg_customer_value, sales_transactions: sales.record_count,
                inventory_reorder_alerts: inventory.reorder_alerts,
                revenue_per_customer: sales.total_revenue.divided(by: customers.total_customers),
                // Revenue for each unit in stock, in ten-thousandths.
                inventory_turnover_indicator:
                    Double(divide(sales.total_revenue.cents * 100, inventory.total_quantity_on_hand)) / 10_000,
                top_category: sales.top_category,
                total_records_processed: sales.record_count + inventory.record_count + customers.record_count))
    }
}

/// What the figures say: three findings and a score from 0 to 100.
struct GenerateInsights: StepHandler {
    static let name = "data_pipeline.generate_insights"

    func call(_ context: StepContext) async throws -> StepResult {
        let metrics = try await context.result(
            of: "aggregate_metrics", as: Metrics.self, orFail: "MISSING_AGGREGATION")
        let findings = insights(metrics)
        for insight in findings { context.log.info("\(insight.category): \(insight.finding)") }
        let points = points(metrics)
        return try .success(
            encoding: Insights(
                insights: findings, insight_count: findings.count,
                health_score: HealthScore(
                    score: points.map(\.got).sum(), max_score: 100, rating: rating(points.map(\.got).sum()),
                    details: points.map { "\($0.subject): \($0.got)/\($0.most)" }.joined(separator: ", ")),
                // The result as it is, whatever members it has.
                total_metrics_analyzed: try await context.dependencyResult("aggregate_metrics")?.members?.count ?? 0))
    }

    private func insights(_ metrics: Metrics) -> [Insight] {
        let (perCustomer, value) = (metrics.revenue_per_customer, metrics.avg_customer_value)
        let alerts = metrics.inventory_reorder_alerts
        return [
            Insight(
                type: "trend", category: "Revenue",
                finding: "\(metrics.total_revenue.written) earned, \(perCustomer.written) for each customer",
                recommendation: perCustomer.cents < 50_000 ? "offer more" : "keep the course"),
            Insight(
                type: alerts > 0 ? "alert" : "trend", category: "Inventory",
                finding: "stocks below their reorder level: \(alerts)",
                recommendation: alerts > 0 ? "reorder" : "keep the course"),
            Insight(
                type: "trend", category: "Customer Value",
                finding: "a customer is worth \(value.written) on average",
                recommendation: value.cents > 300_000 ? "care for the best" : "win customers back"),
        ]
    }

    private func points(_ metrics: Metrics) -> [(subject: String, got: Int, most: Int)] {
        let (perCustomer, value) = (metrics.revenue_per_customer.cents, metrics.avg_customer_value.cents)
        let alerts = metrics.inventory_reorder_alerts
        return [
            ("Revenue", perCustomer > 50_000 ? 40 : perCustomer > 20_000 ? 20 : 0, 40),
            ("Inventory", alerts == 0 ? 30 : alerts < 3 ? 15 : 0, 30),
            ("Customer", value > 300_000 ? 30 : value > 100_000 ? 15 : 0, 30),
        ]
    }

    private func rating(_ score: Int) -> String {
        switch score {
        case 80...: "Excellent"
        case 60...: "Good"
        case 40...: "Fair"
        default: "Needs Improvement"
        }
    }
}
