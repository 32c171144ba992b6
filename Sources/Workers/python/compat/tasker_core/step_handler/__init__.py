"""`tasker_core.step_handler`: the class form."""

from __future__ import annotations

import functools
import inspect
from typing import Any, Callable

import stepwell

from ..batch_processing import CheckpointYield
from ..types import StepContext, StepHandlerResult

__all__ = ["StepHandler", "StepHandlerResult"]


class StepHandler(stepwell.StepHandler):
    """Stepwell's class form. A `call` that returns `checkpoint_yield(…)` is called again with that checkpoint."""

    def __init_subclass__(cls, **members: Any) -> None:
        super().__init_subclass__(**members)
        if "call" in cls.__dict__:
            setattr(cls, "call", _again_after_checkpoints(cls.__dict__["call"]))


def _again_after_checkpoints(call: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(call)
    def plain(self: StepHandler, context: StepContext) -> Any:
        while True:
            result = call(self, context)
            if not isinstance(result, CheckpointYield):
                return result
            _save(context, result)

    @functools.wraps(call)
    async def awaited(self: StepHandler, context: StepContext) -> Any:
        while True:
            result = await call(self, context)
            if not isinstance(result, CheckpointYield):
                return result
            _save(context, result)

    return awaited if inspect.iscoroutinefunction(call) else plain


def _save(context: StepContext, result: CheckpointYield) -> None:
    context.save_cursor(result.cursor, result.items_processed, result.accumulated_results)
