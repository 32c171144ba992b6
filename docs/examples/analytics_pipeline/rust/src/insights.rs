//! Insights: what the figures say.

use stepwell::{json, StepContext, StepError, Value};

use crate::figures::{amount, text, whole};
use crate::money::written;

struct Metrics {
    revenue: i64,
    per_customer: i64,
    customer_value: i64,
    alerts: i64,
}

/// Three findings and a score from 0 to 100.
pub fn generate(context: &StepContext) -> Result<Value, StepError> {
    let result = context.get_dependency_result("aggregate_metrics")?;
    let members = result
        .as_object()
        .ok_or_else(|| StepError::permanent("the metrics are missing").with_code("MISSING_AGGREGATION"))?;
    let metrics = Metrics {
        revenue: amount(&result, "total_revenue")?,
        per_customer: amount(&result, "revenue_per_customer")?,
        customer_value: amount(&result, "avg_customer_value")?,
        alerts: whole(&result, "inventory_reorder_alerts")?,
    };
    let insights = findings(&metrics);
    for insight in &insights {
        context.log().info(format_args!(
            "{}: {}",
            text(insight, "category")?,
            text(insight, "finding")?
        ));
    }
    Ok(json!({
        "insight_count": insights.len(),
        "insights": insights,
        "health_score": health(&metrics),
        "total_metrics_analyzed": members.len(),
        "pipeline_complete": true,
    }))
}

fn findings(metrics: &Metrics) -> Vec<Value> {
    let (revenue, per_customer) = (written(metrics.revenue), written(metrics.per_customer));
    let has_alerts = metrics.alerts > 0;
    vec![
        json!({
            "type": "trend",
            "category": "Revenue",
            "finding": format!("{revenue} earned, {per_customer} for each customer"),
            "recommendation": if metrics.per_customer < 50_000 { "offer more" } else { "keep the course" },
        }),
        json!({
            "type": if has_alerts { "alert" } else { "trend" },
            "category": "Inventory",
            "finding": format!("stocks below their reorder level: {}", metrics.alerts),
            "recommendation": if has_alerts { "reorder" } else { "keep the course" },
        }),
        json!({
            "type": "trend",
            "category": "Customer Value",
            "finding": format!("a customer is worth {} on average", written(metrics.customer_value)),
            "recommendation": if metrics.customer_value > 300_000 { "care for the best" } else { "win customers back" },
        }),
    ]
}

fn health(metrics: &Metrics) -> Value {
    let revenue = points(metrics.per_customer, [(50_000, 40), (20_000, 20)]);
    let inventory = match metrics.alerts {
        0 => 30,
        1 | 2 => 15,
        _ => 0,
    };
    let customer = points(metrics.customer_value, [(300_000, 30), (100_000, 15)]);
    let score = revenue + inventory + customer;
    json!({
        "score": score,
        "max_score": 100,
        "rating": rating(score),
        "details": format!("Revenue: {revenue}/40, Inventory: {inventory}/30, Customer: {customer}/30"),
    })
}

/// The points of the first limit that the value is over.
fn points(value: i64, limits: [(i64, i64); 2]) -> i64 {
    let found = limits.iter().find(|(limit, _)| value > *limit);
    found.map_or(0, |(_, points)| *points)
}

/// A word for a score.
fn rating(score: i64) -> &'static str {
    match score {
        80.. => "Excellent",
        60.. => "Good",
        40.. => "Fair",
        _ => "Needs Improvement",
    }
}
