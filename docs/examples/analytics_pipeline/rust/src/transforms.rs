//! Transform: each needs its own extract and nothing else.

use std::cmp::Reverse;

use stepwell::{json, StepContext, StepError, Value};

use crate::figures::{amount, cents, each, groups, low, records, sums, total};
use crate::money::{divide, from_cents, to_cents};

/// Revenue by day, product, category and region.
pub fn sales(context: &StepContext) -> Result<Value, StepError> {
    let extract = context.get_dependency_result("extract_sales_data")?;
    let rows = records(&extract, "extract_sales_data")?;
    let (days, products) = (groups(rows, "date")?, groups(rows, "product")?);
    let (categories, regions) = (groups(rows, "category")?, groups(rows, "region")?);
    let mut earners = Vec::new();
    for (name, group) in &categories {
        earners.push((Reverse(cents(group.iter().copied(), "total")?), name));
    }
    Ok(json!({
        "record_count": rows.len(),
        "total_revenue": from_cents(cents(rows, "total")?),
        "total_quantity": total(rows, "quantity")?,
        "daily_sales": sums(&days)?,
        "product_sales": sums(&products)?,
        "by_category": sums(&categories)?,
        "by_region": sums(&regions)?,
        // The highest revenue; of equals the first by name.
        "top_category": earners.iter().min().map(|(_, name)| name),
        "total_categories": categories.len(),
        "total_regions": regions.len(),
        "total_days": days.len(),
    }))
}

/// Stock by warehouse and product, and the rows that are below their reorder level.
pub fn inventory(context: &StepContext) -> Result<Value, StepError> {
    let extract = context.get_dependency_result("extract_inventory_data")?;
    let rows = records(&extract, "extract_inventory_data")?;
    let (warehouses, products) = (groups(rows, "warehouse")?, groups(rows, "product")?);
    let alerts = low(rows)?;
    let warehouse_summary = each(&warehouses, |group| {
        Ok(json!({
            "on_hand": total(group.iter().copied(), "on_hand")?,
            "rows": group.len(),
            "reorder_alerts": low(group.iter().copied())?.len(),
        }))
    })?;
    let product_inventory = each(&products, |group| {
        Ok(json!({
            "on_hand": total(group.iter().copied(), "on_hand")?,
            "warehouses": groups(group.iter().copied(), "warehouse")?.len(),
            "needs_reorder": !low(group.iter().copied())?.is_empty(),
        }))
    })?;
    Ok(json!({
        "record_count": rows.len(),
        "total_quantity_on_hand": total(rows, "on_hand")?,
        "reorder_alerts": alerts.len(),
        "low_stock": alerts,
        "warehouse_summary": warehouse_summary,
        "product_inventory": product_inventory,
        "total_warehouses": warehouses.len(),
        "total_products": products.len(),
    }))
}

/// Customers by tier and by what they have spent so far.
pub fn customers(context: &StepContext) -> Result<Value, StepError> {
    let extract = context.get_dependency_result("extract_customer_data")?;
    let rows = records(&extract, "extract_customer_data")?;
    let limit = |name: &str, default: f64| to_cents(context.get_config(name).as_f64().unwrap_or(default));
    let (high, medium) = (
        limit("high_value_from", 10_000.0),
        limit("medium_value_from", 1000.0),
    );
    let mut values = Vec::new();
    for row in rows {
        values.push(amount(row, "lifetime_value")?);
    }
    let count = |is_in: &dyn Fn(i64) -> bool| values.iter().filter(|value| is_in(**value)).count();
    let worth: i64 = values.iter().sum();
    let tiers = each(&groups(rows, "tier")?, |group| {
        let worth = cents(group.iter().copied(), "lifetime_value")?;
        Ok(json!({
            "customers": group.len(),
            "lifetime_value": from_cents(worth),
            "avg_lifetime_value": from_cents(divide(worth, group.len() as i64)),
        }))
    })?;
    Ok(json!({
        "record_count": rows.len(),
        "total_customers": rows.len(),
        "total_lifetime_value": from_cents(worth),
        "avg_customer_value": from_cents(divide(worth, rows.len() as i64)),
        "tier_analysis": tiers,
        "value_segments": {
            "high": count(&|value| value >= high),
            "medium": count(&|value| value >= medium && value < high),
            "low": count(&|value| value < medium),
        },
    }))
}
