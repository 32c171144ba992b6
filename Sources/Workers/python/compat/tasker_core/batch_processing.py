"""`tasker_core.batch_processing`: of batches Stepwell has checkpoints; steps that make further steps it has not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NoReturn

from .errors import NotSupportedError

__all__ = ["Batchable", "CheckpointYield"]


@dataclass(frozen=True)
class CheckpointYield:
    """What `checkpoint_yield` makes of a handler's return: keep this, and call the handler again."""

    cursor: Any
    items_processed: int
    accumulated_results: Any


class Batchable:
    """Mixin: `checkpoint_yield` works; what hands out batches to worker steps fails for good, and says why."""

    def checkpoint_yield(self, cursor: Any, items_processed: int = 0, accumulated_results: Any = None) -> Any:
        """Return this from `call`: the checkpoint is on disk before `call` runs again, in the same attempt."""
        return CheckpointYield(cursor, items_processed, accumulated_results)

    def batch_analyzer_success(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: it would make worker steps."""
        raise NotSupportedError("batch_analyzer_success makes worker steps for batches")

    def create_batch_outcome(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: it would make worker steps."""
        raise NotSupportedError("create_batch_outcome makes worker steps for batches")

    def create_cursor_configs(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: it would make worker steps."""
        raise NotSupportedError("create_cursor_configs makes worker steps for batches")

    def create_cursor_ranges(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: it would make worker steps."""
        raise NotSupportedError("create_cursor_ranges makes worker steps for batches")

    def get_batch_context(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: there are no batches."""
        raise NotSupportedError("get_batch_context is for worker steps of a batch")

    def get_batch_worker_context(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: there are no batches."""
        raise NotSupportedError("get_batch_worker_context is for worker steps of a batch")

    def handle_no_op_worker(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: there are no batches."""
        raise NotSupportedError("handle_no_op_worker is for worker steps of a batch")

    def batch_worker_success(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: there are no batches."""
        raise NotSupportedError("batch_worker_success is for worker steps of a batch")

    def detect_aggregation_scenario(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: there are no batches."""
        raise NotSupportedError("detect_aggregation_scenario puts batches together")

    def aggregate_batch_results(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: there are no batches."""
        raise NotSupportedError("aggregate_batch_results puts batches together")
