/** Aggregate, where the three branches meet, and insights: what the figures say. */

import { defineHandler, PermanentError, StepHandler, type StepContext, type StepHandlerResult } from "stepwell";

import { traced } from "./footprints.js";
import { divide, fromCents, toCents, written } from "./money.js";

interface Metrics {
  total_revenue: number;
  avg_customer_value: number;
  inventory_reorder_alerts: number;
  revenue_per_customer: number;
}

/** One set of figures from all three sources. */
export const aggregateMetrics = defineHandler(
  "data_pipeline.aggregate_metrics",
  { depends: { sales: "transform_sales", inventory: "transform_inventory", customers: "transform_customers" } },
  ({ sales, inventory, customers, context }) => traced(context, () => {
    if (!sales || !inventory || !customers) {
      throw new PermanentError("a transform's result is missing", { errorCode: "MISSING_TRANSFORMS" });
    }
    const earned = toCents(sales.total_revenue);
    return {
      total_revenue: sales.total_revenue,
      total_inventory_quantity: inventory.total_quantity_on_hand,
      total_customers: customers.total_customers,
      total_customer_lifetime_value: customers.total_lifetime_value,
      avg_customer_value: customers.avg_customer_value,
      sales_transactions: sales.record_count,
      inventory_reorder_alerts: inventory.reorder_alerts,
      revenue_per_customer: fromCents(divide(earned, customers.total_customers)),
      // Revenue for each unit in stock, in ten-thousandths.
      inventory_turnover_indicator: divide(earned * 100, inventory.total_quantity_on_hand) / 10000,
      top_category: sales.top_category,
      total_records_processed: sales.record_count + inventory.record_count + customers.record_count,
      sources_included: 3,
      aggregation_complete: true,
    };
  }),
);

/** Three findings and a score from 0 to 100. */
export class GenerateInsights extends StepHandler {
  static override handlerName = "data_pipeline.generate_insights";

  call(context: StepContext): Promise<StepHandlerResult> {
    return traced(context, () => {
      const metrics = context.getDependencyResult<Metrics>("aggregate_metrics");
      if (!metrics) {
        return this.failure("the metrics are missing", undefined, false, undefined, "MISSING_AGGREGATION");
      }
      const insights = findings(metrics);
      for (const { category, finding } of insights) {
        console.log(`${category}: ${finding}`);
      }
      const points = scores(metrics);
      const score = points.reduce((sum, { got }) => sum + got, 0);
      return this.success({
        insights,
        insight_count: insights.length,
        health_score: {
          score,
          max_score: 100,
          rating: rating(score),
          details: points.map(({ name, got, most }) => `${name}: ${got}/${most}`).join(", "),
        },
        total_metrics_analyzed: Object.keys(metrics).length,
        pipeline_complete: true,
      });
    });
  }
}

function findings(metrics: Metrics): { type: string; category: string; finding: string; recommendation: string }[] {
  const perCustomer = toCents(metrics.revenue_per_customer);
  const alerts = metrics.inventory_reorder_alerts;
  const value = toCents(metrics.avg_customer_value);
  return [
    {
      type: "trend",
      category: "Revenue",
      finding: `${written(toCents(metrics.total_revenue))} earned, ${written(perCustomer)} for each customer`,
      recommendation: perCustomer < 50000 ? "offer more" : "keep the course",
    },
    {
      type: alerts > 0 ? "alert" : "trend",
      category: "Inventory",
      finding: `stocks below their reorder level: ${alerts}`,
      recommendation: alerts > 0 ? "reorder" : "keep the course",
    },
    {
      type: "trend",
      category: "Customer Value",
      finding: `a customer is worth ${written(value)} on average`,
      recommendation: value > 300000 ? "care for the best" : "win customers back",
    },
  ];
}

function scores(metrics: Metrics): { name: string; got: number; most: number }[] {
  const perCustomer = toCents(metrics.revenue_per_customer);
  const alerts = metrics.inventory_reorder_alerts;
  const value = toCents(metrics.avg_customer_value);
  return [
    { name: "Revenue", got: perCustomer > 50000 ? 40 : perCustomer > 20000 ? 20 : 0, most: 40 },
    { name: "Inventory", got: alerts === 0 ? 30 : alerts < 3 ? 15 : 0, most: 30 },
    { name: "Customer", got: value > 300000 ? 30 : value > 100000 ? 15 : 0, most: 30 },
  ];
}

/** A word for a score. */
function rating(score: number): string {
  return score >= 80 ? "Excellent" : score >= 60 ? "Good" : score >= 40 ? "Fair" : "Needs Improvement";
}
