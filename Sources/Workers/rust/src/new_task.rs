//! What is asked for: [`NewTask`], [`TaskFilter`].

use serde_json::{json, Map, Value};

/// A task to be submitted: its name, and what else is wanted.
#[derive(Clone, Debug, PartialEq)]
pub struct NewTask(pub(crate) Map<String, Value>);

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

    /// With a key that has a task already: another one, which the key then names.
    pub fn replace(self) -> NewTask {
        self.with("replace", true)
    }

    /// Who submits it, for the log; else the client's.
    pub fn initiator(self, initiator: impl Into<String>) -> NewTask {
        self.with("initiator", initiator.into())
    }

    /// Which system submits it, for the log; else the client's.
    pub fn source_system(self, system: impl Into<String>) -> NewTask {
        self.with("source_system", system.into())
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
    /// Those that this idempotency key names.
    pub idempotency_key: Option<String>,
    /// At most so many.
    pub limit: Option<u32>,
    /// Where the page before has ended: its `next`.
    pub cursor: Option<String>,
}
