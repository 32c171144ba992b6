import Foundation
import Stepwell

// Three sources, each in its own form.

/// Sales from a CSV export.
struct ExtractSalesData: StepHandler {
    static let name = "data_pipeline.extract_sales_data"

    func call(_ context: StepContext) async throws -> StepResult {
        let first = try await context.input("date_range_start", as: String.self) ?? ""
        let last = try await context.input("date_range_end", as: String.self).flatMap { $0.isEmpty ? nil : $0 }
        let export = SalesExport(text: String(decoding: try await DataSet(context).read("sales.csv"), as: UTF8.self))
        let sales = try export.sales(from: first, to: last ?? "9999-12-31")
        context.log.info("read \(sales.count) sales from sales.csv")
        return try .success(
            encoding: SalesExtract(
                records: sales, record_count: sales.count, total_amount: sales.map(\.total).sum(),
                total_quantity: sales.map(\.quantity).sum(),
                date_range: ["start": sales.map(\.date).min(), "end": sales.map(\.date).max()]))
    }
}

/// Stock from the inventory service, which may be down for a while.
struct ExtractInventoryData: StepHandler {
    static let name = "data_pipeline.extract_inventory_data"

    private struct Configuration: Decodable {
        var request_timeout_seconds: Double?
    }

    func call(_ context: StepContext) async throws -> StepResult {
        let data = try await DataSet(context).name
        let service = InventoryService(
            url: try await context.input("inventory_url"),
            timeout: try context.configuration(as: Configuration.self).request_timeout_seconds ?? 5)
        let stocks = try await service.stocks(data)
        context.log.info("got \(stocks.count) rows from \(service.url) on attempt \(context.attempt)")
        return try .success(
            encoding: InventoryExtract(
                records: stocks, record_count: stocks.count, total_quantity: stocks.map(\.on_hand).sum(),
                warehouses: Set(stocks.map(\.warehouse)).sorted(),
                products_tracked: Set(stocks.map(\.product)).count))
    }
}

/// Customers from a JSON export.
struct ExtractCustomerData: StepHandler {
    static let name = "data_pipeline.extract_customer_data"

    private struct Export: Decodable {
        var customers: [Customer]
    }

    func call(_ context: StepContext) async throws -> StepResult {
        let export = try await DataSet(context).read("customers.json")
        let customers = try JSONDecoder().decode(Export.self, from: export).customers
        let total = customers.map(\.lifetime_value).sum()
        return try .success(
            encoding: CustomerExtract(
                records: customers, record_count: customers.count, total_customers: customers.count,
                total_lifetime_value: total, avg_lifetime_value: total.divided(by: customers.count),
                tier_breakdown: Dictionary(grouping: customers, by: \.tier).mapValues(\.count)))
    }
}
