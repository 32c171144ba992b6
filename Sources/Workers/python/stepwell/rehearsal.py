"""A whole template in a test, with no engine: `rehearse`.

    run = rehearse(
        [TemplateStep("fetch", "shop.fetch_prices"), TemplateStep("add", "shop.add_up", ["fetch"])],
        handlers=[fetch_prices, add_up],
        input={"currency": "EUR"},
    )
    assert run.result("add") == {"sum": 7}
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterable, List, Mapping, Optional, Sequence, Set, Union

from .discovery import find_handlers, handler_of
from .handler import Handler
from .result import StepHandlerResult
from .testing import FakeEngine, run_found

__all__ = ["StepRun", "TemplateRun", "TemplateStep", "rehearse"]

_MAX_ATTEMPTS = 3  # as the engine does without `retry`


@dataclass(frozen=True)
class TemplateStep:
    """A step as a template has it. `handler` is its `callable`; None for a command."""

    name: str
    handler: Optional[str]
    dependencies: Sequence[str] = ()
    config: Mapping[str, Any] = field(default_factory=dict)
    method: str = "call"
    max_attempts: int = _MAX_ATTEMPTS

    @classmethod
    def read(cls, step: Mapping[str, Any]) -> TemplateStep:
        """From the template's own members. Raises `ValueError` when it has no name or handler."""
        if not isinstance(step.get("name"), str) or not isinstance(step.get("handler"), Mapping):
            raise ValueError(f"a step needs a name and a handler: {dict(step)!r}")
        handler, retry = step["handler"], step.get("retry") or {}
        attempts = retry.get("max_attempts", _MAX_ATTEMPTS) if retry.get("retryable", True) else 1
        return cls(
            step["name"], handler.get("callable"), tuple(step.get("dependencies") or ()),
            dict(handler.get("initialization") or {}), handler.get("method") or "call", attempts,
        )


@dataclass
class StepRun:
    """What has become of a step: `complete`, `error`, or `pending` because one before it has failed.

    `attempts` are the ends of its attempts, in order; `engine` knows its checkpoints, heartbeats and fetches.
    """

    name: str
    state: str = "pending"
    result: Any = None
    attempts: List[StepHandlerResult] = field(default_factory=list)
    engine: FakeEngine = field(default_factory=FakeEngine, repr=False)


@dataclass
class TemplateRun:
    """What has become of the task: `complete`, or `blocked_by_failures`."""

    steps: Dict[str, StepRun]

    @property
    def state(self) -> str:
        """The task's state."""
        is_complete = all(step.state == "complete" for step in self.steps.values())
        return "complete" if is_complete else "blocked_by_failures"

    def result(self, step: str) -> Any:
        """The result of a step. Raises `AssertionError` with the failure when it has none."""
        found = self.steps[step]
        if found.state != "complete":
            shown = [f"{end.error_type}: {end.error_message}" for end in found.attempts if not end.is_success]
            raise AssertionError(f"step {step} is {found.state}: {'; '.join(shown) or self._failures()}")
        return found.result

    def _failures(self) -> str:
        failed = [step for step in self.steps.values() if step.state == "error"]
        return "; ".join(f"{step.name} failed: {step.attempts[-1].error_message}" for step in failed)


def rehearse(
    template: Union[Mapping[str, Any], Iterable[TemplateStep]],
    handlers: Union[str, Iterable[Any]],
    input: Optional[Mapping[str, Any]] = None,
    results: Optional[Mapping[str, Any]] = None,
) -> TemplateRun:
    """Run the steps of a template one after another, each when those before it are complete.

    `template` is what a YAML or JSON reader makes of the file, or `TemplateStep`s. `handlers` are the
    classes and decorated functions, or the path of a file or folder. Failed attempts that may be tried
    again are, at once. A step in `results` does not run: it has this result. A command step must be there.
    Raises `ValueError` for a template that does not fit together.
    """
    given = dict(results or {})
    steps = _read(template, given)
    known = find_handlers([handlers]) if isinstance(handlers, str) else _named(handlers)
    for step in steps:
        if step.name not in given and step.handler not in known:
            what = f"a handler {step.handler!r}; there are: {', '.join(sorted(known))}"
            raise ValueError(f"step {step.name} needs {'a result in `results`' if step.handler is None else what}")
    run = TemplateRun({step.name: StepRun(step.name) for step in steps})
    ancestors: Dict[str, List[str]] = {}
    for number, step in enumerate(_in_order(steps), 1):
        far = [name for near in step.dependencies for name in [*ancestors[near], near]]
        ancestors[step.name] = list(dict.fromkeys(far))
        if any(run.steps[name].state != "complete" for name in step.dependencies):
            continue
        if step.name in given:
            run.steps[step.name].state, run.steps[step.name].result = "complete", given[step.name]
        else:
            _run(step, number, known[step.handler or ""], run, ancestors[step.name], dict(input or {}))
    return run


def _run(
    step: TemplateStep, number: int, handler: Handler, run: TemplateRun, ancestors: List[str], input: Dict[str, Any]
) -> None:
    own = run.steps[step.name]
    found = {name: run.steps[name].result for name in ancestors}
    near = {name: found.pop(name) for name in step.dependencies}
    own.engine = FakeEngine(found)
    for attempt in range(1, step.max_attempts + 1):
        end = run_found(
            handler, step.method, input=input, dependencies=near, config=step.config, attempt=attempt,
            max_attempts=step.max_attempts, checkpoint=own.engine.checkpoints[-1] if own.engine.checkpoints else None,
            step=step.name, step_id=f"00000000-0000-7000-8000-{number:012}", engine=own.engine,
        )
        own.attempts.append(end)
        if end.is_success:
            own.state, own.result = "complete", end.result
            return
        if not end.retryable:
            break
    own.state = "error"


def _read(template: Union[Mapping[str, Any], Iterable[TemplateStep]], given: Mapping[str, Any]) -> List[TemplateStep]:
    if isinstance(template, Mapping):
        steps = [TemplateStep.read(step) for step in template.get("steps") or ()]
    else:
        steps = list(template)
    names = [step.name for step in steps]
    if not steps:
        raise ValueError("the template has no steps")
    for step in steps:
        if names.count(step.name) > 1:
            raise ValueError(f"two steps are named {step.name}")
        for name in step.dependencies:
            if name not in names:
                raise ValueError(f"step {step.name} depends on {name}, which is no step")
    for name in given:
        if name not in names:
            raise ValueError(f"`results` has {name}, which is no step")
    return steps


def _in_order(steps: List[TemplateStep]) -> List[TemplateStep]:
    """The steps so that each comes after those that it depends on, else as in the template."""
    ordered: List[TemplateStep] = []
    done: Set[str] = set()
    waiting = list(steps)
    while waiting:
        ready = next((step for step in waiting if all(name in done for name in step.dependencies)), None)
        if ready is None:
            raise ValueError(f"these steps wait for each other: {', '.join(step.name for step in waiting)}")
        done.add(ready.name)
        ordered.append(ready)
        waiting.remove(ready)
    return ordered


def _named(handlers: Iterable[Any]) -> Dict[str, Handler]:
    found = [handler_of(handler) for handler in handlers]
    return {handler.name: handler for handler in found}
