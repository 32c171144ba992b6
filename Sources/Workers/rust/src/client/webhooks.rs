//! Webhooks: addresses that a server sends its events to.

use serde_json::{json, Value};

use super::asking::{escaped, put, Answer, LIMIT};
use super::Client;
use crate::answers::{list, number, optional_text, text, texts};

/// A webhook to create; of all events, or of those that are named.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewWebhook {
    /// Where the events go.
    pub url: String,
    /// Such as `task.completed`.
    pub types: Vec<String>,
    /// Only events of tasks in these.
    pub namespaces: Vec<String>,
    /// Only events of these tasks, by their ids.
    pub tasks: Vec<String>,
    /// The name of the server's secret that signs the events, such as `secret:hook-key`.
    pub secret: Option<String>,
    /// Events after this number; without it those from now on.
    pub after: Option<u64>,
    /// An address that fails for so many seconds is given up.
    pub disable_after: Option<u64>,
}

impl NewWebhook {
    /// All events from now on.
    pub fn new(url: impl Into<String>) -> NewWebhook {
        NewWebhook {
            url: url.into(),
            ..NewWebhook::default()
        }
    }
}

/// An address that gets events, and how it fares; `json` holds all that the server says.
#[derive(Clone, Debug, PartialEq)]
pub struct Webhook {
    /// What it is named by.
    pub id: String,
    /// Where the events go.
    pub url: String,
    /// The types of its events; none: all.
    pub types: Vec<String>,
    /// The namespaces of its events; none: all.
    pub namespaces: Vec<String>,
    /// The tasks of its events; none: all.
    pub tasks: Vec<String>,
    /// `active`, `failing` or `disabled`.
    pub state: String,
    /// The number of the last event that it has.
    pub after: u64,
    /// How many events it is behind.
    pub lag: u64,
    /// Why it failed last.
    pub last_error: Option<String>,
    /// The whole document.
    pub json: Value,
}

impl Webhook {
    fn read(json: Value) -> Answer<Webhook> {
        Ok(Webhook {
            id: text(&json, "id")?,
            url: text(&json, "url")?,
            types: texts(&json, "types"),
            namespaces: texts(&json, "namespaces"),
            tasks: texts(&json, "tasks"),
            state: text(&json, "state")?,
            after: number(&json, "after")?,
            lag: number(&json, "lag")?,
            last_error: optional_text(&json, "last_error"),
            json,
        })
    }
}

impl Client {
    /// Has events sent to an address, each at least once and in order.
    pub fn create_webhook(&self, webhook: &NewWebhook) -> Answer<Webhook> {
        let mut body = json!({ "url": webhook.url });
        for (name, names) in [
            ("types", &webhook.types),
            ("namespaces", &webhook.namespaces),
            ("tasks", &webhook.tasks),
        ] {
            if !names.is_empty() {
                body[name] = json!(names);
            }
        }
        put(&mut body, "secret", webhook.secret.as_deref());
        put(&mut body, "after", webhook.after);
        put(&mut body, "disable_after_s", webhook.disable_after);
        Webhook::read(self.post("/v1/webhooks", body)?)
    }

    /// All webhooks, and how they fare.
    pub fn list_webhooks(&self) -> Answer<Vec<Webhook>> {
        let answer = self.get("/v1/webhooks")?;
        list(&answer, "webhooks")?
            .iter()
            .cloned()
            .map(Webhook::read)
            .collect()
    }

    /// A webhook by its id: how far it is behind, and its last error.
    pub fn get_webhook(&self, webhook: &str) -> Answer<Webhook> {
        Webhook::read(self.get(&place(webhook))?)
    }

    /// Has a webhook that was given up, or that waits, try again at once; from another event, if one is given.
    pub fn enable_webhook(&self, webhook: &str, after: Option<u64>) -> Answer<Webhook> {
        let mut body = json!({});
        put(&mut body, "after", after);
        Webhook::read(self.post(&format!("{}/enable", place(webhook)), body)?)
    }

    /// Sends a webhook nothing more. The webhook as it was.
    pub fn remove_webhook(&self, webhook: &str) -> Answer<Webhook> {
        Webhook::read(self.request("DELETE", &place(webhook), None, LIMIT)?)
    }
}

fn place(webhook: &str) -> String {
    format!("/v1/webhooks/{}", escaped(webhook))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::table::exchange;

    const WEBHOOK: &str = r#"{"id":"ced9","url":"u","types":["task.completed"],"namespaces":[],"tasks":[],
        "state":"failing","after":7,"lag":3,"last_error":"no","sent":2}"#;

    #[test]
    fn webhooks_come_and_go() {
        let wish = NewWebhook {
            types: vec!["task.completed".into()],
            namespaces: vec!["n".into()],
            tasks: vec!["t".into()],
            secret: Some("secret:k".into()),
            after: Some(0),
            disable_after: Some(60),
            ..NewWebhook::new("u")
        };
        let (webhook, asked) = exchange(WEBHOOK, |it| it.create_webhook(&wish));
        assert_eq!(asked[0], "POST /v1/webhooks");
        assert_eq!(
            asked[1],
            r#"{"url":"u","types":["task.completed"],"namespaces":["n"],"tasks":["t"],"secret":"secret:k","after":0,"disable_after_s":60}"#
        );
        assert_eq!((webhook.id.as_str(), webhook.state.as_str()), ("ced9", "failing"));
        assert_eq!(
            (webhook.after, webhook.lag, webhook.last_error.as_deref()),
            (7, 3, Some("no"))
        );
        assert_eq!(
            (&webhook.types[..], webhook.tasks.len()),
            (&["task.completed".to_string()][..], 0)
        );

        let (_, asked) = exchange(WEBHOOK, |it| it.create_webhook(&NewWebhook::new("u")));
        assert_eq!(asked[1], r#"{"url":"u"}"#);
        let (all, asked) = exchange(&format!(r#"{{"webhooks":[{WEBHOOK}]}}"#), |it| it.list_webhooks());
        assert_eq!(
            (all, asked[0].as_str()),
            (vec![webhook.clone()], "GET /v1/webhooks")
        );
        let (_, asked) = exchange(WEBHOOK, |it| it.get_webhook("a/b"));
        assert_eq!(asked[0], "GET /v1/webhooks/a%2Fb");
        let (_, asked) = exchange(WEBHOOK, |it| it.enable_webhook("w", None));
        assert_eq!(asked, ["POST /v1/webhooks/w/enable", "{}"]);
        let (_, asked) = exchange(WEBHOOK, |it| it.enable_webhook("w", Some(0)));
        assert_eq!(asked[1], r#"{"after":0}"#);
        let (was, asked) = exchange(WEBHOOK, |it| it.remove_webhook("w"));
        assert_eq!((was, asked[0].as_str()), (webhook, "DELETE /v1/webhooks/w"));
    }
}
