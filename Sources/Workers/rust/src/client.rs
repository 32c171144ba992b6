//! Submitting tasks and following them: [`Client`].

mod absence;
mod asking;
mod history;
mod limits;
mod operations;
#[cfg(test)]
mod table;
mod templates;
mod webhooks;

use std::sync::Mutex;
use std::time::{Duration, Instant};

use serde_json::{json, Value};

use self::absence::Absence;
pub(crate) use self::asking::Answer;
pub use self::asking::ClientError;
use self::asking::{because, escaped, query, LIMIT};
pub use self::history::{Difference, EventPage, Explanation, ForkOptions, LogFilter, LogLine, LogPage, Plan};
pub use self::limits::{Limit, LimitScope, NewLimit};
pub use self::operations::{
    BulkAction, BulkOptions, BulkOutcome, BulkTask, PruneOptions, Pruned, Statistics, WorkerInfo,
};
pub use self::templates::{DrawingFormat, Finding, Validation};
pub use self::webhooks::{NewWebhook, Webhook};
use crate::answers::{list, text, CreatedTask, Step, Task, TaskList};
use crate::http::{Address, Http};
use crate::new_task::{NewTask, TaskFilter};
use crate::worker::variable;

const DEFAULT_URL: &str = "http://127.0.0.1:7420";
/// The longest wait that one request asks for.
const WAIT_MAX: Duration = Duration::from_secs(60);
/// The name that users of Tasker know.
pub type TaskerClient = Client;

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
        let query = query(&[
            ("namespace", filter.namespace.as_deref()),
            ("name", filter.name.as_deref()),
            ("state", filter.status.as_deref()),
            ("key", filter.idempotency_key.as_deref()),
            ("limit", limit.as_deref()),
            ("cursor", filter.cursor.as_deref()),
        ]);
        let answer = self.get(&format!("/v1/tasks{query}"))?;
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

    /// All tasks that match, newest first, page after page; the filter's own limit is that of a page.
    pub fn all_tasks(&self, filter: &TaskFilter) -> Answer<Vec<Task>> {
        let mut filter = filter.clone();
        let mut found = Vec::new();
        loop {
            let page = self.list_tasks(&filter)?;
            found.extend(page.tasks);
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// Ends a task: nothing more of it runs.
    pub fn cancel_task(&self, task: &str, reason: Option<&str>) -> Answer<Task> {
        Task::read(self.post(&format!("/v1/tasks/{}/cancel", escaped(task)), because(reason))?)
    }

    /// Lets nothing further of a task begin; what runs goes on to its end.
    pub fn pause_task(&self, task: &str, reason: Option<&str>) -> Answer<Task> {
        Task::read(self.post(&format!("/v1/tasks/{}/pause", escaped(task)), because(reason))?)
    }

    /// Ends the pause of a task.
    pub fn resume_task(&self, task: &str, reason: Option<&str>) -> Answer<Task> {
        Task::read(self.post(&format!("/v1/tasks/{}/resume", escaped(task)), because(reason))?)
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

    /// Settles a step by hand, with or without a result, so that the steps after it can run.
    pub fn resolve_step(
        &self,
        task: &str,
        step: &str,
        result: Option<Value>,
        reason: Option<&str>,
    ) -> Answer<Task> {
        let mut body = because(reason);
        if let Some(result) = result {
            body["result"] = result;
        }
        let path = format!("/v1/tasks/{}/steps/{}/resolve", escaped(task), escaped(step));
        Task::read(self.post(&path, body)?)
    }

    /// Waits until a task is settled, or the time is over; the task then as it is. `Duration::MAX` has no end. Outlives a
    /// server that is started again; after five minutes without one, or when the time is over, it gives the trouble.
    pub fn wait(&self, task: &str, limit: Duration) -> Answer<Task> {
        let end = Instant::now().checked_add(limit);
        let mut absence = Absence::new(end);
        loop {
            let left = end.map_or(WAIT_MAX, |end| end.saturating_duration_since(Instant::now()).min(WAIT_MAX));
            let path = format!("/v1/tasks/{}?wait={}s", escaped(task), left.as_secs_f64().ceil());
            let found = match self.request("GET", &path, None, left + LIMIT) {
                Ok(found) => Task::read(found)?,
                Err(error) => {
                    absence.outlast(error)?;
                    continue;
                }
            };
            absence.ended();
            if found.is_settled() || end.map_or(false, |end| Instant::now() >= end) {
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
                members.entry(name.to_string()).or_insert_with(|| json!(value));
            }
        }
        Value::Object(members)
    }
}

#[cfg(test)]
mod tests {
    use super::table::server;
    use super::*;

    const TASK: &str =
        r#"{"task_id":"t","state":"paused","steps":{"add":{"state":"complete","attempts":1,"result":7}}}"#;
    const TEMPLATE: &str = r#"{"namespace":"n","name":"a","version":"1","digest":"d"}"#;

    #[test]
    fn every_wish_has_its_address() {
        let list = format!(r#"{{"templates":[{TEMPLATE}]}}"#);
        let page = |next: &str| format!(r#"{{"tasks":[{{"task_id":"t","state":"pending"}}],"next":{next}}}"#);
        let mut answers: Vec<String> = vec![TASK.into(); 5];
        answers.extend([TEMPLATE.to_string(), list, page("\"c&d\""), page("null")]);
        let (client, serving) = server(answers.into_iter().map(|text| (200, text)).collect());
        let client = client.initiator("me");
        let wish = NewTask::new("a").idempotency_key("k").replace().initiator("you");
        let task = client.create_task(wish).unwrap();
        assert!(task.is_settled() && task.result("add") == &json!(7) && task.result("x").is_null());
        client.pause_task("a/ü", Some("why")).unwrap();
        client.resume_task("t", None).unwrap();
        client
            .resolve_step("t", "s", Some(json!({ "n": 1 })), Some("by hand"))
            .unwrap();
        client.resolve_step("t", "s", None, None).unwrap();
        assert_eq!(client.put_template("name: a").unwrap().digest, "d");
        assert_eq!(client.list_templates().unwrap()[0].version, "1");
        let filter = TaskFilter {
            idempotency_key: Some("k".into()),
            ..TaskFilter::default()
        };
        assert_eq!(client.all_tasks(&filter).unwrap().len(), 2);
        let asked = serving.join().unwrap();
        let lines: Vec<&str> = asked.iter().map(|[line, _, _]| line.as_str()).collect();
        let expected = [
            "POST /v1/tasks",
            "POST /v1/tasks/a%2F%C3%BC/pause",
            "POST /v1/tasks/t/resume",
            "POST /v1/tasks/t/steps/s/resolve",
            "POST /v1/tasks/t/steps/s/resolve",
            "PUT /v1/templates",
            "GET /v1/templates",
            "GET /v1/tasks?key=k",
            "GET /v1/tasks?key=k&cursor=c%26d",
        ];
        assert_eq!(lines, expected);
        let body = |place: usize| serde_json::from_str::<Value>(&asked[place][2]).unwrap();
        assert_eq!(
            (&body(0)["initiator"], &body(0)["replace"]),
            (&json!("you"), &json!(true))
        );
        assert_eq!(body(1), json!({ "reason": "why" }));
        assert_eq!(body(3), json!({ "result": { "n": 1 }, "reason": "by hand" }));
        assert_eq!(body(4), json!({}));
        assert_eq!(asked[5][1..], ["application/yaml", "name: a"]);
    }

    #[test]
    fn a_wait_may_have_no_end() {
        let (client, serving) = server(vec![(200, TASK.into())]);
        assert!(client.wait("t", Duration::MAX).unwrap().is_settled());
        assert_eq!(serving.join().unwrap()[0][0], "GET /v1/tasks/t?wait=60s");
    }

    #[test]
    fn a_wait_outlives_a_server_that_is_away() {
        let away = |status| (status, "<html>".to_string());
        let pending = TASK.replace("paused", "pending");
        let answers = vec![away(503), away(502), away(504), (200, pending), away(502), (200, TASK.into())];
        let (client, serving) = server(answers);
        assert!(client.wait("t", Duration::MAX).unwrap().is_settled());
        assert_eq!(serving.join().unwrap().len(), 6);
    }

    #[test]
    fn a_wait_ends_with_what_does_not_pass_and_in_time_while_the_server_is_away() {
        let (client, serving) = server(vec![(404, "{}".into()), (503, "{}".into())]);
        assert!(!client.wait("t", Duration::MAX).unwrap_err().may_pass());
        assert!(client.wait("t", Duration::ZERO).unwrap_err().may_pass());
        serving.join().unwrap();
        // Nobody listens there any more.
        assert!(matches!(client.wait("t", Duration::ZERO), Err(ClientError::Unreachable(_))));
    }

    #[test]
    fn a_refusal_has_the_servers_code() {
        let problem = r#"{"code":"unknown_task","detail":"there is none","cure":"look"}"#;
        let (client, serving) = server(vec![(404, problem.into())]);
        match client.get_task("t") {
            Err(ClientError::Refused(problem)) => {
                assert_eq!((problem.status, problem.code.as_str()), (404, "unknown_task"))
            }
            other => panic!("{other:?}"),
        }
        serving.join().unwrap();
    }

    #[test]
    fn there_is_no_tls() {
        match Client::new("https://example.org", None) {
            Err(ClientError::Misconfigured(words)) => assert!(words.contains("let a proxy"), "{words}"),
            _ => panic!("it takes https"),
        }
    }
}
