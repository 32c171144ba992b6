import Stepwell

// Each needs its own extract and nothing else.

/// Revenue by day, product, category and region.
struct TransformSales: StepHandler {
    static let name = "data_pipeline.transform_sales"

    func call(_ context: StepContext) async throws -> StepResult {
        let sales: [Sale] = try await context.records(of: "extract_sales_data")
        let byCategory = sums(of: sales, by: \.category)
        return try .success(
            encoding: SalesFigures(
                record_count: sales.count, total_revenue: sales.map(\.total).sum(),
                total_quantity: sales.map(\.quantity).sum(), daily_sales: sums(of: sales, by: \.date),
                product_sales: sums(of: sales, by: \.product), by_category: byCategory,
                by_region: sums(of: sales, by: \.region),
                // Of equals the first by name.
                top_category: TextOrNull(
                    byCategory.min { ($1.value.revenue, $0.key) < ($0.value.revenue, $1.key) }?.key),
                total_categories: byCategory.count, total_regions: Set(sales.map(\.region)).count,
                total_days: Set(sales.map(\.date)).count))
    }

    private func sums(of sales: [Sale], by member: (Sale) -> String) -> [String: SalesSums] {
        Dictionary(grouping: sales, by: member).mapValues { group in
            let revenue = group.map(\.total).sum()
            return SalesSums(
                quantity: group.map(\.quantity).sum(), revenue: revenue, orders: group.count,
                avg_order_value: revenue.divided(by: group.count))
        }
    }
}

/// Stock by warehouse and product, and the rows that are below their reorder level.
struct TransformInventory: StepHandler {
    static let name = "data_pipeline.transform_inventory"

    func call(_ context: StepContext) async throws -> StepResult {
        let stocks: [Stock] = try await context.records(of: "extract_inventory_data")
        let low = stocks.filter(\.isLow)
        let warehouses = Dictionary(grouping: stocks, by: \.warehouse).mapValues { group in
            WarehouseSums(
                on_hand: group.map(\.on_hand).sum(), rows: group.count, reorder_alerts: group.filter(\.isLow).count)
        }
        let products = Dictionary(grouping: stocks, by: \.product).mapValues { group in
            ProductSums(
                on_hand: group.map(\.on_hand).sum(), warehouses: Set(group.map(\.warehouse)).count,
                needs_reorder: group.contains(where: \.isLow))
        }
        return try .success(
            encoding: InventoryFigures(
                record_count: stocks.count, total_quantity_on_hand: stocks.map(\.on_hand).sum(),
                reorder_alerts: low.count,
                low_stock: low, warehouse_summary: warehouses, product_inventory: products,
                total_warehouses: warehouses.count, total_products: products.count))
    }
}

/// Customers by tier and by what they have spent so far.
struct TransformCustomers: StepHandler {
    static let name = "data_pipeline.transform_customers"

    private struct Configuration: Decodable {
        var high_value_from: Money?
        var medium_value_from: Money?
    }

    func call(_ context: StepContext) async throws -> StepResult {
        let customers: [Customer] = try await context.records(of: "extract_customer_data")
        let configuration = try context.configuration(as: Configuration.self)
        let high = configuration.high_value_from ?? Money(cents: 1_000_000)
        let medium = configuration.medium_value_from ?? Money(cents: 100_000)
        let values = customers.map(\.lifetime_value)
        let tiers = Dictionary(grouping: customers, by: \.tier).mapValues { group in
            let worth = group.map(\.lifetime_value).sum()
            return TierSums(
                customers: group.count, lifetime_value: worth, avg_lifetime_value: worth.divided(by: group.count))
        }
        return try .success(
            encoding: CustomerFigures(
                record_count: customers.count, total_customers: customers.count, total_lifetime_value: values.sum(),
                avg_customer_value: values.sum().divided(by: customers.count), tier_analysis: tiers,
                value_segments: [
                    "high": values.filter { $0 >= high }.count,
                    "medium": values.filter { $0 >= medium && $0 < high }.count,
                    "low": values.filter { $0 < medium }.count,
                ]))
    }
}
