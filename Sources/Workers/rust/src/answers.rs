//! What a server says: [`Task`], [`Step`], and others.

use serde_json::Value;

use crate::client::{Answer, ClientError};

const SETTLED: [&str; 6] = [
    "complete",
    "cancelled",
    "error",
    "blocked_by_failures",
    "resolved_manually",
    "paused",
];

/// What a server says of one task; `json` holds all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Task {
    /// The task's id.
    pub task_id: String,
    /// Such as `in_progress` or `complete`.
    pub state: String,
    /// Its steps, in the template's order; empty in a list of tasks.
    pub steps: Vec<Step>,
    /// The whole document.
    pub json: Value,
}

impl Task {
    pub(crate) fn read(json: Value) -> Answer<Task> {
        let mut steps = Vec::new();
        if let Some(members) = json["steps"].as_object() {
            for (name, step) in members {
                steps.push(Step::read(Some(name), step.clone())?);
            }
        }
        Ok(Task {
            task_id: text(&json, "task_id")?,
            state: text(&json, "state")?,
            steps,
            json,
        })
    }

    /// A step by its name.
    pub fn step(&self, name: &str) -> Option<&Step> {
        self.steps.iter().find(|step| step.name == name)
    }

    /// The result of a step; `Null` while there is none.
    pub fn result(&self, step: &str) -> &Value {
        self.step(step).map_or(&Value::Null, |step| &step.result)
    }

    /// Whether nothing more happens by itself: also when it is blocked by failures, or paused.
    pub fn is_settled(&self) -> bool {
        SETTLED.contains(&self.state.as_str())
    }
}

/// What a server says of one step; `json` holds all of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Step {
    /// Its name in the template.
    pub name: String,
    /// Such as `enqueued` or `complete`.
    pub state: String,
    /// How many attempts it has had.
    pub attempts: u64,
    /// Its result; `Null` without one.
    pub result: Value,
    /// The whole document.
    pub json: Value,
}

impl Step {
    pub(crate) fn read(name: Option<&str>, json: Value) -> Answer<Step> {
        Ok(Step {
            name: name.map_or_else(|| text(&json, "name"), |name| Ok(name.to_string()))?,
            state: text(&json, "state")?,
            attempts: json["attempts"].as_u64().unwrap_or(0),
            result: json["result"].clone(),
            json,
        })
    }
}

/// A page of tasks.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskList {
    /// The tasks, newest first.
    pub tasks: Vec<Task>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// What came of one task of a batch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreatedTask {
    /// The task's id.
    pub task_id: String,
    /// False when there was a task of its key already.
    pub is_new: bool,
}

/// A template that a server knows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its version.
    pub version: String,
    /// What its content is known by.
    pub digest: String,
}

impl Template {
    pub(crate) fn read(json: &Value) -> Answer<Template> {
        Ok(Template {
            namespace: text(json, "namespace")?,
            name: text(json, "name")?,
            version: text(json, "version")?,
            digest: text(json, "digest")?,
        })
    }
}

pub(crate) fn unreadable(words: &str) -> ClientError {
    ClientError::Unreachable(format!("cannot read the server's answer: {words}"))
}

pub(crate) fn text(json: &Value, name: &str) -> Answer<String> {
    json[name]
        .as_str()
        .map(str::to_string)
        .ok_or_else(|| unreadable(&format!("'{name}' is missing")))
}

pub(crate) fn list<'a>(json: &'a Value, name: &str) -> Answer<&'a Vec<Value>> {
    json[name]
        .as_array()
        .ok_or_else(|| unreadable(&format!("'{name}' is missing")))
}

pub(crate) fn optional_text(json: &Value, name: &str) -> Option<String> {
    json[name].as_str().map(str::to_string)
}

pub(crate) fn number(json: &Value, name: &str) -> Answer<u64> {
    json[name]
        .as_u64()
        .ok_or_else(|| unreadable(&format!("'{name}' is missing")))
}

pub(crate) fn flag(json: &Value, name: &str) -> Answer<bool> {
    json[name]
        .as_bool()
        .ok_or_else(|| unreadable(&format!("'{name}' is missing")))
}

/// The texts of a list; none when there is no list.
pub(crate) fn texts(json: &Value, name: &str) -> Vec<String> {
    let list = json[name].as_array().map_or(&[][..], Vec::as_slice);
    list.iter()
        .filter_map(Value::as_str)
        .map(str::to_string)
        .collect()
}
