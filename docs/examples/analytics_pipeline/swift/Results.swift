// The results of the eight steps. Members are named as in the JSON, so that nothing has to be mapped.

/// Of `extract_sales_data`.
struct SalesExtract: Codable {
    var source = "sales_export"
    var records: [Sale]
    var record_count: Int
    var total_amount: Money
    var total_quantity: Int
    var date_range: [String: String?]
}

/// Of `extract_inventory_data`.
struct InventoryExtract: Codable {
    var source = "inventory_service"
    var records: [Stock]
    var record_count: Int
    var total_quantity: Int
    var warehouses: [String]
    var products_tracked: Int
}

/// Of `extract_customer_data`.
struct CustomerExtract: Codable {
    var source = "customer_export"
    var records: [Customer]
    var record_count: Int
    var total_customers: Int
    var total_lifetime_value: Money
    var avg_lifetime_value: Money
    var tier_breakdown: [String: Int]
}

/// What every extract hands to its transform.
struct Extract<Row: Codable>: Codable {
    var records: [Row]
}

/// Of `transform_sales`.
struct SalesFigures: Codable {
    var record_count: Int
    var total_revenue: Money
    var total_quantity: Int
    var daily_sales: [String: SalesSums]
    var product_sales: [String: SalesSums]
    var by_category: [String: SalesSums]
    var by_region: [String: SalesSums]
    var top_category: TextOrNull
    var total_categories: Int
    var total_regions: Int
    var total_days: Int
}

/// One group of sales.
struct SalesSums: Codable {
    var quantity: Int
    var revenue: Money
    var orders: Int
    var avg_order_value: Money
}

/// Of `transform_inventory`.
struct InventoryFigures: Codable {
    var record_count: Int
    var total_quantity_on_hand: Int
    var reorder_alerts: Int
    var low_stock: [Stock]
    var warehouse_summary: [String: WarehouseSums]
    var product_inventory: [String: ProductSums]
    var total_warehouses: Int
    var total_products: Int
}

/// The stocks of one warehouse.
struct WarehouseSums: Codable {
    var on_hand: Int
    var rows: Int
    var reorder_alerts: Int
}

/// The stocks of one product.
struct ProductSums: Codable {
    var on_hand: Int
    var warehouses: Int
    var needs_reorder: Bool
}

/// Of `transform_customers`.
struct CustomerFigures: Codable {
    var record_count: Int
    var total_customers: Int
    var total_lifetime_value: Money
    var avg_customer_value: Money
    var tier_analysis: [String: TierSums]
    var value_segments: [String: Int]
}

/// The customers of one tier.
struct TierSums: Codable {
    var customers: Int
    var lifetime_value: Money
    var avg_lifetime_value: Money
}

/// Of `aggregate_metrics`.
struct Metrics: Codable {
    var total_revenue: Money
    var total_inventory_quantity: Int
    var total_customers: Int
    var total_customer_lifetime_value: Money
    var avg_customer_value: Money
    var sales_transactions: Int
    var inventory_reorder_alerts: Int
    var revenue_per_customer: Money
    var inventory_turnover_indicator: Double
    var top_category: TextOrNull
    var total_records_processed: Int
    var sources_included = 3
    var aggregation_complete = true
}

/// Of `generate_insights`.
struct Insights: Codable {
    var insights: [Insight]
    var insight_count: Int
    var health_score: HealthScore
    var total_metrics_analyzed: Int
    var pipeline_complete = true
}

/// One finding.
struct Insight: Codable {
    var type: String
    var category: String
    var finding: String
    var recommendation: String
}

/// How well things stand.
struct HealthScore: Codable {
    var score: Int
    var max_score: Int
    var rating: String
    var details: String
}

/// Text or null; never left out, as a nil member would be.
struct TextOrNull: Codable {
    let text: String?

    init(_ text: String?) { self.text = text }

    init(from decoder: any Decoder) throws {
        text = try decoder.singleValueContainer().decode(String?.self)
    }

    func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(text)
    }
}
