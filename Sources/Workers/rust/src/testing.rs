//! Running handlers in a test, without an engine.
//!
//! ```
//! use serde_json::json;
//! use stepwell::{testing::FakeStep, FunctionHandler};
//!
//! let add_up = FunctionHandler::new("shop.add_up", |context| {
//!     let fetched = context.get_dependency_result("fetch")?;
//!     let prices = fetched["prices"].as_array().cloned().unwrap_or_default();
//!     Ok(json!({ "sum": prices.iter().filter_map(|price| price.as_i64()).sum::<i64>() }))
//! });
//! let step = FakeStep::new().dependency("fetch", json!({ "prices": [1, 2] }));
//! assert_eq!(step.run(&add_up).result(), &json!({ "sum": 3 }));
//! ```

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{json, Map, Value};

use crate::engine::{CancelReason, Engine, Level};
use crate::message::Message;
use crate::running::run;
use crate::{StepContext, StepError, StepHandler, StepResult, Worker};

/// What a handler told the engine.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Told {
    /// The checkpoints that it saved.
    pub checkpoints: Vec<Value>,
    /// Its heartbeats, with their progress.
    pub heartbeats: Vec<Option<Value>>,
    /// The lines that it logged.
    pub log: Vec<(Level, String)>,
    /// The steps whose results it fetched.
    pub fetched: Vec<String>,
}

#[derive(Default)]
struct FakeEngine {
    fetchable: Map<String, Value>,
    cancellation: Option<CancelReason>,
    told: Mutex<Told>,
}

impl FakeEngine {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Engine for FakeEngine {
    fn cancellation(&self) -> Option<CancelReason> {
        self.cancellation
    }

    /// Time passes at once.
    fn wait_for_cancellation(&self, limit: Option<Duration>) -> Option<CancelReason> {
        assert!(
            self.cancellation.is_some() || limit.is_some(),
            "the handler would wait for ever"
        );
        self.cancellation
    }

    fn fetch(&self, step: &str) -> Result<Value, StepError> {
        self.told().fetched.push(step.to_string());
        Ok(self.fetchable[step].clone())
    }

    fn save_checkpoint(&self, data: &Value) -> Result<(), StepError> {
        self.told().checkpoints.push(data.clone());
        Ok(())
    }

    fn heartbeat(&self, progress: Option<&Value>) {
        self.told().heartbeats.push(progress.cloned());
    }

    fn log(&self, level: Level, text: &str) {
        self.told().log.push((level, text.to_string()));
    }
}

/// One attempt as the engine would give it to a handler.
#[derive(Clone)]
pub struct FakeStep {
    message: Value,
    fetchable: Map<String, Value>,
    cancellation: Option<CancelReason>,
}

impl Default for FakeStep {
    fn default() -> FakeStep {
        FakeStep::new()
    }
}

impl FakeStep {
    /// The first attempt of three, with no input and no earlier results.
    pub fn new() -> FakeStep {
        let message = json!({
            "task_id": "00000000-0000-7000-8000-000000000001",
            "step_id": "00000000-0000-7000-8000-000000000002",
            "correlation_id": "00000000-0000-7000-8000-000000000003",
            "idempotency_key": "00000000-0000-7000-8000-000000000001:step",
            "namespace": "test", "task_name": "test", "task_version": "1.0.0",
            "step": "step", "handler": "handler", "method": "call",
            "attempt": 1, "max_attempts": 3, "deadline": null,
            "input": {}, "config": {}, "dependencies": {}, "dependency_names": [], "fetchable": [],
        });
        FakeStep {
            message,
            fetchable: Map::new(),
            cancellation: None,
        }
    }

    fn with(mut self, member: &str, value: impl Into<Value>) -> FakeStep {
        self.message[member] = value.into();
        self
    }

    /// The task's input, an object.
    pub fn input(self, input: Value) -> FakeStep {
        self.with("input", input)
    }

    /// The step's configuration, an object.
    pub fn config(self, config: Value) -> FakeStep {
        self.with("config", config)
    }

    /// The result of a direct dependency.
    pub fn dependency(mut self, step: &str, result: Value) -> FakeStep {
        self.message["dependencies"][step] = result;
        push(&mut self.message["dependency_names"], step);
        self
    }

    /// The result of a farther ancestor, to be fetched.
    pub fn fetchable(mut self, step: &str, result: Value) -> FakeStep {
        self.fetchable.insert(step.to_string(), result);
        push(&mut self.message["fetchable"], step);
        self
    }

    /// The number of the attempt.
    pub fn attempt(self, number: u64) -> FakeStep {
        self.with("attempt", number)
    }

    /// The number of the last attempt.
    pub fn max_attempts(self, number: u64) -> FakeStep {
        self.with("max_attempts", number)
    }

    /// What the attempt before has saved.
    pub fn checkpoint(self, data: Value) -> FakeStep {
        self.with("checkpoint", data)
    }

    /// When the attempt will be ended, in milliseconds since 1970.
    pub fn deadline(self, milliseconds: u64) -> FakeStep {
        self.with("deadline", milliseconds)
    }

    /// The step's name.
    pub fn step(self, name: &str) -> FakeStep {
        self.with("step", name)
    }

    /// The method of the handler.
    pub fn method(self, name: &str) -> FakeStep {
        self.with("method", name)
    }

    /// The attempt was asked to stop before it began.
    pub fn cancelled(mut self, reason: CancelReason) -> FakeStep {
        self.cancellation = Some(reason);
        self
    }

    /// Runs a handler once.
    pub fn run(&self, handler: &dyn StepHandler) -> StepResult {
        self.run_and_tell(handler).0
    }

    /// Runs a handler once, and says besides what it told the engine.
    pub fn run_and_tell(&self, handler: &dyn StepHandler) -> (StepResult, Told) {
        let engine = Arc::new(FakeEngine {
            fetchable: self.fetchable.clone(),
            cancellation: self.cancellation,
            told: Mutex::default(),
        });
        let text = self.clone().with("handler", handler.name()).message.to_string();
        let context = Message::read(&text).and_then(|message| StepContext::read(&message, engine.clone()));
        let result = match context {
            Ok(context) => run(handler, &context),
            Err(fault) => {
                StepResult::failure(StepError::permanent(format!("cannot read the attempt: {fault}")))
            }
        };
        let told = engine.told().clone();
        (result, told)
    }
}

fn push(list: &mut Value, name: &str) {
    if let Some(names) = list.as_array_mut() {
        names.push(name.into());
    }
}

/// A step of a template that is rehearsed.
#[derive(Clone, Debug)]
pub struct TemplateStep {
    name: String,
    callable: String,
    method: String,
    dependencies: Vec<String>,
    max_attempts: u64,
    config: Value,
    given: Option<Value>,
}

impl TemplateStep {
    /// A step without dependencies that has three attempts.
    pub fn new(name: &str, callable: &str) -> TemplateStep {
        TemplateStep {
            name: name.into(),
            callable: callable.into(),
            method: "call".into(),
            dependencies: Vec::new(),
            max_attempts: 3,
            config: json!({}),
            given: None,
        }
    }

    /// A step that does not run, such as a command: it has this result.
    pub fn given(name: &str, result: Value) -> TemplateStep {
        TemplateStep {
            given: Some(result),
            ..TemplateStep::new(name, "")
        }
    }

    /// The steps whose results it needs.
    pub fn depends_on(mut self, steps: &[&str]) -> TemplateStep {
        self.dependencies = steps.iter().map(|step| step.to_string()).collect();
        self
    }

    /// How many attempts it has.
    pub fn max_attempts(mut self, number: u64) -> TemplateStep {
        self.max_attempts = number;
        self
    }

    /// Its configuration, an object.
    pub fn config(mut self, config: Value) -> TemplateStep {
        self.config = config;
        self
    }

    /// The method of the handler.
    pub fn method(mut self, name: &str) -> TemplateStep {
        self.method = name.into();
        self
    }
}

/// What came of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    /// How many attempts it has had; 0 when a step before it has failed.
    pub attempts: u64,
    /// Its result or its last failure; None when it was not reached.
    pub outcome: Option<StepResult>,
}

/// Runs a whole template in this thread: each step when those it needs are done, failed attempts again without a wait.
///
/// Returns what came of each step, or what is wrong with the template.
pub fn rehearse(
    worker: &Worker,
    steps: &[TemplateStep],
    input: &Value,
) -> Result<BTreeMap<String, StepReport>, String> {
    let mut reports: BTreeMap<String, StepReport> = BTreeMap::new();
    for step in steps {
        if steps.iter().filter(|other| other.name == step.name).count() > 1 {
            return Err(format!("there are two steps of the name {}", step.name));
        }
        if let Some(unknown) = step
            .dependencies
            .iter()
            .find(|name| steps.iter().all(|s| s.name != **name))
        {
            return Err(format!(
                "step {} depends on {unknown}, which is no step",
                step.name
            ));
        }
        if step.given.is_none() && worker.handler(&step.callable).is_none() {
            return Err(format!(
                "step {} needs the handler {}, which the worker has not",
                step.name, step.callable
            ));
        }
    }
    while reports.len() < steps.len() {
        let next = steps.iter().find(|step| {
            !reports.contains_key(&step.name)
                && step.dependencies.iter().all(|name| reports.contains_key(name))
        });
        let step = next.ok_or("the steps depend on each other in a circle")?;
        let report = rehearse_step(worker, steps, step, input, &reports);
        reports.insert(step.name.clone(), report);
    }
    Ok(reports)
}

fn rehearse_step(
    worker: &Worker,
    steps: &[TemplateStep],
    step: &TemplateStep,
    input: &Value,
    reports: &BTreeMap<String, StepReport>,
) -> StepReport {
    let result = |name: &String| {
        reports[name]
            .outcome
            .as_ref()
            .filter(|outcome| outcome.is_success())
    };
    let mut report = StepReport {
        attempts: 0,
        outcome: None,
    };
    if step.dependencies.iter().any(|name| result(name).is_none()) {
        return report;
    }
    if let Some(result) = &step.given {
        report.outcome = Some(StepResult::success(result.clone()));
        return report;
    }
    let handler = match worker.handler(&step.callable) {
        Some(handler) => handler,
        None => return report,
    };
    let mut fake = FakeStep::new()
        .input(input.clone())
        .config(step.config.clone())
        .step(&step.name);
    fake = fake.max_attempts(step.max_attempts).method(&step.method);
    for name in &step.dependencies {
        fake = fake.dependency(
            name,
            result(name).map(StepResult::result).cloned().unwrap_or_default(),
        );
    }
    for name in ancestors(steps, step) {
        fake = fake.fetchable(
            &name,
            result(&name).map(StepResult::result).cloned().unwrap_or_default(),
        );
    }
    loop {
        report.attempts += 1;
        let (outcome, told) = fake.clone().attempt(report.attempts).run_and_tell(handler);
        if let Some(checkpoint) = told.checkpoints.last() {
            fake = fake.checkpoint(checkpoint.clone());
        }
        let may_follow = outcome.error().map_or(false, StepError::is_retryable);
        report.outcome = Some(outcome);
        if !may_follow || report.attempts >= step.max_attempts {
            return report;
        }
    }
}

/// The farther ancestors of a step, nearest first.
fn ancestors(steps: &[TemplateStep], step: &TemplateStep) -> Vec<String> {
    let mut names = step.dependencies.clone();
    let mut place = 0;
    while place < names.len() {
        let found = steps.iter().find(|other| other.name == names[place]);
        for name in found.map_or(&[][..], |other| &other.dependencies) {
            if !names.contains(name) {
                names.push(name.clone());
            }
        }
        place += 1;
    }
    names.split_off(step.dependencies.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn given_results_stand_for_steps() {
        let mut worker = Worker::new();
        worker.register("add", |context| {
            let given = context.get_dependency_result("a")?;
            Ok(json!(given["n"].as_i64().unwrap_or(0) + 1))
        });
        let steps = [
            TemplateStep::given("a", json!({ "n": 1 })),
            TemplateStep::new("b", "add").depends_on(&["a"]),
        ];
        let reports = rehearse(&worker, &steps, &json!({})).unwrap();
        assert_eq!(reports["b"].outcome.as_ref().unwrap().result(), &json!(2));
        assert_eq!(reports["a"].attempts, 0);
    }
}
