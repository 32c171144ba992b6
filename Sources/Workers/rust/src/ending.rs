//! The last message of an attempt: its result, or why there is none.

use std::time::Duration;

use serde_json::{Map, Value};

use crate::attempt::Limits;
use crate::message::{cut, holds_too_deep, is_too_deep, opened, quoted, LEVELS_MAX};
use crate::{StepError, StepResult};

const MESSAGE_BYTES_MAX: usize = 1 << 16;
const BACKTRACE_BYTES_MAX: usize = 1 << 18;
/// Milliseconds; every reader of JSON has whole numbers up to here.
const WAIT_MAX: u64 = 1 << 53;

/// The `result` or `failure` that ends an attempt; what does not fit becomes a failure.
pub(crate) fn ending(lease: u64, result: StepResult, limits: Limits) -> String {
    let StepResult { outcome, metadata } = result;
    let value = match outcome {
        Ok(value) => value,
        Err(mut error) => {
            error.metadata.extend(metadata);
            return failure(lease, &error);
        }
    };
    if is_too_deep(&value) || holds_too_deep(metadata.values()) {
        let text = format!("the result is nested deeper than {LEVELS_MAX} levels");
        return failure(lease, &StepError::permanent(text).with_type("result_not_json"));
    }
    let body = value.to_string();
    let mut line = opened("result", lease);
    line += ",\"result\":";
    line += &body;
    if !metadata.is_empty() {
        line += ",\"metadata\":";
        line += &Value::Object(metadata).to_string();
    }
    line.push('}');
    let sizes = [
        (body.len(), limits.result_bytes_max, "result_bytes_max"),
        (line.len() + 1, limits.line_bytes_max, "line_bytes_max"),
    ];
    for (size, limit, name) in sizes {
        if size > limit {
            return too_large(
                lease,
                &format!("the result is {size} bytes; the limit is {limit} ({name})"),
            );
        }
    }
    line
}

/// The failure of an attempt whose result does not fit.
pub(crate) fn too_large(lease: u64, text: &str) -> String {
    failure(lease, &StepError::permanent(text).with_type("result_too_large"))
}

/// The answer to `cancel`.
pub(crate) fn stopped(lease: u64) -> String {
    opened("stopped", lease) + "}"
}

fn failure(lease: u64, error: &StepError) -> String {
    let mut line = opened("failure", lease);
    line += ",\"message\":";
    line += &quoted(cut(&error.message, MESSAGE_BYTES_MAX));
    line += ",\"error_type\":";
    line += &quoted(&error.error_type);
    line += if error.is_retryable {
        ",\"retryable\":true"
    } else {
        ",\"retryable\":false"
    };
    if let Some(code) = &error.error_code {
        line += ",\"error_code\":";
        line += &quoted(code);
    }
    if let Some(wait) = error.retry_after {
        line += &format!(",\"retry_after_ms\":{}", milliseconds(wait));
    }
    if let Some(backtrace) = &error.backtrace {
        line += ",\"backtrace\":";
        line += &quoted(cut(backtrace, BACKTRACE_BYTES_MAX));
    }
    if !error.metadata.is_empty() {
        let shown: Map<String, Value> = error
            .metadata
            .iter()
            .map(|(name, value)| (name.clone(), shown(value)))
            .collect();
        line += ",\"metadata\":";
        line += &Value::Object(shown).to_string();
    }
    line + "}"
}

/// A value if it is short, else words for it: a failure's metadata only informs people.
fn shown(value: &Value) -> Value {
    if is_too_deep(value) {
        return Value::from("nested too deeply");
    }
    let bytes = value.to_string().len();
    if bytes <= MESSAGE_BYTES_MAX {
        value.clone()
    } else {
        Value::from(format!("{bytes} bytes"))
    }
}

fn milliseconds(wait: Duration) -> u64 {
    let whole = (wait.as_nanos() + 999_999) / 1_000_000;
    u64::try_from(whole).unwrap_or(WAIT_MAX).min(WAIT_MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn said(result: StepResult) -> Value {
        let limits = Limits {
            result_bytes_max: 20,
            line_bytes_max: 200,
        };
        serde_json::from_str(&ending(7, result, limits)).unwrap()
    }

    #[test]
    fn a_result() {
        let result = StepResult::success(json!({ "a": 1 })).with_metadata("rows", 3);
        let message = r#"{"type":"result","lease":7,"result":{"a":1},"metadata":{"rows":3}}"#;
        assert_eq!(ending(7, result, Limits::default()), message);
    }

    #[test]
    fn a_result_over_a_limit() {
        let long = said(StepResult::success("x".repeat(19)));
        assert_eq!(
            (&long["error_type"], &long["retryable"]),
            (&json!("result_too_large"), &json!(false))
        );
        assert_eq!(
            long["message"],
            "the result is 21 bytes; the limit is 20 (result_bytes_max)"
        );
        assert_eq!(said(StepResult::success("x".repeat(18)))["type"], "result");
        let line = said(StepResult::success(1).with_metadata("much", "x".repeat(200)));
        assert!(line["message"].as_str().unwrap().contains("line_bytes_max"));
    }

    #[test]
    fn a_failure_says_all_it_knows() {
        let error = StepError::retryable("no\nrates")
            .with_code("E1")
            .with_retry_after(Duration::from_micros(1500))
            .with_backtrace("here")
            .with_metadata("a", 1);
        let result = StepResult::failure(error).with_metadata("b", "y".repeat(MESSAGE_BYTES_MAX));
        let said = said(result);
        let expected = json!({
            "type": "failure", "lease": 7, "message": "no\nrates", "error_type": "retryable_error",
            "retryable": true, "error_code": "E1", "retry_after_ms": 2, "backtrace": "here",
            "metadata": { "a": 1, "b": "65538 bytes" },
        });
        assert_eq!(said, expected);
    }

    #[test]
    fn waits_are_whole_and_bounded() {
        assert_eq!(milliseconds(Duration::ZERO), 0);
        assert_eq!(milliseconds(Duration::from_nanos(1)), 1);
        assert_eq!(milliseconds(Duration::MAX), WAIT_MAX);
    }
}
