//! What a handler knows about the step that it runs: [`StepContext`].

use std::collections::{BTreeMap, HashMap};
use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::value::RawValue;
use serde_json::{json, Map, Value};

use crate::engine::{CancelReason, Engine, Level};
use crate::message::Message;
use crate::StepError;

/// Input, earlier results, configuration and the state of one attempt.
///
/// It can be shared between threads that the handler starts.
pub struct StepContext {
    names: Names,
    attempt: u64,
    max_attempts: u64,
    deadline: Option<SystemTime>,
    input: Value,
    config: Value,
    near: BTreeMap<String, Box<RawValue>>,
    results: Mutex<HashMap<String, Arc<Value>>>,
    dependency_names: Vec<String>,
    fetchable: Vec<String>,
    checkpoint: Mutex<Arc<Value>>,
    engine: Arc<dyn Engine>,
}

struct Names {
    task: String,
    step_id: String,
    step: String,
    handler: String,
    method: String,
    namespace: String,
    task_name: String,
    task_version: String,
    correlation_id: String,
    traceparent: Option<String>,
    idempotency_key: String,
}

impl StepContext {
    /// Reads an `attempt` of the protocol.
    pub(crate) fn read(message: &Message<'_>, engine: Arc<dyn Engine>) -> Result<StepContext, String> {
        let names = Names {
            task: message.text("task_id")?,
            step_id: message.text("step_id")?,
            step: message.text("step")?,
            handler: message.text("handler")?,
            method: message.text("method")?,
            namespace: message.text("namespace")?,
            task_name: message.text("task_name")?,
            task_version: message.text("task_version")?,
            correlation_id: message.text("correlation_id")?,
            traceparent: match message.get("traceparent") {
                Some(_) => Some(message.text("traceparent")?),
                None => None,
            },
            idempotency_key: message.text("idempotency_key")?,
        };
        let deadline = match message.get("deadline") {
            Some(_) => UNIX_EPOCH.checked_add(Duration::from_millis(message.integer("deadline")?)),
            None => None,
        };
        let checkpoint = match message.get("checkpoint") {
            Some(_) => message.required("checkpoint", serde_json::from_str)?,
            None => Value::Null,
        };
        Ok(StepContext {
            names,
            attempt: message.integer("attempt")?,
            max_attempts: message.integer("max_attempts")?,
            deadline,
            input: message.required("input", serde_json::from_str)?,
            config: message.required("config", serde_json::from_str)?,
            near: message.required("dependencies", serde_json::from_str)?,
            results: Mutex::new(HashMap::new()),
            dependency_names: message.required("dependency_names", serde_json::from_str)?,
            fetchable: message.required("fetchable", serde_json::from_str)?,
            checkpoint: Mutex::new(Arc::new(checkpoint)),
            engine,
        })
    }

    /// The whole input of the task, an object.
    pub fn input_data(&self) -> &Value {
        &self.input
    }

    /// One member of the input; `Null` when it is absent.
    pub fn get_input(&self, key: &str) -> &Value {
        &self.input[key]
    }

    /// One member of the input; `default` when it is absent or null.
    pub fn get_input_or(&self, key: &str, default: impl Into<Value>) -> Value {
        or(&self.input[key], default)
    }

    /// The complete result of an earlier step, near or far; `Null` if it is not an ancestor.
    ///
    /// Results of farther steps, and very large ones, are asked for when first wanted: that is an error when the
    /// engine refuses, or when the attempt is cancelled meanwhile.
    pub fn get_dependency_result(&self, step: &str) -> Result<Arc<Value>, StepError> {
        if let Some(known) = lock(&self.results).get(step) {
            return Ok(known.clone());
        }
        let result = if let Some(text) = self.near.get(step) {
            let read = serde_json::from_str(text.get());
            read.map_err(|error| StepError::permanent(format!("the result of step {step}: {error}")))?
        } else if self.fetchable.iter().any(|name| name == step) {
            self.engine.fetch(step)?
        } else {
            return Ok(Arc::new(Value::Null));
        };
        let result = Arc::new(result);
        lock(&self.results).insert(step.to_string(), result.clone());
        Ok(result)
    }

    /// A member deep inside an earlier result; `Null` when any part of the path is absent.
    pub fn get_dependency_field(&self, step: &str, path: &[&str]) -> Result<Value, StepError> {
        let result = self.get_dependency_result(step)?;
        Ok(path.iter().fold(&*result, |value, key| &value[*key]).clone())
    }

    /// Names of all steps whose results can be had: direct dependencies first.
    pub fn get_dependency_result_keys(&self) -> Vec<&str> {
        let mut keys: Vec<&str> = Vec::new();
        for name in self
            .dependency_names
            .iter()
            .chain(self.near.keys())
            .chain(&self.fetchable)
        {
            let is_there = self.near.contains_key(name) || self.fetchable.contains(name);
            if is_there && !keys.contains(&name.as_str()) {
                keys.push(name);
            }
        }
        keys
    }

    /// The results of all earlier steps whose names begin with `prefix`, without nulls.
    pub fn get_all_dependency_results(&self, prefix: &str) -> Result<Vec<Arc<Value>>, StepError> {
        let mut results = Vec::new();
        for name in self.get_dependency_result_keys() {
            if name.starts_with(prefix) {
                let result = self.get_dependency_result(name)?;
                if !result.is_null() {
                    results.push(result);
                }
            }
        }
        Ok(results)
    }

    /// The names of the direct dependencies, in the template's order.
    pub fn dependency_names(&self) -> &[String] {
        &self.dependency_names
    }

    /// The step's whole configuration: `handler.initialization` of the template.
    pub fn step_config(&self) -> &Value {
        &self.config
    }

    /// One member of the configuration; `Null` when it is absent.
    pub fn get_config(&self, key: &str) -> &Value {
        &self.config[key]
    }

    /// One member of the configuration; `default` when it is absent or null.
    pub fn get_config_or(&self, key: &str, default: impl Into<Value>) -> Value {
        or(&self.config[key], default)
    }

    /// The number of this attempt; the first is 1.
    pub fn attempt(&self) -> u64 {
        self.attempt
    }

    /// The number of the last attempt that the step may have, the first one counted.
    pub fn max_attempts(&self) -> u64 {
        self.max_attempts
    }

    /// How many attempts came before this one.
    pub fn retry_count(&self) -> u64 {
        self.attempt.saturating_sub(1)
    }

    /// The same number as `max_attempts`, under the name and with the meaning of Tasker.
    pub fn max_retries(&self) -> u64 {
        self.max_attempts
    }

    /// Whether an attempt came before this one.
    pub fn is_retry(&self) -> bool {
        self.attempt > 1
    }

    /// Whether no attempt can follow this one.
    pub fn is_last_retry(&self) -> bool {
        self.attempt >= self.max_attempts
    }

    /// What the step saved last, in this attempt or an earlier one; `Null` if nothing.
    pub fn checkpoint(&self) -> Arc<Value> {
        lock(&self.checkpoint).clone()
    }

    /// Whether the step has saved anything.
    pub fn has_checkpoint(&self) -> bool {
        !self.checkpoint().is_null()
    }

    /// Keeps `data` for the next attempt. It is on disk when this returns `Ok`.
    pub fn save_checkpoint(&self, data: impl Into<Value>) -> Result<(), StepError> {
        let data = data.into();
        self.engine.save_checkpoint(&data)?;
        *lock(&self.checkpoint) = Arc::new(data);
        Ok(())
    }

    /// Saves a checkpoint of the shape that the three accessors below read.
    pub fn save_cursor(
        &self,
        cursor: impl Into<Value>,
        items_processed: u64,
        accumulated_results: impl Into<Value>,
    ) -> Result<(), StepError> {
        self.save_checkpoint(json!({
            "cursor": cursor.into(),
            "items_processed": items_processed,
            "accumulated_results": accumulated_results.into(),
        }))
    }

    /// `cursor` of the checkpoint; `Null` without one.
    pub fn checkpoint_cursor(&self) -> Value {
        self.checkpoint()["cursor"].clone()
    }

    /// `items_processed` of the checkpoint; 0 without one.
    pub fn checkpoint_items_processed(&self) -> u64 {
        self.checkpoint()["items_processed"].as_u64().unwrap_or(0)
    }

    /// `accumulated_results` of the checkpoint; `Null` without one.
    pub fn accumulated_results(&self) -> Value {
        self.checkpoint()["accumulated_results"].clone()
    }

    /// Says that the handler is alive.
    pub fn heartbeat(&self) {
        self.engine.heartbeat(None);
    }

    /// Says that the handler is alive and how far it is, for the live view.
    pub fn progress(&self, progress: impl Into<Value>) {
        self.engine.heartbeat(Some(&progress.into()));
    }

    /// Whether the attempt was asked to stop. A handler with long loops looks here, or calls [`check`](Self::check).
    pub fn is_cancelled(&self) -> bool {
        self.cancellation().is_some()
    }

    /// Why the attempt was asked to stop; None while it may go on.
    pub fn cancellation(&self) -> Option<CancelReason> {
        self.engine.cancellation()
    }

    /// An error when the attempt was asked to stop: `context.check()?` in a loop leaves the handler then.
    pub fn check(&self) -> Result<(), StepError> {
        if self.is_cancelled() {
            Err(StepError::cancelled())
        } else {
            Ok(())
        }
    }

    /// Sleeps, but no longer than until the attempt is asked to stop, which is an error.
    pub fn sleep(&self, time: Duration) -> Result<(), StepError> {
        match self.engine.wait_for_cancellation(Some(time)) {
            Some(_) => Err(StepError::cancelled()),
            None => Ok(()),
        }
    }

    /// Waits until the attempt is asked to stop, for as long as that may take.
    pub fn wait_for_cancellation(&self) -> StepError {
        self.engine.wait_for_cancellation(None);
        StepError::cancelled()
    }

    /// When the attempt will be ended; None if never.
    pub fn deadline(&self) -> Option<SystemTime> {
        self.deadline
    }

    /// The task's id.
    pub fn task_uuid(&self) -> &str {
        &self.names.task
    }

    /// The step's id, the same over all its attempts.
    pub fn step_uuid(&self) -> &str {
        &self.names.step_id
    }

    /// The same over all attempts of the step: hand it to services that can tell a repeat.
    pub fn idempotency_key(&self) -> &str {
        &self.names.idempotency_key
    }

    /// The task's correlation id.
    pub fn correlation_id(&self) -> &str {
        &self.names.correlation_id
    }

    /// W3C `traceparent` of the attempt's span, for what the handler calls; `None` from an engine that tells none.
    pub fn traceparent(&self) -> Option<&str> {
        self.names.traceparent.as_deref()
    }

    /// The template's namespace.
    pub fn namespace(&self) -> &str {
        &self.names.namespace
    }

    /// The template's name.
    pub fn task_name(&self) -> &str {
        &self.names.task_name
    }

    /// The template's version.
    pub fn task_version(&self) -> &str {
        &self.names.task_version
    }

    /// The step's name in the template.
    pub fn step_name(&self) -> &str {
        &self.names.step
    }

    /// The handler's name.
    pub fn handler_name(&self) -> &str {
        &self.names.handler
    }

    /// Which method of the handler runs.
    pub fn method(&self) -> &str {
        &self.names.method
    }

    /// The step's log.
    pub fn log(&self) -> StepLog<'_> {
        StepLog {
            engine: &*self.engine,
        }
    }

    /// All results that came along, by name; for handlers that hand everything on.
    pub fn near_results(&self) -> Result<Map<String, Value>, StepError> {
        let names = self
            .dependency_names
            .iter()
            .filter(|name| self.near.contains_key(*name));
        names
            .map(|name| Ok((name.clone(), (*self.get_dependency_result(name)?).clone())))
            .collect()
    }
}

/// Writes lines to the step's log, which `stepwell logs` shows.
pub struct StepLog<'a> {
    engine: &'a dyn Engine,
}

impl StepLog<'_> {
    /// For whoever looks for a fault.
    pub fn debug(&self, text: impl Display) {
        self.engine.log(Level::Debug, &text.to_string());
    }

    /// What happens.
    pub fn info(&self, text: impl Display) {
        self.engine.log(Level::Info, &text.to_string());
    }

    /// Something is odd.
    pub fn warning(&self, text: impl Display) {
        self.engine.log(Level::Warning, &text.to_string());
    }

    /// Something went wrong.
    pub fn error(&self, text: impl Display) {
        self.engine.log(Level::Error, &text.to_string());
    }
}

fn or(value: &Value, default: impl Into<Value>) -> Value {
    if value.is_null() {
        default.into()
    } else {
        value.clone()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
