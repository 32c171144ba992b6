"""The engine that started this worker: whole lines out, whole lines in."""

from __future__ import annotations

import os
import sys
import threading
from queue import SimpleQueue
from typing import Any, Callable, Dict, NoReturn, Optional, Protocol

from .payload import encode, parse

Message = Dict[str, Any]


class Carrier(Protocol):
    """The way to the engine; messages of all threads go through it."""

    #: Whether `drain` keeps the engine from sending further attempts.
    can_stop_attempts: bool
    #: Whether this process is a forked child, which has no part in the conversation.
    is_abandoned: bool

    def start(self, hello: Message, take: Callable[[Message], None]) -> None:
        """Say hello, and from now on call `take` for each message, on threads of the carrier's own."""

    def send(self, line: bytes, lease: Optional[int] = None, ends: bool = False) -> None:
        """Queue one message; `ends` says that it ends the attempt with this lease."""

    @property
    def backlog(self) -> int:
        """How many messages wait to leave."""

    def drain(self, done: Callable[[], None]) -> None:
        """Ask for no further attempts, and call `done` when none can come."""

    def finish(self) -> None:
        """Say `drained`, and return when everything that was sent has left."""

    def abandon(self) -> None:
        """Let go of the conversation, in a forked child."""


class Channel:
    """Owns the two ends of the pipe to the engine.

    Lines go out through one thread. So a handler thread hands a line over in a single step that
    `Cancelled` cannot cut in two, and under load many lines leave in one system call.
    """

    can_stop_attempts = False

    def __init__(self, read_end: int, write_end: int) -> None:
        self._read_end = read_end
        self._write_end = write_end
        self.is_abandoned = False
        self._lines: "SimpleQueue[Optional[bytes]]" = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="stepwell-writer", daemon=True)
        self._writer.start()

    def start(self, hello: Message, take: Callable[[Message], None]) -> None:
        self.send(encode(hello, "hello"))
        threading.Thread(target=self._listen, args=(take,), name="stepwell-reader", daemon=True).start()

    def send(self, line: bytes, lease: Optional[int] = None, ends: bool = False) -> None:
        self._lines.put(line)

    @property
    def backlog(self) -> int:
        return self._lines.qsize()

    def drain(self, done: Callable[[], None]) -> None:
        done()

    def abandon(self) -> None:
        self.is_abandoned = True
        os.close(self._read_end)
        os.close(self._write_end)

    def finish(self) -> None:
        self._lines.put(b'{"type":"drained"}')
        self._lines.put(None)
        self._writer.join()

    def _listen(self, take: Callable[[Message], None]) -> None:
        with open(self._read_end, "rb", buffering=1 << 20) as stream:
            for line in stream:
                try:
                    take(parse(line))
                except (ValueError, KeyError, TypeError, AttributeError) as error:
                    if not line.endswith(b"\n"):
                        break  # the engine died while it wrote
                    shown = line[:200].decode("utf-8", "replace").rstrip()
                    leave(1, f"cannot read the engine's message: {error!r} in {shown}")
        leave(0)

    def _write(self) -> None:
        open_ended = True
        while open_ended:
            first = self._lines.get()
            batch = [first, *(self._lines.get() for _ in range(self._lines.qsize()))]
            open_ended = None not in batch
            try:
                self._write_all(b"".join(line + b"\n" for line in batch if line is not None))
            except OSError:
                os._exit(0)  # the engine is gone; nobody is left to tell

    def _write_all(self, data: bytes) -> None:
        rest = memoryview(data)
        while rest:
            rest = rest[os.write(self._write_end, rest) :]


def leave(code: int, reason: str = "") -> NoReturn:
    """End the process at once, whatever its threads are doing."""
    try:
        if reason:
            sys.stderr.write(f"stepwell: {reason}\n")
        sys.stderr.flush()
    finally:
        os._exit(code)
