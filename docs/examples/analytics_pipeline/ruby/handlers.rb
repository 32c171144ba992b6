# frozen_string_literal: true

# The eight handlers of the analytics pipeline in Ruby. ../README.md describes every field of every result.
#
# The extracts and the insights are classes, the steps between are blocks: both forms do the same.

require "csv"
require "json"
require "stepwell"
require_relative "figures"
require_relative "footprints"
require_relative "money"
require_relative "service"

include Stepwell::StepHandler::Functional # rubocop:disable Style/MixinUsage

# Extract: three sources, each in its own form.

# Sales from a CSV export.
class ExtractSalesData < Stepwell::StepHandler::Base
  handler_name "data_pipeline.extract_sales_data"
  prepend Footprints

  def call(context)
    first = context.get_input_or("date_range_start", "")
    last = context.get_input_or("date_range_end", "9999-12-31")
    path = File.join(Figures.data_folder(context), "sales.csv")
    rows = CSV.foreach(path, headers: true, encoding: "UTF-8").with_index(2).filter_map do |row, number|
      Figures.sale(row.to_h, number) if row["date"].between?(first, last)
    end
    context.log.info("read #{rows.size} sales from #{File.basename(path)}")
    dates = rows.map { |row| row["date"] }
    success(result: {
      source: "sales_export", record_count: rows.size, records: rows,
      total_amount: Money.from_cents(Figures.cents(rows, "total")), total_quantity: Figures.total(rows, "quantity"),
      date_range: { start: dates.min, end: dates.max }
    })
  end
end

# Stock from the inventory service, which may be down for a while.
class ExtractInventoryData < Stepwell::StepHandler::Base
  handler_name "data_pipeline.extract_inventory_data"
  prepend Footprints

  DEFAULT_URL = "http://127.0.0.1:8642"

  def call(context)
    base = context.get_input("inventory_url") || ENV.fetch("INVENTORY_URL", DEFAULT_URL)
    query = URI.encode_www_form(data: File.basename(Figures.data_folder(context)))
    url = "#{base.chomp('/')}/inventory?#{query}"
    rows = Service.get_json(url, context.get_config("request_timeout_seconds", 5)).fetch("rows")
    context.log.info("got #{rows.size} rows from #{url} on attempt #{context.attempt}")
    success(result: {
      source: "inventory_service", record_count: rows.size, records: rows,
      total_quantity: Figures.total(rows, "on_hand"), warehouses: rows.map { |row| row["warehouse"] }.uniq.sort,
      products_tracked: rows.uniq { |row| row["product"] }.size
    })
  end
end

# Customers from a JSON export.
class ExtractCustomerData < Stepwell::StepHandler::Base
  handler_name "data_pipeline.extract_customer_data"
  prepend Footprints

  def call(context)
    rows = JSON.parse(File.read(File.join(Figures.data_folder(context), "customers.json"), encoding: "UTF-8")).fetch("customers")
    total = Figures.cents(rows, "lifetime_value")
    success(result: {
      source: "customer_export", record_count: rows.size, records: rows, total_customers: rows.size,
      total_lifetime_value: Money.from_cents(total),
      avg_lifetime_value: Money.from_cents(Money.divide(total, rows.size)),
      tier_breakdown: Figures.groups(rows, "tier").transform_values(&:size)
    })
  end
end

# Transform: each needs its own extract and nothing else.

# Revenue by day, product, category and region.
step_handler "data_pipeline.transform_sales", depends_on: { sales: "extract_sales_data" } do |sales:|
  rows = Figures.records(sales, "extract_sales_data")
  by_category = Figures.sums(rows, "category")
  {
    record_count: rows.size, total_revenue: Money.from_cents(Figures.cents(rows, "total")),
    total_quantity: Figures.total(rows, "quantity"), daily_sales: Figures.sums(rows, "date"),
    product_sales: Figures.sums(rows, "product"), by_category: by_category, by_region: Figures.sums(rows, "region"),
    # The highest revenue; of equals the first by name.
    top_category: by_category.max_by { |_, sums| sums[:revenue] }&.first,
    total_categories: by_category.size, total_regions: rows.uniq { |row| row["region"] }.size,
    total_days: rows.uniq { |row| row["date"] }.size
  }
end.prepend(Footprints)

# Stock by warehouse and product, and the rows that are below their reorder level.
step_handler "data_pipeline.transform_inventory", depends_on: { inventory: "extract_inventory_data" } do |inventory:|
  rows = Figures.records(inventory, "extract_inventory_data")
  low = rows.select { |row| Figures.low?(row) }
  warehouses = Figures.groups(rows, "warehouse").transform_values do |group|
    { on_hand: Figures.total(group, "on_hand"), rows: group.size, reorder_alerts: group.count { |row| Figures.low?(row) } }
  end
  products = Figures.groups(rows, "product").transform_values do |group|
    {
      on_hand: Figures.total(group, "on_hand"), warehouses: group.uniq { |row| row["warehouse"] }.size,
      needs_reorder: group.any? { |row| Figures.low?(row) }
    }
  end
  {
    record_count: rows.size, total_quantity_on_hand: Figures.total(rows, "on_hand"), reorder_alerts: low.size,
    low_stock: low, warehouse_summary: warehouses, product_inventory: products,
    total_warehouses: warehouses.size, total_products: products.size
  }
end.prepend(Footprints)

# Customers by tier and by what they have spent so far.
step_handler "data_pipeline.transform_customers", depends_on: { customers: "extract_customer_data" } do |customers:, context:|
  rows = Figures.records(customers, "extract_customer_data")
  high = Money.to_cents(context.get_config("high_value_from", 10_000))
  medium = Money.to_cents(context.get_config("medium_value_from", 1000))
  values = rows.map { |row| Money.to_cents(row["lifetime_value"]) }
  tiers = Figures.groups(rows, "tier").transform_values do |group|
    worth = Figures.cents(group, "lifetime_value")
    {
      customers: group.size, lifetime_value: Money.from_cents(worth),
      avg_lifetime_value: Money.from_cents(Money.divide(worth, group.size))
    }
  end
  {
    record_count: rows.size, total_customers: rows.size, total_lifetime_value: Money.from_cents(values.sum),
    avg_customer_value: Money.from_cents(Money.divide(values.sum, rows.size)), tier_analysis: tiers,
    value_segments: {
      high: values.count { |value| value >= high },
      medium: values.count { |value| value >= medium && value < high },
      low: values.count { |value| value < medium }
    }
  }
end.prepend(Footprints)

# Aggregate: where the three branches meet.

# One set of figures from all three sources.
step_handler "data_pipeline.aggregate_metrics", depends_on: {
  sales: "transform_sales", inventory: "transform_inventory", customers: "transform_customers"
} do |sales:, inventory:, customers:|
  unless sales && inventory && customers
    raise Stepwell::PermanentError.new("a transform's result is missing", error_code: "MISSING_TRANSFORMS")
  end

  earned = Money.to_cents(sales["total_revenue"])
  on_hand = inventory["total_quantity_on_hand"]
  buyers = customers["total_customers"]
  {
    total_revenue: sales["total_revenue"], total_inventory_quantity: on_hand, total_customers: buyers,
    total_customer_lifetime_value: customers["total_lifetime_value"],
    avg_customer_value: customers["avg_customer_value"], sales_transactions: sales["record_count"],
    inventory_reorder_alerts: inventory["reorder_alerts"],
    revenue_per_customer: Money.from_cents(Money.divide(earned, buyers)),
    # Revenue for each unit in stock, in ten-thousandths.
    inventory_turnover_indicator: Money.divide(earned * 100, on_hand) / 10_000.0,
    top_category: sales["top_category"],
    total_records_processed: Figures.total([sales, inventory, customers], "record_count"),
    sources_included: 3, aggregation_complete: true
  }
end.prepend(Footprints)

# Insights: what the figures say.

# Three findings and a score from 0 to 100.
class GenerateInsights < Stepwell::StepHandler::Base
  handler_name "data_pipeline.generate_insights"
  prepend Footprints

  def call(context)
    metrics = context.get_dependency_result("aggregate_metrics")
    return failure("the metrics are missing", retryable: false, error_code: "MISSING_AGGREGATION") unless metrics

    insights = findings(metrics)
    insights.each { |insight| puts "#{insight[:category]}: #{insight[:finding]}" }
    success(result: {
      insights: insights, insight_count: insights.size, health_score: health(metrics),
      total_metrics_analyzed: metrics.size, pipeline_complete: true
    })
  end

  private

  def findings(metrics)
    revenue, per_customer, value = cents(metrics, "total_revenue", "revenue_per_customer", "avg_customer_value")
    alerts = metrics["inventory_reorder_alerts"]
    [
      {
        type: "trend", category: "Revenue",
        finding: "#{Money.written(revenue)} earned, #{Money.written(per_customer)} for each customer",
        recommendation: per_customer < 50_000 ? "offer more" : "keep the course"
      },
      {
        type: alerts.positive? ? "alert" : "trend", category: "Inventory",
        finding: "stocks below their reorder level: #{alerts}",
        recommendation: alerts.positive? ? "reorder" : "keep the course"
      },
      {
        type: "trend", category: "Customer Value", finding: "a customer is worth #{Money.written(value)} on average",
        recommendation: value > 300_000 ? "care for the best" : "win customers back"
      }
    ]
  end

  def health(metrics)
    per_customer, value = cents(metrics, "revenue_per_customer", "avg_customer_value")
    alerts = metrics["inventory_reorder_alerts"]
    points = {
      "Revenue" => [points_of(per_customer, 50_000 => 40, 20_000 => 20), 40],
      "Inventory" => [{ 0 => 30, 1 => 15, 2 => 15 }.fetch(alerts, 0), 30],
      "Customer" => [points_of(value, 300_000 => 30, 100_000 => 15), 30]
    }
    score = points.each_value.sum(&:first)
    {
      score: score, max_score: 100, rating: Figures.rating(score),
      details: points.map { |name, (got, most)| "#{name}: #{got}/#{most}" }.join(", ")
    }
  end

  def cents(metrics, *names)
    metrics.values_at(*names).map { |amount| Money.to_cents(amount) }
  end

  # The points of the first limit that the value is over.
  def points_of(value, limits)
    limits.each { |limit, points| return points if value > limit }
    0
  end
end
