"""Webhooks: addresses that a server sends its events to."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Iterable, List, Mapping, Optional

from .answers import time_of
from .asking import Asker, path_of, present


@dataclass(frozen=True)
class Webhook:
    """An address that gets events, and how it fares."""

    id: str
    url: str
    types: List[str]
    namespaces: List[str]
    tasks: List[str]
    secret: Optional[str]
    state: str  # `active`, `failing` or `disabled`
    after: int  # the number of the last event that it has
    lag: int  # how many events it is behind
    sent: int
    failed: int
    last_error: Optional[str]
    created_at: Optional[datetime]
    next_try_at: Optional[datetime]
    disabled_at: Optional[datetime]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Webhook:
        """From the server's JSON."""
        return cls(
            raw["id"], raw["url"], list(raw.get("types") or []), list(raw.get("namespaces") or []),
            list(raw.get("tasks") or []), raw.get("secret"), raw["state"], raw["after"], raw["lag"],
            raw.get("sent", 0), raw.get("failed", 0), raw.get("last_error"), time_of(raw.get("created_at")),
            time_of(raw.get("next_try_at")), time_of(raw.get("disabled_at")), raw,
        )


class WebhookCalls(Asker):
    """What a client says about webhooks."""

    def create_webhook(
        self,
        url: str,
        *,
        types: Optional[Iterable[str]] = None,
        namespaces: Optional[Iterable[str]] = None,
        tasks: Optional[Iterable[str]] = None,
        secret: Optional[str] = None,
        after: Optional[int] = None,
        disable_after: Optional[int] = None,
    ) -> Webhook:
        """Have events sent to an address, each at least once and in order: all, or those that are named.

        `secret` is the name of the server's secret that signs them, such as `secret:hook-key`. Without
        `after`, the number of an event, they are those from now on. An address that fails for
        `disable_after` seconds is given up.
        """
        wish = {
            "url": url, "types": _list(types), "namespaces": _list(namespaces), "tasks": _list(tasks),
            "secret": secret, "after": after, "disable_after_s": disable_after,
        }
        return Webhook.read(self._json("POST", "/v1/webhooks", present(wish)))

    def list_webhooks(self) -> List[Webhook]:
        """All webhooks, and how they fare."""
        return [Webhook.read(webhook) for webhook in self._json("GET", "/v1/webhooks")["webhooks"]]

    def get_webhook(self, webhook: str) -> Webhook:
        """A webhook by its id: how far it is behind, and its last error."""
        return Webhook.read(self._json("GET", path_of("webhooks", webhook)))

    def enable_webhook(self, webhook: str, after: Optional[int] = None) -> Webhook:
        """Have a webhook that was given up, or that waits, try again at once; from another event, if one is given."""
        return Webhook.read(self._json("POST", path_of("webhooks", webhook, "enable"), present({"after": after})))

    def remove_webhook(self, webhook: str) -> Webhook:
        """Send a webhook nothing more. Returns it as it was."""
        return Webhook.read(self._json("DELETE", path_of("webhooks", webhook)))


def _list(names: Optional[Iterable[str]]) -> Optional[List[str]]:
    return None if names is None else list(names)
