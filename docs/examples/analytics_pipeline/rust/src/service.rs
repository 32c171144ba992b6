//! What the inventory service says, and what its failures mean.

use std::time::Duration;

use stepwell::http::{Address, Http};
use stepwell::{StepError, Value};

/// GET a document. What may pass is retryable, with the wait that the service asks for.
pub fn get_json(base: &str, path: &str, seconds: f64) -> Result<Value, StepError> {
    let address = Address::parse(base).map_err(StepError::validation)?;
    // Longer than a day is no limit, and a negative one makes no sense.
    let limit = Duration::from_secs_f64(seconds.clamp(0.001, 86_400.0));
    let response = Http::new(address)
        .get(path, limit)
        .map_err(|error| StepError::retryable(error.to_string()))?;
    let status = response.status;
    if (200..300).contains(&status) {
        return serde_json::from_slice(&response.body)
            .map_err(|error| StepError::retryable(format!("cannot read {base}{path}: {error}")));
    }
    let words = format!("{base}{path} answers {status}");
    if status < 500 && status != 408 && status != 429 {
        return Err(StepError::permanent(words));
    }
    let error = StepError::retryable(words).with_code(format!("HTTP_{status}"));
    Err(match retry_after(response.header("retry-after")) {
        Some(wait) => error.with_retry_after(wait),
        None => error,
    })
}

/// The wait that a Retry-After header asks for in seconds. One that holds a date is passed over: the template's own wait
/// does as well.
fn retry_after(header: Option<&str>) -> Option<Duration> {
    header?.trim().parse().ok().map(Duration::from_secs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_seconds() {
        assert_eq!(retry_after(Some(" 7 ")), Some(Duration::from_secs(7)));
        for header in [None, Some(""), Some("-1"), Some("Wed, 21 Oct 2015 07:28:00 GMT")] {
            assert_eq!(retry_after(header), None);
        }
    }
}
