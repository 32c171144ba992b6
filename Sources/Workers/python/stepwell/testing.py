"""Run a handler in a test, with no engine.

    result = run_handler(invoice, dependencies={"validate_cart": {"total": 12}})
    assert result.result == {"due": 12}
"""

from __future__ import annotations

import json
from typing import Any, Dict, List, Mapping, Optional

from .context import StepContext
from .discovery import handler_of
from .errors import Cancelled
from .handler import Handler
from .payload import NotJSON, encode
from .result import StepHandlerResult
from .running import run, settle

__all__ = ["FakeEngine", "make_context", "run_handler"]


class FakeEngine:
    """Plays the engine for one handler and remembers what the handler told it.

    `fetchable` holds results of farther ancestors; `fetched` lists those that were asked for;
    `sleeps` the waits in seconds, none of which takes any time.
    """

    def __init__(
        self,
        fetchable: Optional[Mapping[str, Any]] = None,
        is_cancelled: bool = False,
        cancel_reason: Optional[str] = None,
    ) -> None:
        self.fetchable = dict(fetchable or {})
        self.is_cancelled = is_cancelled or cancel_reason is not None
        self.cancel_reason = cancel_reason or ("cancelled" if is_cancelled else None)
        self.sleeps: List[Optional[float]] = []
        self.fetched: List[str] = []
        self.checkpoints: List[Any] = []
        self.heartbeats: List[Any] = []

    def sleep(self, seconds: Optional[float]) -> None:
        if self.is_cancelled:
            raise Cancelled("the attempt was cancelled")
        if seconds is None:
            raise AssertionError("the handler waits for ever, and nobody cancels it")
        self.sleeps.append(seconds)

    def fetch(self, step: str) -> Any:
        self.fetched.append(step)
        return _copy(self.fetchable[step], f"fetchable.{step}")

    def save_checkpoint(self, data: Any) -> None:
        self.checkpoints.append(_copy(data, "checkpoint"))

    def heartbeat(self, progress: Any) -> None:
        self.heartbeats.append(progress)


def make_context(
    *,
    input: Optional[Mapping[str, Any]] = None,
    dependencies: Optional[Mapping[str, Any]] = None,
    config: Optional[Mapping[str, Any]] = None,
    attempt: int = 1,
    max_attempts: int = 3,
    checkpoint: Any = None,
    deadline: Optional[int] = None,
    step: str = "step",
    step_id: str = "00000000-0000-7000-8000-000000000002",
    handler: str = "handler",
    method: str = "call",
    engine: Optional[FakeEngine] = None,
) -> StepContext:
    """A context as the engine would give it. `deadline` is in milliseconds since 1970."""
    engine = engine or FakeEngine()
    message: Dict[str, Any] = {
        "task_id": "00000000-0000-7000-8000-000000000001",
        "step_id": step_id,
        "correlation_id": "00000000-0000-7000-8000-000000000003",
        "idempotency_key": step_id,
        "namespace": "test",
        "task_name": "test",
        "task_version": "1.0.0",
        "step": step,
        "handler": handler,
        "method": method,
        "attempt": attempt,
        "max_attempts": max_attempts,
        "deadline": deadline,
        "input": _copy(dict(input or {}), "input"),
        "config": _copy(dict(config or {}), "config"),
        "dependencies": _copy(dict(dependencies or {}), "dependencies"),
        "dependency_names": list(dependencies or {}),
        "fetchable": list(engine.fetchable),
    }
    if checkpoint is not None:
        message["checkpoint"] = _copy(checkpoint, "checkpoint")
    return StepContext(message, engine)


def run_handler(handler: Any, *, method: str = "call", **context: Any) -> StepHandlerResult:
    """Run a handler class or decorated function once; the keywords are those of `make_context`.

    The result has been through JSON, as it would be for the steps that depend on it.
    """
    return run_found(handler_of(handler), method, **context)


def run_found(found: Handler, method: str, **context: Any) -> StepHandlerResult:
    """The same for a handler that was found by `find_handlers`."""
    made = make_context(handler=found.name, method=method, **{"step": found.name, **context})
    try:
        result = run(found, made, method, settle)
    except Cancelled:
        raise AssertionError("the handler raised Cancelled, but nobody cancelled it") from None
    try:
        result.result = _copy(result.result, "result")
        result.metadata = _copy(result.metadata, "metadata") if result.is_success else result.metadata
    except NotJSON as fault:
        return StepHandlerResult.failure(str(fault), "result_not_json", retryable=False)
    return result


def _copy(value: Any, place: str) -> Any:
    return json.loads(encode(value, place))
