"""The worker: says hello, takes attempts, runs them on its threads, and reports how they ended."""

from __future__ import annotations

import asyncio
import inspect
import os
import signal
import sys
import threading
from queue import SimpleQueue
from typing import Any, Callable, Dict, Mapping, Optional, TextIO, Tuple, cast

from .attempt import Attempt
from .channel import Carrier, Message, leave
from .context import StepContext
from .ending import ending, refusal
from .errors import Cancelled, PermanentError
from .handler import Handler
from .loop import SharedLoop
from .output import StepLog, StepOutput, current
from .result import StepHandlerResult
from .running import run

PROTOCOL = 1


class Worker:
    """Runs `handlers`, up to `concurrency` attempts at a time, until the engine has had enough."""

    def __init__(
        self, handlers: Mapping[str, Handler], concurrency: int, carrier: Carrier,
        about: Optional[Message] = None, shares_loop: bool = False,
    ) -> None:
        self._handlers = handlers
        self._concurrency = concurrency
        self._carrier = carrier
        self._about = about or {}
        self._output = StepOutput(StepLog(carrier))
        self._limits = {"result_bytes_max": 16 << 20, "line_bytes_max": 64 << 20}
        self._work: "SimpleQueue[Tuple[Attempt, StepContext]]" = SimpleQueue()
        self._running: Dict[int, Attempt] = {}
        self._draining = False
        self._threads = 0
        self._loop = SharedLoop(self._end) if shares_loop else None
        self._refusing = False
        self._terminating = False
        self._is_done = False
        # The main thread waits at a pipe, the one place where no signal can be overlooked.
        self._bell, self._rope = os.pipe()

    def serve(self) -> None:
        """Work until the engine drains the worker, then return. Call it in the main thread."""
        os.set_blocking(self._rope, False)
        signal.set_wakeup_fd(self._rope)
        # A handler and not SIG_IGN, which child processes would inherit.
        # The engine that started the worker ends it; at a terminal it is Ctrl-C that does.
        interrupt = self._terminate if self._carrier.can_stop_attempts else lambda _: None
        signal.signal(signal.SIGINT, lambda number, _: interrupt(number))
        signal.signal(signal.SIGTERM, lambda number, _: self._terminate(number))
        sys.stdout = cast(TextIO, self._output)
        self._carrier.start(self._hello(), self._take)
        while not self._is_done:
            os.read(self._bell, 1)
        self._carrier.finish()

    def _hello(self) -> Message:
        from . import __version__

        return {
            "type": "hello",
            "protocol": PROTOCOL,
            "handlers": [{"name": h.name, "version": h.version} for h in self._handlers.values()],
            "concurrency": self._concurrency,
            "sdk": f"stepwell-python {__version__}",
            **self._about,
        }

    # The carrier's threads.

    def _take(self, message: Message) -> None:
        kind = message["type"]
        if kind == "attempt":
            if not self._refusing:
                attempt = Attempt(message, self._carrier, self._limits["result_bytes_max"])
                context = StepContext(message, attempt)
                self._running[attempt.lease] = attempt
                self._begin(attempt, context)
        elif kind in ("fetched", "checkpointed", "cancel"):
            running = self._running.get(message["lease"])
            if running is None:
                return  # it has ended meanwhile
            if kind == "cancel":
                running.cancel(str(message.get("reason", "cancelled")))
            else:
                running.answer(message)
        elif kind == "rejected":
            print(
                f"the report for lease {message['lease']} came too late and changed nothing: {message['reason']}",
                file=sys.stderr, flush=True)
        elif kind == "lost":
            for running in list(self._running.values()):
                running.cancel("lost")
        elif kind == "drain":
            self._drain()
        elif kind == "welcome":
            self._limits = {name: message[name] for name in self._limits}

    def _terminate(self, number: int) -> None:
        if self._carrier.can_stop_attempts:
            if self._terminating:
                leave(128 + number, "ended at once by a second signal")
            self._terminating = True
        else:
            self._refusing = True  # what comes now is lost with this process and runs elsewhere
        self._carrier.drain(self._drain)

    def _drain(self) -> None:
        self._draining = True
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        if self._draining and not self._running:
            self._is_done = True
            os.write(self._rope, b".")

    def _begin(self, attempt: Attempt, context: StepContext) -> None:
        handler = self._handler(context)
        if self._loop and handler.is_async(attempt.method):
            self._loop.begin(handler, attempt, context)
            return
        self._work.put((attempt, context))
        if self._work.qsize() and self._threads < self._concurrency:
            self._threads += 1
            name = f"stepwell-{self._threads}"
            threading.Thread(target=self._serve, name=name, daemon=True).start()

    def _handler(self, context: StepContext) -> Handler:
        return self._handlers.get(context.handler_name) or _Unknown(context.handler_name)

    # The handlers' threads.

    def _serve(self) -> None:
        while True:
            attempt, context = self._work.get()
            current.set(attempt)
            self._end(attempt, lambda: self._run(attempt, context))
            current.set(None)

    def _end(self, attempt: Attempt, run: Callable[[], StepHandlerResult]) -> None:
        """Report how the attempt ends that `run` runs."""
        last = self._last(attempt, run)
        if self._carrier.is_abandoned:
            leave(0)  # a child that the handler has forked, and that has come back from it like its parent
        self._carrier.send(last, attempt.lease, ends=True)
        del self._running[attempt.lease]
        self._leave_if_done()

    def _last(self, attempt: Attempt, run: Callable[[], StepHandlerResult]) -> bytes:
        """The message that ends the attempt. After it nothing can strike this thread."""
        last: Optional[bytes] = None
        while True:  # `Cancelled` may come at any point until `close` has returned
            try:
                if last is None:
                    last = ending(attempt.lease, run(), self._limits)
                self._output.finish_line(attempt)
                attempt.close()
                return last
            except Cancelled:
                last = b'{"type":"stopped","lease":%d}' % attempt.lease
            except BaseException as error:  # such as an exception whose `str` raises
                text = f"cannot report how the attempt ended: {type(error).__name__}"
                last = refusal(attempt.lease, "handler_error", text)

    def _run(self, attempt: Attempt, context: StepContext) -> StepHandlerResult:
        attempt.strike_here()
        try:
            return run(self._handler(context), context, attempt.method, lambda value: _settle(value, attempt))
        finally:
            attempt.stop_no_more()


class _Unknown(Handler):
    """Stands in for a handler that this worker does not have."""

    def __init__(self, name: str) -> None:
        super().__init__(name, "", "")

    def invoke(self, context: StepContext, method: str) -> Any:
        raise PermanentError(f"this worker has no handler {self.name}")

    def is_async(self, method: str) -> bool:
        return False


def _settle(value: Any, attempt: Attempt) -> Any:
    """Await `value` if it is of that kind; `cancel` then cancels the asyncio task."""
    if not inspect.isawaitable(value):
        return value

    async def main() -> Any:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()
        assert task is not None
        attempt.stop_with(lambda: loop.call_soon_threadsafe(task.cancel))
        try:
            return await value
        finally:
            attempt.stop_no_more()

    try:
        attempt.stop_no_more()
        return asyncio.run(main())
    except asyncio.CancelledError:
        if attempt.is_cancelled:
            raise Cancelled from None
        raise
    finally:
        if inspect.iscoroutine(value):
            value.close()  # without effect, unless it was cancelled before it began

