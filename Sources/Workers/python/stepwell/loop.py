"""One event loop for all attempts of `async` handlers (`--async`): many can wait at the same time."""

from __future__ import annotations

import asyncio
import sys
import threading
from typing import Callable, Set

from .attempt import Attempt
from .context import StepContext
from .errors import Cancelled
from .handler import Handler
from .output import current
from .result import StepHandlerResult
from .running import run_async

#: Gets what the handler returned, or raises `Cancelled`, and sends the attempt's last message.
End = Callable[[Attempt, Callable[[], StepHandlerResult]], None]


class SharedLoop:
    """Runs attempts as tasks of one loop, in a thread of its own."""

    def __init__(self, end: End) -> None:
        self._end = end
        self._loop = asyncio.new_event_loop()
        self._tasks: Set["asyncio.Task[None]"] = set()
        threading.Thread(target=self._run_forever, name="stepwell-loop", daemon=True).start()

    def _run_forever(self) -> None:
        while True:  # a handler may stop the loop, and a task that it has made ends it with `sys.exit()`
            try:
                self._loop.run_forever()
            except (SystemExit, KeyboardInterrupt) as error:
                sys.stderr.write(f"stepwell: a task that a handler has made ended with {error!r}\n")

    def begin(self, handler: Handler, attempt: Attempt, context: StepContext) -> None:
        """Start an attempt; any thread may call this."""
        self._loop.call_soon_threadsafe(self._start, handler, attempt, context)

    def _start(self, handler: Handler, attempt: Attempt, context: StepContext) -> None:
        task = self._loop.create_task(self._serve(handler, attempt, context))
        self._tasks.add(task)  # the loop itself keeps weak references only
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, handler: Handler, attempt: Attempt, context: StepContext) -> None:
        current.set(attempt)
        try:
            result = await self._run(handler, attempt, context)
        except Cancelled as error:
            cancelled = error
            self._end(attempt, lambda: _raise(cancelled))
        else:
            self._end(attempt, lambda: result)

    async def _run(self, handler: Handler, attempt: Attempt, context: StepContext) -> StepHandlerResult:
        task = asyncio.current_task()
        assert task
        attempt.stop_with(lambda: self._loop.call_soon_threadsafe(task.cancel))
        try:
            return await run_async(handler, context, attempt.method)
        except asyncio.CancelledError as error:
            if attempt.is_cancelled:
                raise Cancelled from None
            return StepHandlerResult.from_exception(error)
        finally:
            attempt.stop_no_more()


def _raise(error: BaseException) -> StepHandlerResult:
    raise error
