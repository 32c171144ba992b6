"""Attempts from files: what `stepwell replay-step --dump` and `stepwell export` write."""

from __future__ import annotations

import hashlib
import json
import uuid
from pathlib import Path
from typing import Any, Dict, Iterable, Iterator, List, Mapping, Optional

Document = Dict[str, Any]

_ENDS = {
    "attempt.succeeded": "succeeded",
    "attempt.failed": "failed",
    "attempt.timed_out": "timed_out",
    "attempt.lost": "lost",
}


class ReplayError(Exception):
    """The attempt cannot be run; the message says why."""


def load(path: str, step: str, attempt: Optional[int] = None) -> Document:
    """An attempt of `step`: the last with that number, or the last of all."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise ReplayError(f"{path}: {error.strerror}") from None
    first = _json(content.split(b"\n", 1)[0], path)
    if first.get("format") == "stepwell-attempt":
        return _dumped(first, path, step, attempt)
    if first.get("stepwell") == "run":
        return _exported(content, path, step, attempt)
    raise ReplayError(f"{path} was written neither by 'stepwell replay-step --dump' nor by 'stepwell export'")


def _json(line: bytes, path: str) -> Document:
    try:
        value = json.loads(line)
    except ValueError as error:
        raise ReplayError(f"{path} is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise ReplayError(f"{path} holds no JSON object")
    return value


def _check_version(document: Mapping[str, Any], path: str) -> None:
    if document.get("version") != 1:
        raise ReplayError(f"{path} has version {document.get('version')}; this reads version 1")


def _dumped(document: Document, path: str, step: str, attempt: Optional[int]) -> Document:
    _check_version(document, path)
    if document["step"] != step:
        raise ReplayError(f"{path} holds an attempt of {document['step']!r}, not of {step!r}")
    if attempt is not None and document["attempt"] != attempt:
        raise ReplayError(f"{path} holds attempt {document['attempt']}, not {attempt}")
    return document


# A whole run, docs/bundle-format.md.


def _exported(content: bytes, path: str, step: str, attempt: Optional[int]) -> Document:
    known: List[str] = []
    for run in _runs(content, path):
        if step in run.steps:
            return run.attempt(step, attempt, path)
        known += run.steps
    raise ReplayError(f"{path} has no step {step!r}; there are: {', '.join(known)}")


class _Run:
    def __init__(self, head: Document) -> None:
        self.task: str = head["task_id"]
        self.redacted: List[str] = head.get("redacted", [])
        self.template: Document = {}
        self.events: List[Document] = []

    @property
    def steps(self) -> Dict[str, Document]:
        steps: Dict[str, Document] = self.template.get("steps", {})
        return steps

    def attempt(self, step: str, wanted: Optional[int], path: str) -> Document:
        """What the attempt was given, as it stood in the log when it began."""
        results: Dict[str, Any] = {}
        checkpoints: Dict[str, Any] = {}
        submission: Document = {}
        found: Optional[Document] = None
        for event in self.events:
            kind, data = event["type"], event["data"]
            if kind == "task.submitted":
                submission = data
            elif kind == "attempt.checkpointed":
                checkpoints[data["step"]] = data["checkpoint"]
            elif kind in ("attempt.succeeded", "operator.resolved"):
                results[data["step"]] = data.get("result")
            elif kind == "attempt.started" and data["step"] == step and wanted in (None, data["attempt"]):
                found = self._document(event, submission, dict(results), dict(checkpoints))
        if found is None:
            which = "an attempt" if wanted is None else f"attempt {wanted}"
            raise ReplayError(f"{path} has not {which} of {step!r}")
        return found

    def _document(
        self, start: Document, submission: Document, results: Document, checkpoints: Document
    ) -> Document:
        data = start["data"]
        step = data["step"]
        template = self.steps[step]
        near: List[str] = template["dependencies"]
        document = {
            "task_id": self.task,
            "step_id": _step_id(self.task, data["step_index"]),
            "idempotency_key": f"{self.task}:{step}",
            "correlation_id": submission["correlation_id"],
            "namespace": submission["namespace"],
            "task_name": submission["name"],
            "task_version": submission["version"],
            "step": step,
            "attempt": data["attempt"],
            "max_attempts": template["retry"]["max_attempts"],
            "input": submission["input"],
            "config": template["configuration"],
            "dependency_names": near,
            "dependencies": {name: results.get(name) for name in near},
            "ancestors": {name: results.get(name) for name in self._ancestors(near)},
            "recorded": self._recorded(start["seq"]),
            "redacted": self.redacted,
        }
        if step in checkpoints:
            document["checkpoint"] = checkpoints[step]
        if "callable" in template:
            document.update(handler=template["callable"], method=template["method"])
        return document

    def _ancestors(self, near: Iterable[str]) -> List[str]:
        """Farther ancestors, nearest first."""
        queue = list(near)
        seen = set(queue)
        count = len(queue)
        for name in queue:
            for dependency in self.steps[name]["dependencies"]:
                if dependency not in seen:
                    seen.add(dependency)
                    queue.append(dependency)
        return queue[count:]

    def _recorded(self, lease: int) -> Document:
        for event in self.events:
            data = event["data"]
            if data.get("lease") != lease or event["type"] not in _ENDS:
                continue
            recorded = {"outcome": _ENDS[event["type"]]}
            if event["type"] == "attempt.succeeded":
                return {**recorded, "result": data["result"]}
            return {**recorded, "error": data} if event["type"] == "attempt.failed" else recorded
        is_cancelled = any(event["type"] == "task.cancelled" for event in self.events)
        return {"outcome": "cancelled" if is_cancelled else "running"}


def _runs(content: bytes, path: str) -> Iterator[_Run]:
    run: Optional[_Run] = None
    start = place = count = 0
    while place < len(content):
        end = content.find(b"\n", place) + 1 or len(content)
        line = _json(content[place:end], path)
        if run is None:
            if line.get("stepwell") != "run":
                raise ReplayError(f"{path}: a run begins with a line whose first member is \"stepwell\"")
            _check_version(line, path)
            run, start, count = _Run(line), place, 0
        elif "template" in line:
            run.template = line["content"]
        elif "event" in line:
            run.events.append(line["event"])
        elif "end" in line:
            whole = hashlib.sha256(content[start:place]).hexdigest()
            if line["end"]["lines"] != count or line["end"]["sha256"] != whole:
                raise ReplayError(f"{path} is damaged: its last line does not fit those before it")
            yield run
            run = None
        count += 1
        place = end
    if run is not None:
        raise ReplayError(f"{path} was cut off: its last line is missing")


def _step_id(task: str, index: int) -> str:
    """The id of a step: a UUID of version 8 made from the task's by folding in the step's place."""
    number = uuid.UUID(task).int
    number = number & ~(0xF000 << 64) | 0x8000 << 64
    return str(uuid.UUID(int=number ^ (index + 1)))
