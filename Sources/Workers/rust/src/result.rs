//! How an attempt ends: [`StepResult`].

use serde_json::{Map, Value};

use crate::StepError;

/// Success with a result, or failure with an error; both may have metadata.
#[derive(Clone, Debug, PartialEq)]
pub struct StepResult {
    pub(crate) outcome: Result<Value, StepError>,
    pub(crate) metadata: Map<String, Value>,
}

impl StepResult {
    /// The step is done. Later steps get the whole of `result`.
    pub fn success(result: impl Into<Value>) -> StepResult {
        StepResult {
            outcome: Ok(result.into()),
            metadata: Map::new(),
        }
    }

    /// The attempt failed: the same as to return the error as `Err`.
    pub fn failure(error: StepError) -> StepResult {
        StepResult {
            outcome: Err(error),
            metadata: Map::new(),
        }
    }

    /// One more member of the metadata that is kept beside the result or the failure.
    pub fn with_metadata(mut self, key: impl Into<String>, value: impl Into<Value>) -> StepResult {
        self.metadata.insert(key.into(), value.into());
        self
    }

    /// Whether the step is done.
    pub fn is_success(&self) -> bool {
        self.outcome.is_ok()
    }

    /// The result; `Null` for a failure.
    pub fn result(&self) -> &Value {
        self.outcome.as_ref().unwrap_or(&Value::Null)
    }

    /// The failure, if it is one.
    pub fn error(&self) -> Option<&StepError> {
        self.outcome.as_ref().err()
    }

    /// What is kept beside the result or the failure.
    pub fn metadata(&self) -> &Map<String, Value> {
        &self.metadata
    }
}

impl<V: Into<Value>> From<V> for StepResult {
    fn from(result: V) -> StepResult {
        StepResult::success(result)
    }
}
