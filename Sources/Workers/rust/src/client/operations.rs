//! What whoever runs a server asks and says: many tasks at once, pruning, workers, figures.

use serde_json::{json, Value};

use super::asking::{because, escaped, put, query, Answer};
use super::Client;
use crate::answers::{flag, list, number, optional_text, text, texts};

/// What can be done to many tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BulkAction {
    /// End them.
    Cancel,
    /// Let their failed steps begin again.
    Retry,
    /// Let nothing further of them begin.
    Pause,
    /// End their pause.
    Resume,
}

impl BulkAction {
    /// As it is written: `cancel`, `retry`, `pause` or `resume`.
    pub fn name(self) -> &'static str {
        match self {
            BulkAction::Cancel => "cancel",
            BulkAction::Retry => "retry",
            BulkAction::Pause => "pause",
            BulkAction::Resume => "resume",
        }
    }
}

/// To which tasks something is done, the newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BulkOptions {
    /// Of this namespace.
    pub namespace: Option<String>,
    /// Of this template.
    pub name: Option<String>,
    /// In this state; without it the open ones.
    pub status: Option<String>,
    /// Why, for the log.
    pub reason: Option<String>,
    /// At most so many, up to 1000.
    pub limit: Option<u32>,
    /// Change nothing, and say what would be.
    pub is_dry_run: bool,
}

/// What was done to one of many tasks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkTask {
    /// The task's id.
    pub task_id: String,
    /// Its state before.
    pub state: String,
    /// False when it has refused, and in a dry run.
    pub is_done: bool,
    /// Why it has refused, for programs.
    pub code: Option<String>,
    /// Why it has refused.
    pub detail: Option<String>,
}

/// What was done to each of many tasks. One that refuses does not hold up the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BulkOutcome {
    /// Whether nothing was changed.
    pub is_dry_run: bool,
    /// The tasks, the newest first.
    pub tasks: Vec<BulkTask>,
}

impl BulkOutcome {
    fn read(json: &Value) -> Answer<BulkOutcome> {
        let task = |json: &Value| {
            Ok(BulkTask {
                task_id: text(json, "task_id")?,
                state: text(json, "state")?,
                is_done: flag(json, "done")?,
                code: optional_text(json, "code"),
                detail: optional_text(json, "detail"),
            })
        };
        Ok(BulkOutcome {
            is_dry_run: flag(json, "dry_run")?,
            tasks: list(json, "tasks")?.iter().map(task).collect::<Answer<_>>()?,
        })
    }
}

/// What else [`Client::prune_tasks`] is told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PruneOptions {
    /// Only these, by their ids; none: all.
    pub tasks: Vec<String>,
    /// Why, for the log.
    pub reason: Option<String>,
    /// Change nothing, and say how much would leave.
    pub is_dry_run: bool,
}

/// How much has left the store, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pruned {
    /// Whether nothing was changed.
    pub is_dry_run: bool,
    /// How many tasks.
    pub tasks: u64,
    /// How many events.
    pub events: u64,
}

/// How much a store holds; `json` also counts by state, by day and by table.
#[derive(Clone, Debug, PartialEq)]
pub struct Statistics {
    /// What the store is known by.
    pub store_id: String,
    /// How many events it holds.
    pub events: u64,
    /// In how many commits they were written.
    pub commits: u64,
    /// The whole document.
    pub json: Value,
}

/// Who works for the server; `json` holds all that it says.
#[derive(Clone, Debug, PartialEq)]
pub struct WorkerInfo {
    /// What the log calls it.
    pub name: String,
    /// Such as `remote`.
    pub kind: String,
    /// What it can run.
    pub handlers: Vec<String>,
    /// How many attempts it runs at once at most.
    pub concurrency: u64,
    /// How many it holds.
    pub running: u64,
    /// The namespaces that it works for; none: all.
    pub namespaces: Vec<String>,
    /// Of a worker that connects from elsewhere.
    pub worker_id: Option<String>,
    /// The whole document.
    pub json: Value,
}

impl WorkerInfo {
    fn read(json: Value) -> Answer<WorkerInfo> {
        let handlers = list(&json, "handlers")?.iter();
        Ok(WorkerInfo {
            name: text(&json, "name")?,
            kind: text(&json, "kind")?,
            handlers: handlers
                .map(|handler| text(handler, "name"))
                .collect::<Answer<_>>()?,
            concurrency: number(&json, "concurrency")?,
            running: number(&json, "running")?,
            namespaces: texts(&json, "namespaces"),
            worker_id: optional_text(&json, "worker_id"),
            json,
        })
    }
}

impl Client {
    /// Cancels, retries, pauses or resumes all tasks that match, 1000 at most.
    pub fn act_on_tasks(&self, action: BulkAction, options: &BulkOptions) -> Answer<BulkOutcome> {
        let mut body = json!({ "action": action.name() });
        put(&mut body, "namespace", options.namespace.as_deref());
        put(&mut body, "name", options.name.as_deref());
        put(&mut body, "state", options.status.as_deref());
        put(&mut body, "reason", options.reason.as_deref());
        put(&mut body, "limit", options.limit);
        put(&mut body, "dry_run", options.is_dry_run.then_some(true));
        BulkOutcome::read(&self.post("/v1/tasks/bulk", body)?)
    }

    /// Lets tasks that ended before a time, such as `2026-11-24T00:00:00Z`, leave the store.
    pub fn prune_tasks(&self, before: &str, options: &PruneOptions) -> Answer<Pruned> {
        let mut body = json!({ "before": before });
        if !options.tasks.is_empty() {
            body["tasks"] = json!(options.tasks);
        }
        put(&mut body, "reason", options.reason.as_deref());
        let path = format!(
            "/v1/prune{}",
            if options.is_dry_run { "?dry_run=true" } else { "" }
        );
        let answer = self.post(&path, body)?;
        Ok(Pruned {
            is_dry_run: flag(&answer, "dry_run")?,
            tasks: number(&answer, "tasks")?,
            events: number(&answer, "events")?,
        })
    }

    /// All workers, and what they hold.
    pub fn list_workers(&self) -> Answer<Vec<WorkerInfo>> {
        let answer = self.get("/v1/workers")?;
        list(&answer, "workers")?
            .iter()
            .cloned()
            .map(WorkerInfo::read)
            .collect()
    }

    /// Tells a worker, by its `worker_id`, to finish what it has and to end.
    pub fn drain_worker(&self, worker_id: &str) -> Answer<()> {
        self.tell("POST", &format!("/v1/workers/{}/drain", escaped(worker_id)))
    }

    /// Ends the hold that the server was started with, `stepwell serve --hold`. Whether there was one.
    pub fn release(&self, reason: Option<&str>) -> Answer<bool> {
        flag(&self.post("/v1/release", because(reason))?, "released")
    }

    /// How the server and its store are.
    pub fn health_check(&self) -> Answer<Value> {
        self.get("/v1/health")
    }

    /// How much the store holds. The server goes through all events for it.
    pub fn statistics(&self) -> Answer<Statistics> {
        let json = self.get("/v1/stats")?;
        Ok(Statistics {
            store_id: text(&json, "store_id")?,
            events: number(&json, "events")?,
            commits: number(&json, "commits")?,
            json,
        })
    }

    /// The server's figures, in the text format of Prometheus.
    pub fn metrics(&self) -> Answer<String> {
        self.ask_for_text("/v1/metrics")
    }

    /// The whole engine as it is, or was: at the number of an event, a time, or `-10m`.
    pub fn get_state(&self, at: Option<&str>) -> Answer<Value> {
        self.get(&format!("/v1/state{}", query(&[("at", at)])))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::table::{exchange, server};
    use crate::client::ClientError;

    #[test]
    fn many_tasks_at_once() {
        let answer = r#"{"action":"retry","dry_run":false,"tasks":[
            {"task_id":"t","state":"blocked_by_failures","done":true},
            {"task_id":"u","state":"pending","done":false,"code":"nothing_to_retry","detail":"there is none"}]}"#;
        let all = BulkOptions {
            namespace: Some("n".into()),
            name: Some("a".into()),
            status: Some("blocked_by_failures".into()),
            reason: Some("why".into()),
            limit: Some(5),
            is_dry_run: false,
        };
        let (done, asked) = exchange(answer, |it| it.act_on_tasks(BulkAction::Retry, &all));
        let body = r#"{"action":"retry","namespace":"n","name":"a","state":"blocked_by_failures","reason":"why","limit":5}"#;
        assert_eq!(asked, ["POST /v1/tasks/bulk", body]);
        assert_eq!(
            (
                done.is_dry_run,
                done.tasks[0].is_done,
                done.tasks[0].code.as_ref()
            ),
            (false, true, None)
        );
        assert_eq!(
            (done.tasks[1].is_done, done.tasks[1].code.as_deref()),
            (false, Some("nothing_to_retry"))
        );
        let dry = BulkOptions {
            is_dry_run: true,
            ..BulkOptions::default()
        };
        let (_, asked) = exchange(answer, |it| it.act_on_tasks(BulkAction::Pause, &dry));
        assert_eq!(asked[1], r#"{"action":"pause","dry_run":true}"#);
    }

    #[test]
    fn pruning() {
        let answer = r#"{"dry_run":true,"before":"2026-11-24T00:00:00.000Z","tasks":3,"events":30}"#;
        let some = PruneOptions {
            tasks: vec!["t".into()],
            reason: Some("old".into()),
            is_dry_run: true,
        };
        let (pruned, asked) = exchange(answer, |it| it.prune_tasks("2026-11-24T00:00:00Z", &some));
        assert_eq!((pruned.is_dry_run, pruned.tasks, pruned.events), (true, 3, 30));
        assert_eq!(asked[0], "POST /v1/prune?dry_run=true");
        assert_eq!(
            asked[1],
            r#"{"before":"2026-11-24T00:00:00Z","tasks":["t"],"reason":"old"}"#
        );
        let (_, asked) = exchange(answer, |it| {
            it.prune_tasks("2026-11-24T00:00:00Z", &PruneOptions::default())
        });
        assert_eq!(asked, ["POST /v1/prune", r#"{"before":"2026-11-24T00:00:00Z"}"#]);
    }

    #[test]
    fn the_server_and_its_workers() {
        let answer = r#"{"workers":[{"name":"box#1","kind":"remote","handlers":[{"name":"add","version":"1"}],
            "concurrency":8,"running":2,"namespaces":[],"labels":{"a":"b"},"worker_id":"w"}]}"#;
        let (workers, asked) = exchange(answer, |it| it.list_workers());
        assert_eq!(
            (&asked[0][..], &workers[0].name[..], &workers[0].handlers[0][..]),
            ("GET /v1/workers", "box#1", "add")
        );
        assert_eq!(
            (
                workers[0].concurrency,
                workers[0].running,
                workers[0].worker_id.as_deref()
            ),
            (8, 2, Some("w"))
        );
        assert_eq!(
            exchange("", |it| it.drain_worker("w")).1[0],
            "POST /v1/workers/w/drain"
        );
        let (was_held, asked) = exchange(r#"{"released":true,"held":false}"#, |it| {
            it.release(Some("sound"))
        });
        assert_eq!(
            (was_held, &asked[0][..], &asked[1][..]),
            (true, "POST /v1/release", r#"{"reason":"sound"}"#)
        );
        let (counts, asked) = exchange(r#"{"store_id":"s","events":7,"commits":6}"#, |it| it.statistics());
        assert_eq!(
            (&asked[0][..], &counts.store_id[..], counts.events, counts.commits),
            ("GET /v1/stats", "s", 7, 6)
        );
        let (figures, asked) = exchange("a 1\n", |it| it.metrics());
        assert_eq!((&figures[..], &asked[0][..]), ("a 1\n", "GET /v1/metrics"));
        assert_eq!(
            exchange("{}", |it| it.get_state(Some("-10m"))).1[0],
            "GET /v1/state?at=-10m"
        );
        assert_eq!(exchange("{}", |it| it.health_check()).1[0], "GET /v1/health");
    }

    #[test]
    fn a_refusal_of_an_answer_without_json_is_one_too() {
        let problem = r#"{"code":"unknown_worker","detail":"there is none"}"#.to_string();
        let (client, serving) = server(vec![(404, problem.clone()), (404, problem)]);
        for refused in [client.drain_worker("w"), client.metrics().map(|_| ())] {
            match refused {
                Err(ClientError::Refused(problem)) => assert_eq!(problem.code, "unknown_worker"),
                other => panic!("{other:?}"),
            }
        }
        serving.join().unwrap();
    }
}
