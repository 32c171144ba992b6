//! Messages of the protocol, as JSON text whose members are looked at one by one.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::value::RawValue;
use serde_json::Value;

/// One message of the engine. Members stay text until somebody wants them.
pub(crate) struct Message<'a> {
    members: BTreeMap<String, &'a RawValue>,
}

impl<'a> Message<'a> {
    /// Reads the outermost object.
    pub fn read(text: &'a str) -> Result<Message<'a>, String> {
        match serde_json::from_str(text) {
            Ok(members) => Ok(Message { members }),
            Err(error) => Err(format!("{error} in {}", cut(text, 200))),
        }
    }

    /// The JSON text of a member; None when it is absent or null.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.members
            .get(name)
            .map(|raw| raw.get())
            .filter(|text| *text != "null")
    }

    /// A member as it is.
    pub fn raw(&self, name: &str) -> Option<&'a RawValue> {
        self.members.get(name).copied()
    }

    /// A member that must be text.
    pub fn text(&self, name: &str) -> Result<String, String> {
        self.required(name, serde_json::from_str)
    }

    /// A member that must be a whole number from 0 up.
    pub fn integer(&self, name: &str) -> Result<u64, String> {
        self.required(name, serde_json::from_str)
    }

    /// A member of any kind, read as the caller likes.
    pub fn required<T>(
        &self,
        name: &str,
        read: impl FnOnce(&'a str) -> serde_json::Result<T>,
    ) -> Result<T, String> {
        let text = self.get(name).ok_or_else(|| format!("'{name}' is missing"))?;
        read(text).map_err(|error| format!("'{name}': {error}"))
    }
}

/// The beginning of a message about an attempt, to be continued and closed.
pub(crate) fn opened(kind: &str, lease: u64) -> String {
    let mut line = String::with_capacity(96);
    // Writing to a string cannot fail.
    let _ = write!(line, "{{\"type\":\"{kind}\",\"lease\":{lease}");
    line
}

/// Text as a JSON string.
pub(crate) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// How deep a value of a handler may be nested; what is deeper the engine could not read in a message.
pub(crate) const LEVELS_MAX: usize = 500;

/// Whether a value is nested deeper than that.
pub(crate) fn is_too_deep(value: &Value) -> bool {
    holds_too_deep(std::iter::once(value))
}

/// Whether an object of these values is.
pub(crate) fn holds_too_deep<'a>(values: impl Iterator<Item = &'a Value>) -> bool {
    let mut level: Vec<&Value> = values.filter(|value| value.is_array() || value.is_object()).collect();
    for _ in 0..LEVELS_MAX {
        let mut inner = Vec::new();
        for value in &level {
            let list = value.as_array().into_iter().flatten();
            let members = value.as_object().into_iter().flat_map(|object| object.values());
            inner.extend(list.chain(members).filter(|value| value.is_array() || value.is_object()));
        }
        level = inner;
        if level.is_empty() {
            return false;
        }
    }
    true
}

/// The beginning of a text, at most so many bytes of it.
pub(crate) fn cut(text: &str, bytes_max: usize) -> &str {
    let mut end = bytes_max.min(text.len());
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    &text[..end]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_read_when_wanted() {
        let message = Message::read(r#"{"type":"x","lease":7,"none":null,"data":{"a":[1e400]}}"#).unwrap();
        assert_eq!(message.text("type").unwrap(), "x");
        assert_eq!(message.integer("lease").unwrap(), 7);
        assert_eq!(message.get("none"), None);
        assert_eq!(message.get("data"), Some(r#"{"a":[1e400]}"#));
        assert_eq!(message.integer("type").is_err(), true);
        assert_eq!(message.text("absent").unwrap_err(), "'absent' is missing");
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for text in ["", "[]", "7", "{", "{\"a\":1} x", "nonsense"] {
            assert!(Message::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn depth_is_no_matter_while_nobody_looks() {
        let text = format!(
            "{{\"type\":\"x\",\"input\":{}{}}}",
            "[".repeat(10_000),
            "]".repeat(10_000)
        );
        assert_eq!(Message::read(&text).unwrap().text("type").unwrap(), "x");
    }

    #[test]
    fn text_is_cut_between_characters() {
        assert_eq!(cut("aé", 2), "a");
        assert_eq!(cut("aé", 3), "aé");
        assert_eq!(cut("", 9), "");
    }
}
