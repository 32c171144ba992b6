"""`tasker_core.step_handler.functional`: the decorators."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field
from typing import Any, Callable, Dict, List, Mapping, NoReturn, Optional

from stepwell import depends_on, inputs, step_handler

from ..errors import NotSupportedError
from .mixins import api

__all__ = [
    "BatchConfig", "Decision", "api_handler", "batch_analyzer", "batch_worker", "decision_handler", "depends_on",
    "inputs", "step_handler",
]

Function = Callable[..., Any]


def api_handler(
    name: str,
    base_url: str = "",
    version: str = "1.0.0",
    timeout: float = 30.0,
    default_headers: Optional[Mapping[str, str]] = None,
) -> Callable[[Function], Function]:
    """A handler that also gets `api`, with `get`, `post` and so on relative to `base_url`."""

    def decorate(function: Function) -> Function:
        def with_api(**given: Any) -> Any:
            return function(api=api(base_url, timeout, default_headers), **given)

        signature = inspect.signature(function)
        others = [parameter for parameter in signature.parameters.values() if parameter.name != "api"]
        _name_like(with_api, function)
        with_api.__dict__.update(function.__dict__)
        setattr(with_api, "__signature__", signature.replace(parameters=others))
        return step_handler(name, version)(with_api)

    return decorate


def decision_handler(name: str, version: str = "1.0.0") -> Callable[[Function], Function]:
    """A handler that fails for good, since it would choose the steps that follow."""
    return lambda function: _refused(function, name, version, f"{name} is a decision handler")


def batch_analyzer(name: str, worker_template: str = "", version: str = "1.0.0") -> Callable[[Function], Function]:
    """A handler that fails for good, since it would make worker steps."""
    return lambda function: _refused(function, name, version, f"{name} makes worker steps for batches")


def batch_worker(name: str, version: str = "1.0.0") -> Callable[[Function], Function]:
    """A handler that fails for good, since there are no batches."""
    return lambda function: _refused(function, name, version, f"{name} is for worker steps of a batch")


@dataclass(frozen=True)
class Decision:
    """What a decision handler returns."""

    steps: List[str]
    reason: Optional[str] = None
    context: Dict[str, Any] = field(default_factory=dict)

    @classmethod
    def route(cls, steps: List[str], **context: Any) -> Decision:
        """Run these steps."""
        return cls(list(steps), None, context)

    @classmethod
    def skip(cls, reason: str, **context: Any) -> Decision:
        """Run none of the steps."""
        return cls([], reason, context)


@dataclass(frozen=True)
class BatchConfig:
    """What a batch analyzer returns."""

    total_items: int
    batch_size: int
    metadata: Dict[str, Any] = field(default_factory=dict)


def _refused(function: Function, name: str, version: str, what: str) -> Function:
    """A handler in place of one that cannot run; the function is still its `__wrapped__`."""

    def refused() -> NoReturn:
        raise NotSupportedError(what)

    handler: Function = step_handler(name, version)(refused)
    _name_like(handler, function)
    setattr(handler, "__signature__", inspect.signature(refused))
    setattr(handler, "__wrapped__", function)
    return handler


def _name_like(handler: Function, function: Function) -> None:
    handler.__name__, handler.__qualname__ = function.__name__, function.__qualname__
    handler.__module__, handler.__doc__ = function.__module__, function.__doc__
