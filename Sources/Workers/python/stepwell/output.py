"""Where a handler's words go: prints and log records become lines of the step's log."""

from __future__ import annotations

import io
import logging
import sys
import threading
import time
from contextvars import ContextVar
from typing import Any, Iterable, Optional

from .attempt import Attempt
from .channel import Carrier
from .payload import text_bytes

#: The attempt that runs here. Tasks and `asyncio.to_thread` inherit it, plain threads do not.
current: "ContextVar[Optional[Attempt]]" = ContextVar("stepwell_attempt", default=None)

_LINE_MAX = 1 << 16  # characters; a longer line is cut into several
_BACKLOG_MAX = 1000  # lines; a handler that prints faster than the engine reads must wait


class StepLog:
    """Sends lines to the log of the step that they belong to, all others to standard error."""

    def __init__(self, carrier: Carrier) -> None:
        self._carrier = carrier

    def write(self, attempt: Optional[Attempt], level: bytes, text: str) -> None:
        """`text` without its last line end; each of its lines becomes one message."""
        if attempt is None or attempt.is_closed or self._carrier.is_abandoned:
            sys.stderr.write(text + "\n")
            return
        while self._carrier.backlog > _BACKLOG_MAX:
            time.sleep(0.001)
        for line in _lines(text):
            self._carrier.send(
                b'{"type":"log","lease":%d,"level":"%s","text":%s}'
                % (attempt.lease, level, text_bytes(line)),
                attempt.lease,
            )


class StepOutput(io.TextIOBase):
    """Stands in for `sys.stdout`. Attempts and threads do not mix: each has its own unfinished line."""

    encoding = "utf-8"

    def __init__(self, log: StepLog) -> None:
        super().__init__()
        self._log = log
        self.buffer = _Bytes(self)

    def write(self, text: str) -> int:
        attempt = current.get()
        if attempt is None or attempt.is_closed:
            return sys.stderr.write(text)
        thread = threading.get_ident()
        head, end, tail = (attempt.unfinished.get(thread, "") + text).rpartition("\n")
        if end or len(tail) > _LINE_MAX:
            self._log.write(attempt, b"info", head if end else tail)
            tail = tail if end else ""
        attempt.unfinished[thread] = tail
        return len(text)

    def finish_line(self, attempt: Attempt) -> None:
        """Send what the attempt has printed without a line end."""
        while attempt.unfinished:
            _, text = attempt.unfinished.popitem()
            if text:
                self._log.write(attempt, b"info", text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return 1  # the worker has pointed it at standard error


class _Bytes(io.RawIOBase):
    """`sys.stdout.buffer`."""

    def __init__(self, text: StepOutput) -> None:
        super().__init__()
        self._text = text

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._text.write(content.decode("utf-8", "replace"))
        return len(content)

    def writable(self) -> bool:
        return True


class StepLogHandler(logging.Handler):
    """Turns log records into lines of the step's log."""

    def __init__(self, log: StepLog) -> None:
        super().__init__()
        self._log = log

    def handle(self, record: logging.LogRecord) -> bool:
        # Without the usual lock: a thread ended by `Cancelled` must not keep it for ever.
        passed = bool(self.filter(record))
        if passed:
            self.emit(record)
        return passed

    def emit(self, record: logging.LogRecord) -> None:
        try:
            attempt = getattr(record, "stepwell_attempt", None) or current.get()
            self._log.write(attempt, _level(record.levelno), self.format(record))
        except Exception:
            self.handleError(record)


def _level(number: int) -> bytes:
    if number >= logging.ERROR:
        return b"error"
    if number >= logging.WARNING:
        return b"warning"
    return b"info" if number >= logging.INFO else b"debug"


def _lines(text: str) -> Iterable[str]:
    for line in text.split("\n"):
        for start in range(0, max(len(line), 1), _LINE_MAX):
            yield line[start : start + _LINE_MAX]
