/** Transform: each needs its own extract and nothing else. */

import { defineHandler } from "stepwell";

import { traced } from "./footprints.js";
import { divide, fromCents, toCents } from "./money.js";
import { byGroup, type Customer, distinct, isLow, records, revenue, type Sale, type Stock, sums, total } from "./rows.js";

/** Revenue by day, product, category and region. */
export const transformSales = defineHandler(
  "data_pipeline.transform_sales",
  { depends: { sales: "extract_sales_data" } },
  ({ sales, context }) => traced(context, () => {
    const rows = records<Sale>(sales, "extract_sales_data");
    const byCategory = sums(rows, (row) => row.category);
    const [top] = Object.entries(byCategory).sort(([, one], [, other]) => other.revenue - one.revenue);
    return {
      record_count: rows.length,
      total_revenue: fromCents(revenue(rows)),
      total_quantity: total(rows, (row) => row.quantity),
      daily_sales: sums(rows, (row) => row.date),
      product_sales: sums(rows, (row) => row.product),
      by_category: byCategory,
      by_region: sums(rows, (row) => row.region),
      // The highest revenue; of equals the first by name.
      top_category: top?.[0] ?? null,
      total_categories: Object.keys(byCategory).length,
      total_regions: distinct(rows.map((row) => row.region)).length,
      total_days: distinct(rows.map((row) => row.date)).length,
    };
  }),
);

/** Stock by warehouse and product, and the rows that are below their reorder level. */
export const transformInventory = defineHandler(
  "data_pipeline.transform_inventory",
  { depends: { inventory: "extract_inventory_data" } },
  ({ inventory, context }) => traced(context, () => {
    const rows = records<Stock>(inventory, "extract_inventory_data");
    const low = rows.filter(isLow);
    const warehouses = byGroup(rows, (row) => row.warehouse, (group) => ({
      on_hand: total(group, (row) => row.on_hand),
      rows: group.length,
      reorder_alerts: group.filter(isLow).length,
    }));
    const products = byGroup(rows, (row) => row.product, (group) => ({
      on_hand: total(group, (row) => row.on_hand),
      warehouses: distinct(group.map((row) => row.warehouse)).length,
      needs_reorder: group.some(isLow),
    }));
    return {
      record_count: rows.length,
      total_quantity_on_hand: total(rows, (row) => row.on_hand),
      reorder_alerts: low.length,
      low_stock: low,
      warehouse_summary: warehouses,
      product_inventory: products,
      total_warehouses: Object.keys(warehouses).length,
      total_products: Object.keys(products).length,
    };
  }),
);

/** Customers by tier and by what they have spent so far. */
export const transformCustomers = defineHandler(
  "data_pipeline.transform_customers",
  { depends: { customers: "extract_customer_data" } },
  ({ customers, context }) => traced(context, () => {
    const rows = records<Customer>(customers, "extract_customer_data");
    const high = toCents(context.getConfig("high_value_from", 10000));
    const medium = toCents(context.getConfig("medium_value_from", 1000));
    const values = rows.map((row) => toCents(row.lifetime_value));
    const worth = total(values, (value) => value);
    return {
      record_count: rows.length,
      total_customers: rows.length,
      total_lifetime_value: fromCents(worth),
      avg_customer_value: fromCents(divide(worth, rows.length)),
      tier_analysis: byGroup(rows, (row) => row.tier, (group) => {
        const value = total(group, (row) => toCents(row.lifetime_value));
        return {
          customers: group.length,
          lifetime_value: fromCents(value),
          avg_lifetime_value: fromCents(divide(value, group.length)),
        };
      }),
      value_segments: {
        high: values.filter((value) => value >= high).length,
        medium: values.filter((value) => medium <= value && value < high).length,
        low: values.filter((value) => value < medium).length,
      },
    };
  }),
);
