//! Why an attempt failed: [`StepError`].

use std::fmt;
use std::time::Duration;

use serde_json::{Map, Value};

/// A failure of an attempt, and whether another attempt may help.
///
/// Make one with a constructor and add to it:
///
/// ```
/// use std::time::Duration;
/// use stepwell::StepError;
///
/// let error = StepError::retryable("the warehouse is closed")
///     .with_code("HTTP_503")
///     .with_retry_after(Duration::from_secs(7));
/// assert!(error.is_retryable());
/// ```
///
/// Every error of the standard library, and any other that implements [`std::error::Error`], becomes a retryable
/// `handler_error` by `?`. For that reason `StepError` itself does not implement that trait.
#[derive(Clone, Debug, PartialEq)]
pub struct StepError {
    pub(crate) message: String,
    pub(crate) error_type: String,
    pub(crate) error_code: Option<String>,
    pub(crate) is_retryable: bool,
    pub(crate) retry_after: Option<Duration>,
    pub(crate) backtrace: Option<String>,
    pub(crate) metadata: Map<String, Value>,
    pub(crate) is_cancelled: bool,
}

/// The name that authors of Tasker handlers know.
pub type TaskerError = StepError;

impl StepError {
    fn new(message: impl Into<String>, error_type: &str, is_retryable: bool) -> StepError {
        StepError {
            message: message.into(),
            error_type: error_type.to_string(),
            error_code: None,
            is_retryable,
            retry_after: None,
            backtrace: None,
            metadata: Map::new(),
            is_cancelled: false,
        }
    }

    /// A `handler_error`: the handler could not do its work, and another attempt may help.
    pub fn handler(message: impl Into<String>) -> StepError {
        Self::new(message, "handler_error", true)
    }

    /// A `retryable_error`: it may work next time, such as when a service is down or a lock is held.
    pub fn retryable(message: impl Into<String>) -> StepError {
        Self::new(message, "retryable_error", true)
    }

    /// A `timeout`: something that the handler waited for took too long; another attempt may help.
    pub fn timeout(message: impl Into<String>) -> StepError {
        Self::new(message, "timeout", true)
    }

    /// A `permanent_error`: no further attempt can help.
    pub fn permanent(message: impl Into<String>) -> StepError {
        Self::new(message, "permanent_error", false)
    }

    /// A `validation_error`: input or an earlier result is not as it must be; no further attempt can help.
    pub fn validation(message: impl Into<String>) -> StepError {
        Self::new(message, "validation_error", false)
    }

    /// What a handler returns that stops because its attempt was cancelled.
    pub fn cancelled() -> StepError {
        StepError {
            is_cancelled: true,
            ..Self::new("the attempt was cancelled", "cancelled", true)
        }
    }

    /// Another `error_type`, one of the handler's own.
    pub fn with_type(mut self, error_type: impl Into<String>) -> StepError {
        self.error_type = error_type.into();
        self
    }

    /// The handler's own code, for programs.
    pub fn with_code(mut self, code: impl Into<String>) -> StepError {
        self.error_code = Some(code.into());
        self
    }

    /// Whether another attempt may follow.
    pub fn with_retryable(mut self, is_retryable: bool) -> StepError {
        self.is_retryable = is_retryable;
        self
    }

    /// Asks for a wait before the next attempt; the template's `max_delay` caps it.
    pub fn with_retry_after(mut self, wait: Duration) -> StepError {
        self.retry_after = Some(wait);
        self
    }

    /// One more member of the metadata that is kept beside the failure.
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> StepError {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Where it happened, for people; `stepwell show` prints it.
    pub fn with_backtrace(mut self, backtrace: impl Into<String>) -> StepError {
        self.backtrace = Some(backtrace.into());
        self
    }

    /// What went wrong, for people.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What went wrong, for programs.
    pub fn error_type(&self) -> &str {
        &self.error_type
    }

    /// The handler's own code.
    pub fn error_code(&self) -> Option<&str> {
        self.error_code.as_deref()
    }

    /// Whether another attempt may follow.
    pub fn is_retryable(&self) -> bool {
        self.is_retryable
    }

    /// The wait that was asked for.
    pub fn retry_after(&self) -> Option<Duration> {
        self.retry_after
    }

    /// Where it happened.
    pub fn backtrace(&self) -> Option<&str> {
        self.backtrace.as_deref()
    }

    /// What is kept beside the failure.
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }

    /// Whether it says that the handler stopped because its attempt was cancelled.
    pub fn is_cancelled(&self) -> bool {
        self.is_cancelled
    }
}

impl fmt::Display for StepError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}: {}", self.error_type, self.message)
    }
}

impl<E: std::error::Error> From<E> for StepError {
    fn from(error: E) -> StepError {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            message = format!("{message}: {inner}");
            cause = inner.source();
        }
        StepError::handler(message).with_metadata("exception_type", std::any::type_name::<E>())
    }
}
