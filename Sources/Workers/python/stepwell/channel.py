"""The line to the engine: whole lines out, whole lines in."""

from __future__ import annotations

import os
import threading
from queue import SimpleQueue
from typing import Iterator, Optional


class Channel:
    """Owns the two ends of the pipe to the engine.

    Lines go out through one thread. So a handler thread hands a line over in a single step that
    `Cancelled` cannot cut in two, and under load many lines leave in one system call.
    """

    def __init__(self, read_end: int, write_end: int) -> None:
        self._read_end = read_end
        self._write_end = write_end
        self.is_abandoned = False
        self._lines: "SimpleQueue[Optional[bytes]]" = SimpleQueue()
        self._writer = threading.Thread(target=self._write, name="stepwell-writer", daemon=True)
        self._writer.start()

    def send(self, line: bytes) -> None:
        """Queue one message; `line` has no line end."""
        self._lines.put(line)

    @property
    def backlog(self) -> int:
        """How many lines wait for the engine to read."""
        return self._lines.qsize()

    def lines(self) -> Iterator[bytes]:
        """Messages of the engine, until it goes away."""
        with open(self._read_end, "rb", buffering=1 << 20) as stream:
            yield from stream

    def abandon(self) -> None:
        """Let go of the pipe, in a forked child."""
        self.is_abandoned = True
        os.close(self._read_end)
        os.close(self._write_end)

    def close(self) -> None:
        """Return when everything that was sent has left."""
        self._lines.put(None)
        self._writer.join()

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
