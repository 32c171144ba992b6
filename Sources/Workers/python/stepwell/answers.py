"""What a server says about tasks and steps, as typed values. `raw` is the whole answer as it came."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Dict, List, Mapping, Optional

#: States of a task on which it does not move any more by itself.
SETTLED = frozenset({"complete", "error", "cancelled", "resolved_manually", "blocked_by_failures", "paused"})


@dataclass(frozen=True)
class StepError:
    """Why the last attempt of a step failed."""

    message: str
    error_type: str
    retryable: bool
    error_code: Optional[str] = None
    metadata: Dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> StepError:
        """From the server's JSON."""
        return cls(
            str(raw.get("message", "")), str(raw.get("error_type", "handler_error")), bool(raw.get("retryable", True)),
            raw.get("error_code"), dict(raw.get("metadata") or {}),
        )


@dataclass(frozen=True)
class Step:
    """One step of a task."""

    name: str
    state: str
    attempts: int
    max_attempts: int
    result: Any
    error: Optional[StepError]
    started_at: Optional[datetime]
    completed_at: Optional[datetime]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any], name: str = "") -> Step:
        """From the server's JSON, which says the name beside or within."""
        return cls(
            str(raw.get("name", name)), raw["state"], raw["attempts"], raw["max_attempts"], raw.get("result"),
            StepError.read(raw["error"]) if raw.get("error") else None,
            time_of(raw.get("started_at")), time_of(raw.get("completed_at")), raw,
        )


class _TaskerNames:
    """Tasker's names for what a task and its summary have."""

    task_id: str
    state: str

    @property
    def task_uuid(self) -> str:
        """The id, under Tasker's name."""
        return self.task_id

    @property
    def status(self) -> str:
        """The state, under Tasker's name."""
        return self.state


@dataclass(frozen=True)
class Task(_TaskerNames):
    """One task with its steps, in the template's order."""

    task_id: str
    namespace: str
    name: str
    version: str
    state: str
    input: Dict[str, Any]
    idempotency_key: Optional[str]
    priority: int
    submitted_at: datetime
    completed_at: Optional[datetime]
    steps: Dict[str, Step]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Task:
        """From the server's JSON."""
        steps = {name: Step.read(step, name) for name, step in raw["steps"].items()}
        return cls(
            raw["task_id"], raw["namespace"], raw["name"], raw["version"], raw["state"], raw["input"],
            raw.get("key"), raw.get("priority", 0), datetime.fromisoformat(_zone(raw["submitted_at"])),
            time_of(raw.get("completed_at")), steps, raw,
        )

    @property
    def is_settled(self) -> bool:
        """Whether nothing more happens to the task by itself; it may be blocked by failures, or paused."""
        return self.state in SETTLED

    @property
    def is_complete(self) -> bool:
        """Whether all is done and no step is left out by hand."""
        return self.state == "complete"

    def result(self, step: str) -> Any:
        """The result of a step; None while there is none. Raises `KeyError` when there is no such step."""
        return self.steps[step].result


@dataclass(frozen=True)
class TaskSummary(_TaskerNames):
    """One line of a list of tasks."""

    task_id: str
    namespace: str
    name: str
    version: str
    state: str
    idempotency_key: Optional[str]
    steps: int
    steps_done: int
    steps_failed: int
    submitted_at: Optional[datetime]
    changed_at: Optional[datetime]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> TaskSummary:
        """From the server's JSON."""
        return cls(
            raw["task_id"], raw["namespace"], raw["name"], raw["version"], raw["state"], raw.get("key"),
            raw.get("steps", 0), raw.get("steps_done", 0), raw.get("steps_failed", 0),
            time_of(raw.get("submitted_at")), time_of(raw.get("changed_at")), raw,
        )



@dataclass(frozen=True)
class TaskPage:
    """A page of a list, newest first; `next` is the cursor of the page after it, None at the end."""

    tasks: List[TaskSummary]
    next: Optional[str]


@dataclass(frozen=True)
class CreatedTask:
    """A task of a batch; `created` is False when its idempotency key had a task already."""

    task_id: str
    created: bool


@dataclass(frozen=True)
class Template:
    """A template that the server knows."""

    namespace: str
    name: str
    version: str
    digest: str

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Template:
        """From the server's JSON."""
        return cls(raw["namespace"], raw["name"], raw["version"], raw["digest"])


def time_of(text: Optional[str]) -> Optional[datetime]:
    """A time of the server, if there is one."""
    return None if text is None else datetime.fromisoformat(_zone(text))


def _zone(text: str) -> str:
    """Python before 3.11 does not read `Z`."""
    return text[:-1] + "+00:00" if text.endswith("Z") else text
