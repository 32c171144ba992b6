"""One running of one attempt: its conversation with the engine, and its end by `cancel`."""

from __future__ import annotations

import ctypes
import threading
from itertools import count
from queue import SimpleQueue
from typing import Any, Callable, Dict, Optional

from .channel import Carrier, Message
from .errors import Cancelled, PermanentError, RetryableError
from .payload import encode, encode_leniently

_question = count(1)


class Attempt:
    """The engine's side of a `StepContext`; `lease` names it in every message.

    `cancel` is called by the thread that reads from the engine, all else by the handler's thread.
    The fence orders the two: once `close` has returned, no `Cancelled` can reach the thread, which
    by then may run another attempt. It is reentrant, because `Cancelled` may land inside of it.
    """

    def __init__(self, message: Message, carrier: Carrier, payload_max: int) -> None:
        self.lease: int = message["lease"]
        self.method: str = message["method"]
        #: What each thread has printed without a line end; for `StepOutput`.
        self.unfinished: Dict[int, str] = {}
        self._carrier = carrier
        self._payload_max = payload_max
        self._fence = threading.RLock()
        self._stop: Optional[Callable[[], object]] = None
        self._struck: Optional[int] = None
        self._cancelled = False
        self._alarm: Optional[threading.Event] = None
        self.cancel_reason: Optional[str] = None
        self._closed = False
        self._answers: "SimpleQueue[Optional[Message]]" = SimpleQueue()
        self._asking = threading.Lock()  # one question at a time, also when the handler has threads of its own

    # The engine's side.

    def cancel(self, reason: str) -> None:
        """Make the handler stop, wherever it is."""
        if self._cancelled:
            return
        with self._fence:
            if self._closed:
                return
            self.cancel_reason = reason
            self._cancelled = True
            if self._alarm:
                self._alarm.set()
            if self._stop:
                self._stop()
        self._answers.put(None)  # for a handler that waits for an answer

    def answer(self, message: Message) -> None:
        """Hand over `fetched` or `checkpointed`."""
        self._answers.put(message)

    # The handler's side.

    @property
    def is_cancelled(self) -> bool:
        return self._cancelled

    @property
    def is_closed(self) -> bool:
        """Whether the attempt has ended; what comes now no longer belongs to it."""
        return self._closed

    def sleep(self, seconds: Optional[float]) -> None:
        with self._fence:
            if self._alarm is None:
                self._alarm = threading.Event()
            if self._cancelled:
                self._alarm.set()
        if self._alarm.wait(seconds):
            self._surrender()

    def fetch(self, step: str) -> Any:
        number = next(_question)
        name = encode(step, "step")
        question = b'{"type":"fetch","lease":%d,"id":%d,"step":%s}' % (self.lease, number, name)
        reply = self._ask(question, "fetched", number)
        if "error" in reply:
            raise RetryableError(f"cannot have the result of step {step}: {reply['error']}")
        return reply["result"]

    def save_checkpoint(self, data: Any) -> None:
        body = encode(data, "checkpoint")
        if len(body) > self._payload_max:
            raise PermanentError(f"checkpoint is {len(body)} bytes; the limit is {self._payload_max}")
        reply = self._ask(b'{"type":"checkpoint","lease":%d,"data":%s}' % (self.lease, body), "checkpointed", None)
        if "error" in reply:
            raise RetryableError(f"checkpoint refused: {reply['error']}")

    def heartbeat(self, progress: Any) -> None:
        if self._closed:
            return
        line = b'{"type":"heartbeat","lease":%d' % self.lease
        if progress is not None:
            body = encode_leniently(progress)
            if len(body) <= self._payload_max:
                line += b',"progress":' + body
        self._say(line + b"}")

    def _say(self, line: bytes) -> None:
        self._carrier.send(line, self.lease)

    def _ask(self, question: bytes, kind: str, number: Optional[int]) -> Message:
        with self._asking:
            if self._cancelled:
                self._surrender()
            self._say(question)
            while True:
                reply = self._answers.get()
                if reply is None:
                    self._surrender()
                elif reply["type"] == kind and reply.get("id") == number:
                    return reply

    # Ending.

    def strike_here(self) -> None:
        """From now on a `cancel` raises `Cancelled` in this thread."""
        thread = threading.get_ident()

        def strike() -> None:
            self._struck = thread
            _set_exception(thread, Cancelled)

        self.stop_with(strike)

    def stop_with(self, stop: Callable[[], object]) -> None:
        """From now on a `cancel` calls `stop`. Raises `Cancelled` if there has been one."""
        with self._fence:
            if self._cancelled:
                self._surrender()
            self._stop = stop

    def stop_no_more(self) -> None:
        """From now on a `cancel` only sets the flag."""
        with self._fence:
            self._stop = None

    def close(self) -> None:
        """End the attempt for its thread; a `Cancelled` on its way is called back."""
        with self._fence:
            self._closed = True
            self._disarm()

    def _surrender(self) -> None:
        if self._struck == threading.get_ident():  # a thread of the handler's own does not take back what strikes another
            self._disarm()
        raise Cancelled("the attempt was cancelled")

    def _disarm(self) -> None:
        with self._fence:
            if self._struck is not None:
                _set_exception(self._struck, None)


def _set_exception(thread: int, exception: Optional[type]) -> None:
    """Have `exception` raised in `thread` at its next instruction; None takes a pending one back."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(
        ctypes.c_ulong(thread), ctypes.py_object(exception) if exception else None
    )
