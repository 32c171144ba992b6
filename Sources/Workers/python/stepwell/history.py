"""What has happened, and what would: events, log lines, explanations, comparisons, forks."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional

from .answers import Task, time_of
from .asking import Asker, path_of, present, query_of


@dataclass(frozen=True)
class LogLine:
    """A line that a handler has written."""

    time: Optional[datetime]
    step: str
    attempt: int
    level: str
    text: str
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> LogLine:
        """From the server's JSON."""
        return cls(time_of(raw.get("time")), raw["step"], raw["attempt"], raw["level"], raw["text"], raw)


@dataclass(frozen=True)
class LogPage:
    """A page of log lines; `next` is the cursor of the page after it, None at the end."""

    lines: List[LogLine]
    next: Optional[str]


@dataclass(frozen=True)
class EventPage:
    """A page of events, oldest first; what comes later is after `next_after`."""

    events: List[Dict[str, Any]]
    next_after: int


@dataclass(frozen=True)
class Explanation:
    """Why a task or a step waits or has failed: sentences, and the commands that may help."""

    task_id: str
    state: str
    sentences: List[str]
    actions: List[str]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Explanation:
        """From the server's JSON."""
        return cls(
            raw["task_id"], raw["state"], [sentence["text"] for sentence in raw.get("sentences", [])],
            [action["command"] for action in raw.get("actions", [])], raw,
        )


@dataclass(frozen=True)
class Plan:
    """The steps of a task by what becomes of them: done, run next, run later, or do not run."""

    reused: List[str]
    replaced: List[str]
    next: List[str]
    later: List[str]
    held: List[str]
    warnings: List[str]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Plan:
        """From the server's JSON."""
        return cls(
            raw["reused"], raw["replaced"], raw["next"], raw["later"], raw["held"], raw.get("warnings", []), raw
        )


@dataclass(frozen=True)
class Difference:
    """Whether two tasks are alike; `raw` says where they went apart, and all that differs."""

    alike: bool
    raw: Mapping[str, Any] = field(repr=False, compare=False)


class HistoryCalls(Asker):
    """What a client asks about the past, and about what would be."""

    def list_events(self, task: Optional[str] = None, after: int = 0, limit: Optional[int] = None) -> EventPage:
        """A page of the log, oldest first: of one task, or of all. `after` is the `next_after` of the page before."""
        where = "/v1/events" if task is None else path_of("tasks", task, "events")
        answer = self._json("GET", where + query_of({"after": after, "limit": limit}))
        return EventPage(answer["events"], answer["next_after"])

    def list_log_lines(
        self, task: str, step: Optional[str] = None, limit: Optional[int] = None, cursor: Optional[str] = None
    ) -> LogPage:
        """A page of what the handlers of a task have written. `cursor` is the `next` of the page before."""
        wanted = {"step": step, "limit": limit, "cursor": cursor}
        answer = self._json("GET", path_of("tasks", task, "logs") + query_of(wanted))
        return LogPage([LogLine.read(line) for line in answer["lines"]], answer.get("next"))

    def all_log_lines(self, task: str, step: Optional[str] = None) -> Iterator[LogLine]:
        """All that the handlers of a task have written, page after page."""
        cursor: Optional[str] = None
        while True:
            page = self.list_log_lines(task, step, cursor=cursor)
            yield from page.lines
            cursor = page.next
            if cursor is None:
                return

    def explain_task(self, task: str, step: Optional[str] = None) -> Explanation:
        """Why a task, or one of its steps, waits or has failed, and what can be done."""
        return Explanation.read(self._json("GET", path_of("tasks", task, "explain") + query_of({"step": step})))

    def draw_task(self, task: str, format: str = "text") -> str:
        """A drawing of a task's steps with their states: as `text`, `mermaid`, `dot` or `json`."""
        return self._text(path_of("tasks", task, "graph") + query_of({"format": format}))

    def diff_tasks(self, task: str, other: str) -> Difference:
        """Compare two tasks."""
        answer = self._json("GET", path_of("tasks", task, "diff", other))
        return Difference(answer["alike"], answer)

    def export_task(self, task: str, redact: Iterable[str] = ()) -> str:
        """The whole of a task as a bundle, without the values at these JSON pointers."""
        return self._text(path_of("tasks", task, "export") + query_of({"redact": list(redact)}))

    def plan_task(self, task: str) -> Plan:
        """Which steps of a task are done, which run next, and which then."""
        return Plan.read(self._json("GET", path_of("tasks", task, "plan")))

    def fork_task(
        self,
        task: str,
        from_step: str,
        *,
        input: Optional[Mapping[str, Any]] = None,
        results: Optional[Mapping[str, Any]] = None,
        version: Optional[str] = None,
        reason: Optional[str] = None,
    ) -> Task:
        """A new task that takes over the results before a step, and runs that step and all behind it.

        `input` are members of the input to change, `results` those to take over in place of the recorded
        ones, by step; `version` is another version of the template.
        """
        wish = _fork(from_step, input, results, version, reason)
        return Task.read(self._json("POST", path_of("tasks", task, "fork"), wish))

    def plan_fork(
        self,
        task: str,
        from_step: str,
        *,
        input: Optional[Mapping[str, Any]] = None,
        results: Optional[Mapping[str, Any]] = None,
        version: Optional[str] = None,
    ) -> Plan:
        """What `fork_task` would come to. Nothing is changed."""
        wish = _fork(from_step, input, results, version, None)
        return Plan.read(self._json("POST", path_of("tasks", task, "fork") + "?dry_run=true", wish, True))


def _fork(
    from_step: str, input: Optional[Mapping[str, Any]], results: Optional[Mapping[str, Any]], version: Optional[str],
    reason: Optional[str],
) -> Dict[str, Any]:
    return present({"from": from_step, "input": input, "results": results, "version": version, "reason": reason})
