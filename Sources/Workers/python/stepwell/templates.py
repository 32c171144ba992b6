"""Templates: made known to a server, looked at, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Dict, List, Mapping, Optional

from .answers import Template
from .asking import Asker, path_of, query_of, read


@dataclass(frozen=True)
class Finding:
    """What is wrong with a template, and where."""

    severity: str  # `error` or `warning`
    code: str
    message: str
    cure: Optional[str]
    line: int
    column: int

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Finding:
        """From the server's JSON."""
        return cls(raw["severity"], raw["code"], raw["message"], raw.get("cure"), raw["line"], raw["column"])


@dataclass(frozen=True)
class Validation:
    """Whether a template is valid, and all that was found. Valid ones may have warnings."""

    valid: bool
    findings: List[Finding]


class TemplateCalls(Asker):
    """What a client says about templates."""

    def put_template(self, text: str, environment: Optional[str] = None) -> Template:
        """Make a template known, from its YAML. A known version must have the same text.

        `environment` names the overrides under `environments` that are applied.
        """
        return Template.read(self._yaml("PUT", "/v1/templates", text, environment))

    def list_templates(self) -> List[Template]:
        """All templates that the server knows."""
        return [Template.read(template) for template in self._json("GET", "/v1/templates")["templates"]]

    def get_template(self, namespace: str, name: str, version: Optional[str] = None) -> Dict[str, Any]:
        """What a template says; of the newest version without one."""
        template: Dict[str, Any] = self._json("GET", path_of("templates", namespace, name) + query_of({"version": version}))
        return template

    def draw_template(self, namespace: str, name: str, version: Optional[str] = None, format: str = "text") -> str:
        """A drawing of a template's steps: as `text`, `mermaid`, `dot` or `json`."""
        wanted = {"version": version, "format": format}
        return self._text(path_of("templates", namespace, name, "graph") + query_of(wanted))

    def validate_template(self, text: str, environment: Optional[str] = None) -> Validation:
        """What is wrong with a template's YAML; the server does not keep it."""
        answer = self._yaml("POST", "/v1/templates/validate", text, environment)
        return Validation(answer["valid"], [Finding.read(finding) for finding in answer["findings"]])

    def _yaml(self, method: str, path: str, text: str, environment: Optional[str]) -> Any:
        path += query_of({"environment": environment})
        return read(self._request(method, path, text.encode("utf-8"), True, content_type="application/yaml"))
