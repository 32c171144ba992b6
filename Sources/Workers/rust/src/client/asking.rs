//! How all calls of a client ask: [`ClientError`], and what they share.

use std::fmt;
use std::sync::PoisonError;
use std::time::Duration;

use serde_json::{json, Value};

use super::Client;
use crate::answers::unreadable;
use crate::http::Response;
use crate::problem::Problem;

pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClientError {
    /// The server refuses.
    Refused(Problem),
    /// There is no answer, or none that can be read.
    Unreachable(String),
    /// The address or the token makes no sense.
    Misconfigured(String),
}

impl fmt::Display for ClientError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClientError::Refused(problem) => problem.fmt(formatter),
            ClientError::Unreachable(words) | ClientError::Misconfigured(words) => formatter.write_str(words),
        }
    }
}

impl std::error::Error for ClientError {}

impl ClientError {
    /// Whether the server is only away: not reached, starting, stopping, or busy. A proxy before it has words of its own.
    pub fn may_pass(&self) -> bool {
        match self {
            ClientError::Refused(problem) => (502..=504).contains(&problem.status),
            ClientError::Unreachable(_) => true,
            ClientError::Misconfigured(_) => false,
        }
    }
}

pub(crate) type Answer<T> = Result<T, ClientError>;

impl Client {
    pub(crate) fn get(&self, path: &str) -> Answer<Value> {
        self.request("GET", path, None, LIMIT)
    }

    pub(crate) fn post(&self, path: &str, body: Value) -> Answer<Value> {
        let body = body.to_string();
        self.request("POST", path, Some((body.as_bytes(), "application/json")), LIMIT)
    }

    /// An answer that is text, such as a drawing.
    pub(crate) fn ask_for_text(&self, path: &str) -> Answer<String> {
        let response = self.send("GET", path, None, LIMIT)?;
        String::from_utf8(response.body).map_err(|error| unreadable(&error.to_string()))
    }

    /// Something to do that has no answer but that it is done.
    pub(crate) fn tell(&self, method: &str, path: &str) -> Answer<()> {
        self.send(method, path, Some((b"", "application/json")), LIMIT)?;
        Ok(())
    }

    pub(crate) fn request(
        &self,
        method: &str,
        path: &str,
        body: Option<(&[u8], &str)>,
        limit: Duration,
    ) -> Answer<Value> {
        let response = self.send(method, path, body, limit)?;
        serde_json::from_slice(&response.body).map_err(|error| unreadable(&error.to_string()))
    }

    fn send(
        &self,
        method: &str,
        path: &str,
        body: Option<(&[u8], &str)>,
        limit: Duration,
    ) -> Answer<Response> {
        let mut http = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        let response = http
            .send(method, path, body, limit)
            .map_err(|error| ClientError::Unreachable(error.to_string()))?;
        if !(200..300).contains(&response.status) {
            return Err(ClientError::Refused(Problem::read(&response)));
        }
        Ok(response)
    }
}

/// The body of a wish that has nothing but a reason.
pub(crate) fn because(reason: Option<&str>) -> Value {
    reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }))
}

/// Text as part of an address.
pub(crate) fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            escaped.push(char::from(byte));
        } else {
            escaped += &format!("%{byte:02X}");
        }
    }
    escaped
}

/// What follows an address: the parameters that are there.
pub(crate) fn query(parameters: &[(&str, Option<&str>)]) -> String {
    let present: Vec<String> = parameters
        .iter()
        .filter_map(|(name, value)| value.map(|value| format!("{name}={}", escaped(value))))
        .collect();
    match present.is_empty() {
        true => String::new(),
        false => format!("?{}", present.join("&")),
    }
}

/// Adds a member if there is a value for it.
pub(crate) fn put(body: &mut Value, name: &str, value: Option<impl Into<Value>>) {
    if let Some(value) = value {
        body[name] = value.into();
    }
}
