//! Aggregate: where the three branches meet.

use stepwell::{json, StepContext, StepError, Value};

use crate::figures::{amount, total, whole};
use crate::money::{divide, from_cents};

/// One set of figures from all three sources.
pub fn aggregate(context: &StepContext) -> Result<Value, StepError> {
    let sales = &*context.get_dependency_result("transform_sales")?;
    let inventory = &*context.get_dependency_result("transform_inventory")?;
    let customers = &*context.get_dependency_result("transform_customers")?;
    if sales.is_null() || inventory.is_null() || customers.is_null() {
        return Err(StepError::permanent("a transform's result is missing").with_code("MISSING_TRANSFORMS"));
    }
    let earned = amount(sales, "total_revenue")?;
    let on_hand = whole(inventory, "total_quantity_on_hand")?;
    let buyers = whole(customers, "total_customers")?;
    Ok(json!({
        "total_revenue": sales["total_revenue"],
        "total_inventory_quantity": on_hand,
        "total_customers": buyers,
        "total_customer_lifetime_value": customers["total_lifetime_value"],
        "avg_customer_value": customers["avg_customer_value"],
        "sales_transactions": sales["record_count"],
        "inventory_reorder_alerts": inventory["reorder_alerts"],
        "revenue_per_customer": from_cents(divide(earned, buyers)),
        // Revenue for each unit in stock, in ten-thousandths.
        "inventory_turnover_indicator": divide(earned * 100, on_hand) as f64 / 10_000.0,
        "top_category": sales["top_category"],
        "total_records_processed": total([sales, inventory, customers], "record_count")?,
        "sources_included": 3,
        "aggregation_complete": true,
    }))
}
