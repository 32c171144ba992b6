//! Extract: three sources, each in its own form.

use std::collections::HashMap;
use std::fs;

use stepwell::{json, StepContext, StepError, Value};

use crate::figures::{cents, data_file, data_set, each, groups, list, total};
use crate::money::{self, divide, from_cents};
use crate::{csv, service};

const DEFAULT_INVENTORY_URL: &str = "http://127.0.0.1:8642";

/// Sales from a CSV export.
pub fn sales(context: &StepContext) -> Result<Value, StepError> {
    let first = context.get_input("date_range_start").as_str().unwrap_or("");
    let last = context
        .get_input("date_range_end")
        .as_str()
        .unwrap_or("9999-12-31");
    let text = fs::read_to_string(data_file(context, "sales.csv")?)?;
    let mut rows = Vec::new();
    for (line, row) in csv::rows(&text) {
        let date = row.get("date").map_or("", String::as_str);
        if (first..=last).contains(&date) {
            let sale = sale(&row);
            rows.push(
                sale.map_err(|fault| StepError::validation(format!("sales.csv, line {line}: {fault}")))?,
            );
        }
    }
    context
        .log()
        .info(format_args!("read {} sales from sales.csv", rows.len()));
    let dates = || rows.iter().filter_map(|row| row["date"].as_str());
    Ok(json!({
        "source": "sales_export",
        "record_count": rows.len(),
        "total_amount": from_cents(cents(&rows, "total")?),
        "total_quantity": total(&rows, "quantity")?,
        "date_range": { "start": dates().min(), "end": dates().max() },
        "records": rows,
    }))
}

/// A row of the CSV file as JSON. One that contradicts itself is an error.
fn sale(row: &HashMap<String, String>) -> Result<Value, String> {
    let field = |name: &str| row.get(name).ok_or_else(|| format!("there is no {name}"));
    let amount = |name: &str| {
        let text = field(name)?;
        money::cents(text).ok_or_else(|| format!("'{text}' is not an amount such as 12.50"))
    };
    let quantity = field("quantity")?;
    let quantity: i64 = quantity
        .parse()
        .map_err(|_| format!("'{quantity}' is no whole number"))?;
    let (price, total) = (amount("price")?, amount("total")?);
    if quantity.checked_mul(price) != Some(total) {
        return Err(format!(
            "{quantity} × {} is not {}",
            field("price")?,
            field("total")?
        ));
    }
    Ok(json!({
        "date": field("date")?,
        "product": field("product")?,
        "category": field("category")?,
        "region": field("region")?,
        "quantity": quantity,
        "price": from_cents(price),
        "total": from_cents(total),
    }))
}

/// Stock from the inventory service, which may be down for a while.
pub fn inventory(context: &StepContext) -> Result<Value, StepError> {
    let variable = std::env::var("INVENTORY_URL").ok();
    let base = context.get_input("inventory_url").as_str();
    let base = base.or(variable.as_deref()).unwrap_or(DEFAULT_INVENTORY_URL);
    let path = format!("/inventory?data={}", data_set(context)?);
    let seconds = context.get_config("request_timeout_seconds").as_f64();
    let document = service::get_json(base, &path, seconds.unwrap_or(5.0))?;
    let rows = list(&document, "rows")?;
    let words = format!(
        "got {} rows from {base} on attempt {}",
        rows.len(),
        context.attempt()
    );
    context.log().info(&words);
    Ok(json!({
        "source": "inventory_service",
        "record_count": rows.len(),
        "records": rows,
        "total_quantity": total(rows, "on_hand")?,
        "warehouses": groups(rows, "warehouse")?.keys().collect::<Vec<_>>(),
        "products_tracked": groups(rows, "product")?.len(),
    }))
}

/// Customers from a JSON export.
pub fn customers(context: &StepContext) -> Result<Value, StepError> {
    let text = fs::read_to_string(data_file(context, "customers.json")?)?;
    let document: Value = serde_json::from_str(&text)?;
    let rows = list(&document, "customers")?;
    let worth = cents(rows, "lifetime_value")?;
    Ok(json!({
        "source": "customer_export",
        "record_count": rows.len(),
        "records": rows,
        "total_customers": rows.len(),
        "total_lifetime_value": from_cents(worth),
        "avg_lifetime_value": from_cents(divide(worth, rows.len() as i64)),
        "tier_breakdown": each(&groups(rows, "tier")?, |group| Ok(group.len().into()))?,
    }))
}
