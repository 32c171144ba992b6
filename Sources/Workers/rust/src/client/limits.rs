//! Limits: how many attempts of a namespace or a handler run at once, and how fast they start.

use serde_json::{json, Value};

use super::asking::{escaped, put, query, Answer, LIMIT};
use super::Client;
use crate::answers::{list, optional_text, text};

/// What a limit is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LimitScope {
    /// All steps of a namespace's templates.
    Namespace,
    /// All steps with a handler.
    Handler,
}

impl LimitScope {
    /// As it is written: `namespace` or `handler`.
    pub fn name(self) -> &'static str {
        match self {
            LimitScope::Namespace => "namespace",
            LimitScope::Handler => "handler",
        }
    }
}

/// A limit as a whole: what is `None` has no bound.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLimit {
    /// How many attempts run at once; 0 lets nothing start.
    pub concurrency_max: Option<u32>,
    /// How many attempts start in a time: `10/s`, `100/min`, `3/h`.
    pub rate: Option<String>,
    /// How many start at once after a quiet time; without it as many as the rate says.
    pub burst: Option<u32>,
    /// Why, for the log.
    pub reason: Option<String>,
}

/// A limit, and how far it is used; `json` holds all that the server says.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// `namespace` or `handler`.
    pub scope: String,
    /// Of the namespace or the handler.
    pub name: String,
    /// How many attempts run at once at most.
    pub concurrency_max: Option<u64>,
    /// How many start in a time at most.
    pub rate: Option<String>,
    /// How many start at once after a quiet time.
    pub burst: Option<u64>,
    /// How many run.
    pub running: Option<u64>,
    /// How many steps wait because of it.
    pub waiting: Option<u64>,
    /// The whole document.
    pub json: Value,
}

impl Limit {
    fn read(json: Value) -> Answer<Limit> {
        Ok(Limit {
            scope: text(&json, "scope")?,
            name: text(&json, "name")?,
            concurrency_max: json["concurrency_max"].as_u64(),
            rate: optional_text(&json, "rate"),
            burst: json["burst"].as_u64(),
            running: json["running"].as_u64(),
            waiting: json["waiting"].as_u64(),
            json,
        })
    }
}

impl Client {
    /// All limits, and how far each is used.
    pub fn list_limits(&self) -> Answer<Vec<Limit>> {
        let answer = self.get("/v1/limits")?;
        list(&answer, "limits")?
            .iter()
            .cloned()
            .map(Limit::read)
            .collect()
    }

    /// The limit of a namespace or a handler.
    pub fn get_limit(&self, scope: LimitScope, name: &str) -> Answer<Limit> {
        Limit::read(self.get(&place(scope, name))?)
    }

    /// Sets a limit. What runs goes on, and counts.
    pub fn set_limit(&self, scope: LimitScope, name: &str, limit: &NewLimit) -> Answer<Limit> {
        let mut body = json!({});
        put(&mut body, "concurrency_max", limit.concurrency_max);
        put(&mut body, "rate", limit.rate.as_deref());
        put(&mut body, "burst", limit.burst);
        put(&mut body, "reason", limit.reason.as_deref());
        let body = body.to_string();
        let body = Some((body.as_bytes(), "application/json"));
        Limit::read(self.request("PUT", &place(scope, name), body, LIMIT)?)
    }

    /// Removes a limit: what has waited for it goes on.
    pub fn remove_limit(&self, scope: LimitScope, name: &str, reason: Option<&str>) -> Answer<()> {
        self.tell("DELETE", &(place(scope, name) + &query(&[("reason", reason)])))
    }
}

fn place(scope: LimitScope, name: &str) -> String {
    format!("/v1/limits/{}/{}", scope.name(), escaped(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::table::exchange;

    const LIMIT: &str = r#"{"scope":"handler","name":"a/ü","concurrency_max":4,"rate":"100/min","burst":null,
        "running":1,"waiting":2,"set_by":"ann"}"#;

    #[test]
    fn limits_are_set_and_looked_at() {
        let wish = NewLimit {
            concurrency_max: Some(4),
            rate: Some("100/min".into()),
            burst: Some(20),
            reason: Some("why".into()),
        };
        let (limit, asked) = exchange(LIMIT, |it| it.set_limit(LimitScope::Handler, "a/ü", &wish));
        assert_eq!(
            asked,
            [
                "PUT /v1/limits/handler/a%2F%C3%BC",
                r#"{"concurrency_max":4,"rate":"100/min","burst":20,"reason":"why"}"#
            ]
        );
        assert_eq!((limit.scope.as_str(), limit.name.as_str()), ("handler", "a/ü"));
        assert_eq!(
            (limit.concurrency_max, limit.rate.as_deref(), limit.burst),
            (Some(4), Some("100/min"), None)
        );
        assert_eq!(
            (limit.running, limit.waiting, &limit.json["set_by"]),
            (Some(1), Some(2), &json!("ann"))
        );

        let nothing = NewLimit {
            concurrency_max: Some(0),
            ..NewLimit::default()
        };
        let (_, asked) = exchange(LIMIT, |it| it.set_limit(LimitScope::Namespace, "n", &nothing));
        assert_eq!(asked, ["PUT /v1/limits/namespace/n", r#"{"concurrency_max":0}"#]);
        let (same, asked) = exchange(LIMIT, |it| it.get_limit(LimitScope::Handler, "x"));
        assert_eq!(
            (same, asked[0].as_str()),
            (limit.clone(), "GET /v1/limits/handler/x")
        );
        let (all, asked) = exchange(&format!(r#"{{"limits":[{LIMIT}]}}"#), |it| it.list_limits());
        assert_eq!((all, asked[0].as_str()), (vec![limit], "GET /v1/limits"));
    }

    #[test]
    fn a_limit_is_removed() {
        let remove = |client: &Client| client.remove_limit(LimitScope::Handler, "x", Some("not now"));
        let (_, asked) = exchange("", remove);
        assert_eq!(asked, ["DELETE /v1/limits/handler/x?reason=not%20now", ""]);
    }
}
