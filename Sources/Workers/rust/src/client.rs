//! Submitting tasks and following them: [`Client`].

use std::fmt;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::{json, Map, Value};

use crate::http::{Address, Http, Response};
use crate::problem::Problem;
use crate::worker::variable;

const DEFAULT_URL: &str = "http://127.0.0.1:7420";
const LIMIT: Duration = Duration::from_secs(60);
/// The longest wait that one request asks for.
const WAIT_MAX: Duration = Duration::from_secs(60);
const SETTLED: [&str; 5] = [
    "complete",
    "cancelled",
    "error",
    "blocked_by_failures",
    "resolved_manually",
];

/// The name that users of Tasker know.
pub type TaskerClient = Client;

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

type Answer<T> = Result<T, ClientError>;

/// A task to be submitted: its name, and what else is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask(Map<String, Value>);

impl NewTask {
    /// A task of the newest version of a template in the namespace `default`, with an empty context.
    pub fn new(name: impl Into<String>) -> NewTask {
        NewTask(Map::new())
            .with("name", name.into())
            .with("context", json!({}))
    }

    fn with(mut self, member: &str, value: impl Into<Value>) -> NewTask {
        self.0.insert(member.to_string(), value.into());
        self
    }

    /// The template's namespace.
    pub fn namespace(self, namespace: impl Into<String>) -> NewTask {
        self.with("namespace", namespace.into())
    }

    /// The template's version.
    pub fn version(self, version: impl Into<String>) -> NewTask {
        self.with("version", version.into())
    }

    /// The task's input, an object.
    pub fn context(self, context: Value) -> NewTask {
        self.with("context", context)
    }

    /// Higher numbers go first.
    pub fn priority(self, priority: i64) -> NewTask {
        self.with("priority", priority)
    }

    /// Words to find it by.
    pub fn tags<T: Into<String>>(self, tags: impl IntoIterator<Item = T>) -> NewTask {
        self.with("tags", tags.into_iter().map(Into::into).collect::<Vec<String>>())
    }

    /// What it belongs to.
    pub fn correlation_id(self, id: impl Into<String>) -> NewTask {
        self.with("correlation_id", id.into())
    }

    /// What the cause of it belongs to.
    pub fn parent_correlation_id(self, id: impl Into<String>) -> NewTask {
        self.with("parent_correlation_id", id.into())
    }

    /// There is at most one task of a key: the same request again gives the same task.
    pub fn idempotency_key(self, key: impl Into<String>) -> NewTask {
        self.with("idempotency_key", key.into())
    }

    /// Why, for the log.
    pub fn reason(self, reason: impl Into<String>) -> NewTask {
        self.with("reason", reason.into())
    }
}

/// Which tasks to list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TaskFilter {
    /// Of this namespace.
    pub namespace: Option<String>,
    /// Of this template.
    pub name: Option<String>,
    /// In this state.
    pub status: Option<String>,
    /// With this tag.
    pub tag: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
    /// Where the page before has ended: its `next`.
    pub cursor: Option<String>,
}

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
    fn read(json: Value) -> Answer<Task> {
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

    /// Whether nothing more happens by itself.
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
    fn read(name: Option<&str>, json: Value) -> Answer<Step> {
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

/// Speaks with a server, `stepwell serve`. It can be shared between threads, which then take turns.
pub struct Client {
    http: Mutex<Http>,
    initiator: Option<String>,
    source_system: Option<String>,
}

impl Client {
    /// A client of the server at STEPWELL_URL, else at `http://127.0.0.1:7420`, with the token of STEPWELL_TOKEN.
    pub fn from_environment() -> Answer<Client> {
        let url = variable("STEPWELL_URL").unwrap_or_else(|| DEFAULT_URL.to_string());
        Client::new(&url, variable("STEPWELL_TOKEN").as_deref())
    }

    /// A client of the server at `http://HOST:PORT` or `unix:PATH`.
    pub fn new(url: &str, token: Option<&str>) -> Answer<Client> {
        let mut http = Http::new(Address::parse(url).map_err(ClientError::Misconfigured)?);
        if let Some(token) = token {
            let value = format!("Bearer {token}");
            http = http
                .with_header("Authorization", &value)
                .map_err(ClientError::Misconfigured)?;
        }
        Ok(Client {
            http: Mutex::new(http),
            initiator: None,
            source_system: None,
        })
    }

    /// Who submits tasks, for the log.
    pub fn initiator(mut self, initiator: impl Into<String>) -> Client {
        self.initiator = Some(initiator.into());
        self
    }

    /// Which system submits tasks, for the log.
    pub fn source_system(mut self, system: impl Into<String>) -> Client {
        self.source_system = Some(system.into());
        self
    }

    /// Submits a task. It is on disk when this returns.
    pub fn create_task(&self, task: NewTask) -> Answer<Task> {
        Task::read(self.post("/v1/tasks", self.signed(task))?)
    }

    /// Submits many tasks: all, or none.
    pub fn create_tasks(&self, tasks: impl IntoIterator<Item = NewTask>) -> Answer<Vec<CreatedTask>> {
        let tasks: Vec<Value> = tasks.into_iter().map(|task| self.signed(task)).collect();
        let answer = self.post("/v1/tasks/batch", json!({ "tasks": tasks }))?;
        list(&answer, "tasks")?
            .iter()
            .map(|one| {
                let is_new = one["created"].as_bool().unwrap_or(false);
                Ok(CreatedTask {
                    task_id: text(one, "task_id")?,
                    is_new,
                })
            })
            .collect()
    }

    /// A task with its steps, by its id, the beginning of its id, its key, or `last`.
    pub fn get_task(&self, task: &str) -> Answer<Task> {
        Task::read(self.get(&format!("/v1/tasks/{}", escaped(task)))?)
    }

    /// Tasks, newest first.
    pub fn list_tasks(&self, filter: &TaskFilter) -> Answer<TaskList> {
        let limit = filter.limit.map(|limit| limit.to_string());
        let wishes = [
            ("namespace", &filter.namespace),
            ("name", &filter.name),
            ("state", &filter.status),
            ("tag", &filter.tag),
            ("limit", &limit),
            ("cursor", &filter.cursor),
        ];
        let query: Vec<String> = wishes
            .iter()
            .filter_map(|(name, value)| value.as_ref().map(|value| format!("{name}={}", escaped(value))))
            .collect();
        let answer = self.get(&format!("/v1/tasks?{}", query.join("&")))?;
        let tasks = list(&answer, "tasks")?
            .iter()
            .cloned()
            .map(Task::read)
            .collect::<Answer<_>>()?;
        Ok(TaskList {
            tasks,
            next: answer["next"].as_str().map(str::to_string),
        })
    }

    /// Ends a task: nothing more of it runs.
    pub fn cancel_task(&self, task: &str, reason: Option<&str>) -> Answer<Task> {
        Task::read(self.post(&format!("/v1/tasks/{}/cancel", escaped(task)), because(reason))?)
    }

    /// Lets failed steps begin again: those named, or all when none are.
    pub fn retry_task(&self, task: &str, steps: &[&str], reason: Option<&str>) -> Answer<Task> {
        let mut body = because(reason);
        if !steps.is_empty() {
            body["steps"] = json!(steps);
        }
        Task::read(self.post(&format!("/v1/tasks/{}/retry", escaped(task)), body)?)
    }

    /// The steps of a task, in the template's order.
    pub fn list_task_steps(&self, task: &str) -> Answer<Vec<Step>> {
        let answer = self.get(&format!("/v1/tasks/{}/steps", escaped(task)))?;
        list(&answer, "steps")?
            .iter()
            .map(|step| Step::read(None, step.clone()))
            .collect()
    }

    /// One step.
    pub fn get_step(&self, task: &str, step: &str) -> Answer<Step> {
        Step::read(
            Some(step),
            self.get(&format!("/v1/tasks/{}/steps/{}", escaped(task), escaped(step)))?,
        )
    }

    /// All events of a step as CloudEvents, oldest first.
    pub fn get_step_audit_history(&self, task: &str, step: &str) -> Answer<Vec<Value>> {
        let answer = self.get(&format!(
            "/v1/tasks/{}/steps/{}/audit",
            escaped(task),
            escaped(step)
        ))?;
        Ok(list(&answer, "events")?.clone())
    }

    /// How the server and its store are.
    pub fn health_check(&self) -> Answer<Value> {
        self.get("/v1/health")
    }

    /// Waits until a task is settled, or the time is over; the task then as it is.
    pub fn wait(&self, task: &str, limit: Duration) -> Answer<Task> {
        let end = Instant::now() + limit;
        loop {
            let left = end.saturating_duration_since(Instant::now()).min(WAIT_MAX);
            let path = format!("/v1/tasks/{}?wait={}s", escaped(task), left.as_secs_f64().ceil());
            let found = Task::read(self.request("GET", &path, None, left + LIMIT)?)?;
            if found.is_settled() || Instant::now() >= end {
                return Ok(found);
            }
        }
    }

    fn signed(&self, task: NewTask) -> Value {
        let mut members = task.0;
        for (name, value) in [
            ("initiator", &self.initiator),
            ("source_system", &self.source_system),
        ] {
            if let Some(value) = value {
                members.insert(name.to_string(), json!(value));
            }
        }
        Value::Object(members)
    }

    fn get(&self, path: &str) -> Answer<Value> {
        self.request("GET", path, None, LIMIT)
    }

    fn post(&self, path: &str, body: Value) -> Answer<Value> {
        self.request("POST", path, Some(body.to_string()), LIMIT)
    }

    fn request(&self, method: &str, path: &str, body: Option<String>, limit: Duration) -> Answer<Value> {
        let mut http = self.http.lock().unwrap_or_else(PoisonError::into_inner);
        let body = body.as_deref().map(str::as_bytes);
        let response = http
            .request(method, path, body, limit)
            .map_err(|error| ClientError::Unreachable(error.to_string()))?;
        read(&response)
    }
}

fn read(response: &Response) -> Answer<Value> {
    if !(200..300).contains(&response.status) {
        return Err(ClientError::Refused(Problem::read(response)));
    }
    serde_json::from_slice(&response.body).map_err(|error| unreadable(&error.to_string()))
}

fn unreadable(words: &str) -> ClientError {
    ClientError::Unreachable(format!("cannot read the server's answer: {words}"))
}

fn text(json: &Value, name: &str) -> Answer<String> {
    json[name]
        .as_str()
        .map(str::to_string)
        .ok_or_else(|| unreadable(&format!("'{name}' is missing")))
}

fn list<'a>(json: &'a Value, name: &str) -> Answer<&'a Vec<Value>> {
    json[name]
        .as_array()
        .ok_or_else(|| unreadable(&format!("'{name}' is missing")))
}

fn because(reason: Option<&str>) -> Value {
    reason.map_or_else(|| json!({}), |reason| json!({ "reason": reason }))
}

/// Text as part of an address.
fn escaped(text: &str) -> String {
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
