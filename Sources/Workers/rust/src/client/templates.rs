//! Templates: made known to a server, looked at, checked; and how steps are drawn.

use serde_json::Value;

use super::asking::{escaped, query, Answer, LIMIT};
use super::Client;
use crate::answers::{flag, list, number, optional_text, text, Template};

/// How steps are drawn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DrawingFormat {
    /// A tree for a terminal.
    #[default]
    Text,
    /// For Mermaid.
    Mermaid,
    /// For Graphviz.
    Dot,
    /// For programs.
    Json,
}

impl DrawingFormat {
    /// As it is written: `text`, `mermaid`, `dot` or `json`.
    pub fn name(self) -> &'static str {
        match self {
            DrawingFormat::Text => "text",
            DrawingFormat::Mermaid => "mermaid",
            DrawingFormat::Dot => "dot",
            DrawingFormat::Json => "json",
        }
    }
}

/// What is wrong with a template, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// `error` or `warning`.
    pub severity: String,
    /// The stable code, such as `missing_key`.
    pub code: String,
    /// What is wrong.
    pub message: String,
    /// What can be done.
    pub cure: Option<String>,
    /// From 1.
    pub line: u64,
    /// From 1.
    pub column: u64,
}

/// Whether a template is valid, and all that was found; a valid one may have warnings.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Validation {
    /// Whether it could be used.
    pub is_valid: bool,
    /// In the order of the text.
    pub findings: Vec<Finding>,
}

impl Validation {
    fn read(json: &Value) -> Answer<Validation> {
        let finding = |json: &Value| {
            Ok(Finding {
                severity: text(json, "severity")?,
                code: text(json, "code")?,
                message: text(json, "message")?,
                cure: optional_text(json, "cure"),
                line: number(json, "line")?,
                column: number(json, "column")?,
            })
        };
        Ok(Validation {
            is_valid: flag(json, "valid")?,
            findings: list(json, "findings")?
                .iter()
                .map(finding)
                .collect::<Answer<_>>()?,
        })
    }
}

impl Client {
    /// Makes a template known, from its YAML. A known version must have the same text.
    pub fn put_template(&self, yaml: &str) -> Answer<Template> {
        Template::read(&self.yaml("PUT", "/v1/templates", yaml, None)?)
    }

    /// The same with the overrides of that name under `environments`.
    pub fn put_template_for(&self, environment: &str, yaml: &str) -> Answer<Template> {
        Template::read(&self.yaml("PUT", "/v1/templates", yaml, Some(environment))?)
    }

    /// All templates that the server knows.
    pub fn list_templates(&self) -> Answer<Vec<Template>> {
        let answer = self.get("/v1/templates")?;
        list(&answer, "templates")?.iter().map(Template::read).collect()
    }

    /// What a template says; the newest version without one.
    pub fn get_template(&self, namespace: &str, name: &str, version: Option<&str>) -> Answer<Value> {
        self.get(&(place(namespace, name) + &query(&[("version", version)])))
    }

    /// A drawing of a template's steps.
    pub fn draw_template(
        &self,
        namespace: &str,
        name: &str,
        version: Option<&str>,
        format: DrawingFormat,
    ) -> Answer<String> {
        let query = query(&[("version", version), ("format", Some(format.name()))]);
        self.ask_for_text(&format!("{}/graph{query}", place(namespace, name)))
    }

    /// What is wrong with a template's YAML, with the overrides of an environment if one is named. The server does not
    /// keep it.
    pub fn validate_template(&self, yaml: &str, environment: Option<&str>) -> Answer<Validation> {
        Validation::read(&self.yaml("POST", "/v1/templates/validate", yaml, environment)?)
    }

    fn yaml(&self, method: &str, path: &str, yaml: &str, environment: Option<&str>) -> Answer<Value> {
        let path = format!("{path}{}", query(&[("environment", environment)]));
        self.request(method, &path, Some((yaml.as_bytes(), "application/yaml")), LIMIT)
    }
}

fn place(namespace: &str, name: &str) -> String {
    format!("/v1/templates/{}/{}", escaped(namespace), escaped(name))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::table::exchange;

    #[test]
    fn templates_are_kept_shown_and_drawn() {
        let name = r#"{"namespace":"n","name":"a","version":"1","digest":"d"}"#;
        let (_, asked) = exchange(name, |it| it.put_template_for("fast", "name: a"));
        assert_eq!(asked, ["PUT /v1/templates?environment=fast", "name: a"]);
        let (_, asked) = exchange("{}", |it| it.get_template("n", "a/b", None));
        assert_eq!(asked[0], "GET /v1/templates/n/a%2Fb");
        let (_, asked) = exchange("{}", |it| it.get_template("n", "a", Some("1")));
        assert_eq!(asked[0], "GET /v1/templates/n/a?version=1");
        let draw = |client: &Client| client.draw_template("n", "a", None, DrawingFormat::default());
        let (drawing, asked) = exchange("a\n└─ b\n", draw);
        assert_eq!(
            (drawing.as_str(), asked[0].as_str()),
            ("a\n└─ b\n", "GET /v1/templates/n/a/graph?format=text")
        );
    }

    #[test]
    fn findings_have_their_place() {
        let answer = r#"{"valid":false,"findings":[
            {"severity":"error","code":"missing_key","message":"no","cure":null,"line":1,"column":2}]}"#;
        let (found, asked) = exchange(answer, |it| it.validate_template("name: ü", None));
        assert_eq!(asked, ["POST /v1/templates/validate", "name: ü"]);
        let finding = &found.findings[0];
        assert_eq!(
            (found.is_valid, finding.code.as_str(), finding.cure.as_ref()),
            (false, "missing_key", None)
        );
        assert_eq!((finding.line, finding.column), (1, 2));
    }
}
