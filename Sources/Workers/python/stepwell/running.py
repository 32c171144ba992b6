"""From a handler to a `StepHandlerResult`, whatever the handler does."""

from __future__ import annotations

import asyncio
import inspect
from dataclasses import asdict, is_dataclass
from typing import Any, Callable

from .context import StepContext
from .errors import Cancelled
from .handler import Handler
from .result import StepHandlerResult


def run(
    handler: Handler, context: StepContext, method: str, settle: Callable[[Any], Any]
) -> StepHandlerResult:
    """Run one attempt. `settle` awaits a value where that is needed. Raises only `Cancelled`."""
    try:
        return as_result(settle(handler.invoke(context, method)))
    except Cancelled:
        raise
    except BaseException as error:  # a handler's sys.exit() ends its attempt, not the worker
        return StepHandlerResult.from_exception(error)


async def run_async(handler: Handler, context: StepContext, method: str) -> StepHandlerResult:
    """The same in an event loop. Raises only `Cancelled` and `asyncio.CancelledError`."""
    try:
        value = handler.invoke(context, method)
        return as_result(await value if inspect.isawaitable(value) else value)
    except (Cancelled, asyncio.CancelledError):
        raise
    except BaseException as error:
        return StepHandlerResult.from_exception(error)


def as_result(value: Any) -> StepHandlerResult:
    """What a handler returned, as a result; dataclasses and pydantic models become objects."""
    if isinstance(value, StepHandlerResult):
        return value
    if is_dataclass(value) and not isinstance(value, type):
        value = asdict(value)
    elif hasattr(value, "model_dump"):
        value = value.model_dump(mode="json")
    return StepHandlerResult.success(value)


def settle(value: Any) -> Any:
    """Await a value where that is needed, outside of any worker."""

    async def main() -> Any:
        return await value

    return asyncio.run(main()) if inspect.isawaitable(value) else value
