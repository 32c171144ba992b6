"""A server that is away for a while, such as one that is started again: who waits for a task anyway goes on waiting."""

from __future__ import annotations

import time
from typing import Optional

from .asking import ApiError

_PATIENCE = 300.0  # seconds that a server may be away
_PAUSE_MIN = 0.1
_PAUSE_MAX = 2.0


class Absence:
    """What one wait knows of its server's absence. `end` is when the wait is over, on the monotonic clock."""

    def __init__(self, end: Optional[float]) -> None:
        self._end = end
        self._begin: Optional[float] = None
        self._pause = _PAUSE_MIN

    def outlast(self, error: ApiError) -> None:
        """Pause before the server is asked again. Raises the error if it does not pass, or has lasted for too long."""
        now = time.monotonic()
        self._begin = now if self._begin is None else self._begin
        over = self._begin + _PATIENCE
        over = over if self._end is None else min(over, self._end)
        if not error.may_pass or now >= over:
            raise error
        time.sleep(min(self._pause, over - now))
        self._pause = min(self._pause * 2, _PAUSE_MAX)

    def is_over(self) -> None:
        """The server has answered."""
        self._begin = None
        self._pause = _PAUSE_MIN
