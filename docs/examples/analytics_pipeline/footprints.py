"""What the example's tests want to see of a handler: that it began, that it ended, and slowness."""

from __future__ import annotations

import functools
import os
import time
from typing import Any, Callable, TypeVar, cast

from stepwell import StepContext

F = TypeVar("F", bound=Callable[..., Any])


def footprints(function: F) -> F:
    """Leave `start STEP ATTEMPT` and `end STEP ATTEMPT` in the file that STEP_COUNTER_FILE names.

    STEP_DELAY_MS makes every step take that much longer, for demonstrations.
    """

    @functools.wraps(function)
    def traced(*arguments: Any, **named: Any) -> Any:
        context: StepContext = named["context"] if "context" in named else arguments[-1]
        _leave("start", context)
        _dawdle(context)
        result = function(*arguments, **named)
        _leave("end", context)
        return result

    return cast(F, traced)


def _leave(what: str, context: StepContext) -> None:
    path = os.environ.get("STEP_COUNTER_FILE")
    if not path:
        return
    file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:  # one write, so that lines of several processes do not mix
        os.write(file, f"{what} {context.step_name} {context.attempt}\n".encode())
    finally:
        os.close(file)


def _dawdle(context: StepContext) -> None:
    until = time.monotonic() + float(os.environ.get("STEP_DELAY_MS") or 0) / 1000
    while time.monotonic() < until and not context.is_cancelled:
        time.sleep(min(0.01, max(0.0, until - time.monotonic())))
