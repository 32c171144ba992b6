//! What has happened, and what would: events, log lines, explanations, comparisons, forks.

use serde_json::{json, Value};

use super::asking::{escaped, put, query, Answer};
use super::templates::DrawingFormat;
use super::Client;
use crate::answers::{flag, list, number, optional_text, text, texts, Task};

/// A page of events.
#[derive(Clone, Debug, PartialEq)]
pub struct EventPage {
    /// The events, oldest first.
    pub events: Vec<Value>,
    /// What comes later is after this number.
    pub next_after: u64,
}

/// Which log lines of a task.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogFilter {
    /// Only of this step.
    pub step: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
    /// Where the page before has ended: its `next`.
    pub cursor: Option<String>,
}

/// A line that a handler has written; `json` holds all that the server says.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine {
    /// Of which step.
    pub step: String,
    /// Of which attempt, from 1.
    pub attempt: u64,
    /// Such as `info`.
    pub level: String,
    /// What was written.
    pub text: String,
    /// The whole document.
    pub json: Value,
}

impl LogLine {
    fn read(json: Value) -> Answer<LogLine> {
        Ok(LogLine {
            step: text(&json, "step")?,
            attempt: number(&json, "attempt")?,
            level: text(&json, "level")?,
            text: text(&json, "text")?,
            json,
        })
    }
}

/// A page of log lines.
#[derive(Clone, Debug, PartialEq)]
pub struct LogPage {
    /// By attempt, in each in the order of writing.
    pub lines: Vec<LogLine>,
    /// The cursor of the next page, if there is one.
    pub next: Option<String>,
}

/// Why a task or a step waits or has failed; `json` also has the events that bear it out.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// The task's id.
    pub task_id: String,
    /// The task's state.
    pub state: String,
    /// One after the other.
    pub sentences: Vec<String>,
    /// The commands that may help.
    pub actions: Vec<String>,
    /// The whole document.
    pub json: Value,
}

impl Explanation {
    fn read(json: Value) -> Answer<Explanation> {
        let all = |name: &str, member: &str| -> Answer<Vec<String>> {
            list(&json, name)?.iter().map(|one| text(one, member)).collect()
        };
        Ok(Explanation {
            task_id: text(&json, "task_id")?,
            state: text(&json, "state")?,
            sentences: all("sentences", "text")?,
            actions: all("actions", "command")?,
            json,
        })
    }
}

/// Whether two tasks are alike; `json` says where they went apart, and all that differs.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Whether nothing differs.
    pub is_alike: bool,
    /// The whole document.
    pub json: Value,
}

/// The steps of a task by what becomes of them; `json` holds all that the server says.
#[derive(Clone, Debug, PartialEq)]
pub struct Plan {
    /// Those that keep their results.
    pub reused: Vec<String>,
    /// Those whose results are given.
    pub replaced: Vec<String>,
    /// Those that run next.
    pub next: Vec<String>,
    /// Those that run then.
    pub later: Vec<String>,
    /// Those that do not run.
    pub held: Vec<String>,
    /// What should be known before.
    pub warnings: Vec<String>,
    /// The whole document.
    pub json: Value,
}

impl Plan {
    fn read(json: Value) -> Answer<Plan> {
        list(&json, "next")?;
        let steps = |name: &str| texts(&json, name);
        Ok(Plan {
            reused: steps("reused"),
            replaced: steps("replaced"),
            next: steps("next"),
            later: steps("later"),
            held: steps("held"),
            warnings: steps("warnings"),
            json,
        })
    }
}

/// What a fork changes.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ForkOptions {
    /// Members of the input to change, an object.
    pub input: Option<Value>,
    /// Results to take over in place of the recorded ones, an object by step.
    pub results: Option<Value>,
    /// Another version of the template.
    pub version: Option<String>,
    /// Why, for the log.
    pub reason: Option<String>,
}

impl Client {
    /// A page of the log, oldest first: of one task, or of all. `after` is 0, or the `next_after` of the page before.
    pub fn list_events(&self, task: Option<&str>, after: u64, limit: Option<u32>) -> Answer<EventPage> {
        let (after, limit) = (after.to_string(), limit.map(|limit| limit.to_string()));
        let query = query(&[("after", Some(&after)), ("limit", limit.as_deref())]);
        let place = task.map_or_else(|| "/v1/events".to_string(), |task| place(task, "events"));
        let answer = self.get(&(place + &query))?;
        Ok(EventPage {
            events: list(&answer, "events")?.clone(),
            next_after: number(&answer, "next_after")?,
        })
    }

    /// A page of what the handlers of a task have written.
    pub fn list_log_lines(&self, task: &str, filter: &LogFilter) -> Answer<LogPage> {
        let limit = filter.limit.map(|limit| limit.to_string());
        let query = query(&[
            ("step", filter.step.as_deref()),
            ("limit", limit.as_deref()),
            ("cursor", filter.cursor.as_deref()),
        ]);
        let answer = self.get(&(place(task, "logs") + &query))?;
        let lines = list(&answer, "lines")?.iter().cloned();
        Ok(LogPage {
            lines: lines.map(LogLine::read).collect::<Answer<_>>()?,
            next: optional_text(&answer, "next"),
        })
    }

    /// All that the handlers of a task have written, page after page; the filter's own limit is that of a page.
    pub fn all_log_lines(&self, task: &str, filter: &LogFilter) -> Answer<Vec<LogLine>> {
        let mut filter = filter.clone();
        let mut found = Vec::new();
        loop {
            let page = self.list_log_lines(task, &filter)?;
            found.extend(page.lines);
            filter.cursor = page.next;
            if filter.cursor.is_none() {
                return Ok(found);
            }
        }
    }

    /// Why a task, or one of its steps, waits or has failed, and what can be done.
    pub fn explain_task(&self, task: &str, step: Option<&str>) -> Answer<Explanation> {
        Explanation::read(self.get(&(place(task, "explain") + &query(&[("step", step)])))?)
    }

    /// A drawing of a task's steps with their states.
    pub fn draw_task(&self, task: &str, format: DrawingFormat) -> Answer<String> {
        self.ask_for_text(&(place(task, "graph") + &query(&[("format", Some(format.name()))])))
    }

    /// Compares two tasks.
    pub fn diff_tasks(&self, task: &str, other: &str) -> Answer<Difference> {
        let json = self.get(&format!("{}/{}", place(task, "diff"), escaped(other)))?;
        Ok(Difference {
            is_alike: flag(&json, "alike")?,
            json,
        })
    }

    /// The whole of a task as a bundle, without the values at these JSON pointers.
    pub fn export_task(&self, task: &str, redact: &[&str]) -> Answer<String> {
        let pointers: Vec<_> = redact.iter().map(|pointer| ("redact", Some(*pointer))).collect();
        self.ask_for_text(&(place(task, "export") + &query(&pointers)))
    }

    /// Which steps of a task are done, which run next, and which then.
    pub fn plan_task(&self, task: &str) -> Answer<Plan> {
        Plan::read(self.get(&place(task, "plan"))?)
    }

    /// A new task that takes over the results before a step, and runs that step and all behind it.
    pub fn fork_task(&self, task: &str, from: &str, options: &ForkOptions) -> Answer<Task> {
        Task::read(self.post(&place(task, "fork"), fork(from, options))?)
    }

    /// What [`Client::fork_task`] would come to. Nothing is changed.
    pub fn plan_fork(&self, task: &str, from: &str, options: &ForkOptions) -> Answer<Plan> {
        let path = place(task, "fork") + "?dry_run=true";
        Plan::read(self.post(&path, fork(from, options))?)
    }
}

fn fork(from: &str, options: &ForkOptions) -> Value {
    let mut body = json!({ "from": from });
    put(&mut body, "input", options.input.clone());
    put(&mut body, "results", options.results.clone());
    put(&mut body, "version", options.version.as_deref());
    put(&mut body, "reason", options.reason.as_deref());
    body
}

fn place(task: &str, what: &str) -> String {
    format!("/v1/tasks/{}/{what}", escaped(task))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::table::{exchange, server};

    const LINE: &str = r#"{"time":"2026-11-24T21:44:25.791Z","step":"add","attempt":2,"lease":7,"level":"info","text":"hello"}"#;
    const PLAN: &str = r#"{"dry_run":true,"reused":["a"],"replaced":[],"next":["b"],"later":["c"],"held":[],"warnings":["look"]}"#;

    #[test]
    fn the_past() {
        let answer = r#"{"events":[{"seq":3}],"next_after":3}"#;
        let (page, asked) = exchange(answer, |it| it.list_events(Some("t"), 2, Some(1)));
        assert_eq!((page.events, page.next_after), (vec![json!({ "seq": 3 })], 3));
        assert_eq!(asked[0], "GET /v1/tasks/t/events?after=2&limit=1");
        assert_eq!(
            exchange(answer, |it| it.list_events(None, 0, None)).1[0],
            "GET /v1/events?after=0"
        );

        let answer = r#"{"task_id":"t","state":"pending","sentences":[{"text":"it waits","events":[7]}],
            "actions":[{"command":"stepwell cancel","purpose":"end it"}]}"#;
        let (story, asked) = exchange(answer, |it| it.explain_task("t", Some("a b")));
        assert_eq!(
            (&story.sentences[0][..], &story.actions[0][..]),
            ("it waits", "stepwell cancel")
        );
        assert_eq!(asked[0], "GET /v1/tasks/t/explain?step=a%20b");

        let (drawing, asked) = exchange("graph TD\n", |it| it.draw_task("t", DrawingFormat::Mermaid));
        assert_eq!(
            (&drawing[..], &asked[0][..]),
            ("graph TD\n", "GET /v1/tasks/t/graph?format=mermaid")
        );
        let (diff, asked) = exchange(r#"{"alike":true}"#, |it| it.diff_tasks("t", "u/v"));
        assert_eq!(
            (diff.is_alike, &asked[0][..]),
            (true, "GET /v1/tasks/t/diff/u%2Fv")
        );
        let (bundle, asked) = exchange("{}\n{}\n", |it| it.export_task("t", &["/a", "/b"]));
        assert_eq!(
            (&bundle[..], &asked[0][..]),
            ("{}\n{}\n", "GET /v1/tasks/t/export?redact=%2Fa&redact=%2Fb")
        );
    }

    #[test]
    fn log_lines_page_after_page() {
        let pages = vec![
            (200, format!(r#"{{"lines":[{LINE},{LINE}],"next":"7-2"}}"#)),
            (200, format!(r#"{{"lines":[{LINE}],"next":null}}"#)),
        ];
        let (client, serving) = server(pages);
        let filter = LogFilter {
            step: Some("add".into()),
            ..LogFilter::default()
        };
        let lines = client.all_log_lines("t", &filter).unwrap();
        assert_eq!(
            (lines.len(), lines[2].attempt, &lines[2].text[..]),
            (3, 2, "hello")
        );
        let asked = serving.join().unwrap();
        assert_eq!(asked[0][0], "GET /v1/tasks/t/logs?step=add");
        assert_eq!(asked[1][0], "GET /v1/tasks/t/logs?step=add&cursor=7-2");
    }

    #[test]
    fn plans_and_forks() {
        let (plan, asked) = exchange(PLAN, |it| it.plan_task("t"));
        assert_eq!(asked[0], "GET /v1/tasks/t/plan");
        assert_eq!(
            (&plan.reused[..], &plan.next[..], &plan.later[..]),
            (
                &["a".to_string()][..],
                &["b".to_string()][..],
                &["c".to_string()][..]
            )
        );
        assert_eq!(
            (plan.replaced.len() + plan.held.len(), &plan.warnings[0][..]),
            (0, "look")
        );
        let changes = ForkOptions {
            input: Some(json!({ "a": 1 })),
            results: Some(json!({ "a": null })),
            version: Some("2".into()),
            reason: Some("mended".into()),
        };
        let body = r#"{"from":"b","input":{"a":1},"results":{"a":null},"version":"2","reason":"mended"}"#;
        let (_, asked) = exchange(PLAN, |it| it.plan_fork("t", "b", &changes));
        assert_eq!(asked, ["POST /v1/tasks/t/fork?dry_run=true", body]);
        let (task, asked) = exchange(r#"{"task_id":"u","state":"pending"}"#, |it| {
            it.fork_task("t", "b", &changes)
        });
        assert_eq!(
            (&task.task_id[..], &asked[0][..], &asked[1][..]),
            ("u", "POST /v1/tasks/t/fork", body)
        );
    }
}
