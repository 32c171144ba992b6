"""Limits: how many attempts of a namespace or a handler run at once, and how fast they start."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, List, Mapping, Optional

from .answers import time_of
from .asking import Asker, good, path_of, present, query_of


@dataclass(frozen=True)
class Limit:
    """A limit, and how far it is used."""

    scope: str  # `namespace` or `handler`
    name: str
    concurrency_max: Optional[int]
    rate: Optional[str]
    burst: Optional[int]
    running: Optional[int]
    waiting: Optional[int]
    due_at: Optional[datetime]  # when the rate lets the next attempt start, if one waits for that
    set_at: Optional[datetime]
    set_by: Optional[str]
    reason: Optional[str]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Limit:
        """From the server's JSON."""
        return cls(
            raw["scope"], raw["name"], raw.get("concurrency_max"), raw.get("rate"), raw.get("burst"),
            raw.get("running"), raw.get("waiting"), time_of(raw.get("due_at")), time_of(raw.get("set_at")),
            raw.get("set_by"), raw.get("reason"), raw,
        )


class LimitCalls(Asker):
    """What a client says about limits. `scope` is `namespace` or `handler`."""

    def list_limits(self) -> List[Limit]:
        """All limits, and how far each is used."""
        return [Limit.read(limit) for limit in self._json("GET", "/v1/limits")["limits"]]

    def get_limit(self, scope: str, name: str) -> Limit:
        """The limit of a namespace or a handler."""
        return Limit.read(self._json("GET", path_of("limits", scope, name)))

    def set_limit(
        self,
        scope: str,
        name: str,
        *,
        concurrency_max: Optional[int] = None,
        rate: Optional[str] = None,
        burst: Optional[int] = None,
        reason: Optional[str] = None,
    ) -> Limit:
        """Set a limit as a whole: what is left out has no bound. What runs goes on, and counts.

        `concurrency_max` is how many attempts run at once; 0 lets nothing start. `rate` is how many
        start in a time, such as `10/s`, `100/min` or `3/h`; `burst` how many at once after a quiet time.
        """
        wish = {"concurrency_max": concurrency_max, "rate": rate, "burst": burst, "reason": reason}
        return Limit.read(self._json("PUT", path_of("limits", scope, name), present(wish), True))

    def remove_limit(self, scope: str, name: str, reason: Optional[str] = None) -> None:
        """Remove a limit: what has waited for it goes on."""
        good(self._request("DELETE", path_of("limits", scope, name) + query_of({"reason": reason}), None, False))
