//! What a context needs of the engine; the worker and the test kit each have one.

use std::fmt;
use std::time::Duration;

use serde_json::Value;

use crate::StepError;

/// Why an attempt was asked to stop.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CancelReason {
    /// The step's time is over.
    Timeout,
    /// Somebody cancelled the task.
    Cancelled,
    /// The engine stops.
    Shutdown,
    /// The worker was cut off from the server for too long; the attempt runs elsewhere.
    Lost,
}

impl CancelReason {
    pub(crate) fn named(name: &str) -> CancelReason {
        match name {
            "timeout" => CancelReason::Timeout,
            "shutdown" => CancelReason::Shutdown,
            _ => CancelReason::Cancelled,
        }
    }
}

impl fmt::Display for CancelReason {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            CancelReason::Timeout => "timeout",
            CancelReason::Cancelled => "cancelled",
            CancelReason::Shutdown => "shutdown",
            CancelReason::Lost => "lost",
        })
    }
}

/// How important a line of the step's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// For whoever looks for a fault.
    Debug,
    /// What happens.
    Info,
    /// Something is odd.
    Warning,
    /// Something went wrong.
    Error,
}

impl fmt::Display for Level {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
            Level::Error => "error",
        })
    }
}

/// The engine as one attempt sees it.
pub(crate) trait Engine: Send + Sync {
    /// Why the attempt must stop; None while it may go on.
    fn cancellation(&self) -> Option<CancelReason>;

    /// Waits until the attempt must stop, or the time is over; None waits for ever.
    fn wait_for_cancellation(&self, limit: Option<Duration>) -> Option<CancelReason>;

    /// The result of a farther ancestor.
    fn fetch(&self, step: &str) -> Result<Value, StepError>;

    /// Returns when the data is on disk.
    fn save_checkpoint(&self, data: &Value) -> Result<(), StepError>;

    /// Says that the handler is alive.
    fn heartbeat(&self, progress: Option<&Value>);

    /// Adds to the step's log.
    fn log(&self, level: Level, text: &str);
}
