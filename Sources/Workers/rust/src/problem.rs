//! What a server says when it refuses: problem documents, RFC 9457.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::http::Response;

/// Seconds; a longer wait makes no sense.
const RETRY_AFTER_MAX: u64 = 300;

/// A refusal, with the code that stays the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The HTTP status.
    pub status: u16,
    /// The stable code, such as `unknown_task`.
    pub code: String,
    /// What is wrong.
    pub detail: String,
    /// What can be done, if the server knows.
    pub cure: Option<String>,
    /// How long to wait before another try, if the server says.
    pub retry_after: Option<Duration>,
}

impl Problem {
    pub(crate) fn read(response: &Response) -> Problem {
        let body: Value = serde_json::from_slice(&response.body).unwrap_or_default();
        let text = |name: &str| body[name].as_str().map(str::to_string);
        let seconds = response.header("retry-after").and_then(|text| text.parse().ok());
        Problem {
            status: response.status,
            code: text("code").unwrap_or_else(|| format!("http_{}", response.status)),
            detail: text("detail")
                .or_else(|| text("title"))
                .unwrap_or_else(|| "the server gives no reason".into()),
            cure: text("cure"),
            retry_after: seconds.map(|seconds: u64| Duration::from_secs(seconds.min(RETRY_AFTER_MAX))),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} [{}]", self.detail, self.code)?;
        match &self.cure {
            Some(cure) => write!(formatter, "\n  {cure}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_waits_for_ever() {
        for (asked, seconds) in [("7", Some(7)), ("18446744073709551615", Some(300)), ("tomorrow", None)] {
            let text = format!("HTTP/1.1 503 X\r\nRetry-After: {asked}\r\nContent-Length: 0\r\n\r\n");
            let (response, _) = Response::read(&mut text.as_bytes()).unwrap();
            assert_eq!(Problem::read(&response).retry_after, seconds.map(Duration::from_secs));
        }
    }
}
