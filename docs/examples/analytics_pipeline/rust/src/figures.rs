//! What the handlers share.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use stepwell::{json, StepContext, StepError, Value};

use crate::money::{divide, from_cents, to_cents};

/// The name of the data set that the task's input chooses.
pub fn data_set(context: &StepContext) -> Result<String, StepError> {
    let name = context.get_input_or("data", "real");
    match name.as_str() {
        Some(known @ ("real" | "fixed")) => Ok(known.to_string()),
        _ => {
            let words = format!("there is no data set {name}; choose real or fixed");
            Err(StepError::validation(words))
        }
    }
}

/// A file of that data set.
pub fn data_file(context: &StepContext, name: &str) -> Result<PathBuf, StepError> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../data");
    Ok(data.join(data_set(context)?).join(name))
}

/// The rows that a member of a document holds.
pub fn list<'a>(document: &'a Value, name: &str) -> Result<&'a Vec<Value>, StepError> {
    document[name].as_array().ok_or_else(|| wrong(name, "a list"))
}

/// The rows of an extract's result.
pub fn records<'a>(extract: &'a Value, step: &str) -> Result<&'a Vec<Value>, StepError> {
    if extract.is_null() {
        let error = StepError::permanent(format!("the result of {step} is missing"));
        return Err(error.with_code("MISSING_EXTRACTION"));
    }
    list(extract, "records")
}

/// A member that is text.
pub fn text<'a>(row: &'a Value, name: &str) -> Result<&'a str, StepError> {
    row[name].as_str().ok_or_else(|| wrong(name, "text"))
}

/// A member that is a whole number.
pub fn whole(row: &Value, name: &str) -> Result<i64, StepError> {
    row[name].as_i64().ok_or_else(|| wrong(name, "a whole number"))
}

/// A member that is an amount of money, in cents.
pub fn amount(row: &Value, name: &str) -> Result<i64, StepError> {
    let number = row[name].as_f64().ok_or_else(|| wrong(name, "a number"))?;
    Ok(to_cents(number))
}

fn wrong(name: &str, kind: &str) -> StepError {
    StepError::validation(format!("'{name}' is missing, or is not {kind}"))
}

/// The sum of one member of all rows.
pub fn total<'a>(rows: impl IntoIterator<Item = &'a Value>, name: &str) -> Result<i64, StepError> {
    rows.into_iter().map(|row| whole(row, name)).sum()
}

/// The sum of one member of all rows, in cents.
pub fn cents<'a>(rows: impl IntoIterator<Item = &'a Value>, name: &str) -> Result<i64, StepError> {
    rows.into_iter().map(|row| amount(row, name)).sum()
}

/// Rows by the value of one member, sorted by that value.
pub type Groups<'a> = BTreeMap<&'a str, Vec<&'a Value>>;

/// The rows by the value of one member.
pub fn groups<'a>(rows: impl IntoIterator<Item = &'a Value>, name: &str) -> Result<Groups<'a>, StepError> {
    let mut groups = Groups::new();
    for row in rows {
        groups.entry(text(row, name)?).or_default().push(row);
    }
    Ok(groups)
}

/// An object with one member for each group.
pub fn each(
    groups: &Groups<'_>,
    figure: impl Fn(&[&Value]) -> Result<Value, StepError>,
) -> Result<Value, StepError> {
    let members = groups
        .iter()
        .map(|(name, group)| Ok((name.to_string(), figure(group)?)));
    members.collect::<Result<_, StepError>>().map(Value::Object)
}

/// Quantity, revenue, orders and the average order of each group of sales.
pub fn sums(groups: &Groups<'_>) -> Result<Value, StepError> {
    each(groups, |group| {
        let revenue = cents(group.iter().copied(), "total")?;
        Ok(json!({
            "quantity": total(group.iter().copied(), "quantity")?,
            "revenue": from_cents(revenue),
            "orders": group.len(),
            "avg_order_value": from_cents(divide(revenue, group.len() as i64)),
        }))
    })
}

/// Whether a stock must be ordered again.
pub fn is_low(row: &Value) -> Result<bool, StepError> {
    Ok(whole(row, "on_hand")? < whole(row, "reorder_level")?)
}

/// The rows whose stock must be ordered again.
pub fn low<'a>(rows: impl IntoIterator<Item = &'a Value>) -> Result<Vec<&'a Value>, StepError> {
    let mut low = Vec::new();
    for row in rows {
        if is_low(row)? {
            low.push(row);
        }
    }
    Ok(low)
}
