"""The rules of the protocol that every message of a worker must keep, whatever the transcript is about."""

from __future__ import annotations

from typing import Any, Dict, Optional, Set

Message = Dict[str, Any]

#: Members by message type: what they are, and whether they must be there.
_MEMBERS: Dict[str, Dict[str, "tuple[type, bool]"]] = {
    "hello": {
        "protocol": (int, True), "handlers": (list, True), "concurrency": (int, False), "sdk": (str, False),
        "name": (str, False), "namespaces": (list, False), "labels": (dict, False),
    },
    "result": {"lease": (int, True), "result": (object, True), "metadata": (dict, False)},
    "failure": {
        "lease": (int, True), "message": (str, True), "error_type": (str, False), "error_code": (str, False),
        "retryable": (bool, False), "retry_after_ms": (int, False), "backtrace": (str, False),
        "metadata": (dict, False),
    },
    "stopped": {"lease": (int, True)},
    "heartbeat": {"lease": (int, True), "progress": (object, False)},
    "checkpoint": {"lease": (int, True), "data": (object, True)},
    "log": {"lease": (int, False), "level": (str, False), "text": (str, True)},
    "fetch": {"lease": (int, True), "id": (int, True), "step": (str, True)},
    "drained": {},
}
_ENDS = ("result", "failure", "stopped")


class Leases:
    """Which attempts the worker was given, was asked to stop, and has ended."""

    def __init__(self) -> None:
        self._given: Set[int] = set()
        self._to_stop: Set[int] = set()
        self._ended: Set[int] = set()

    def give(self, lease: int) -> None:
        self._given.add(lease)

    def ask_to_stop(self, lease: int) -> None:
        self._to_stop.add(lease)

    def lose(self) -> None:
        """The server has forgotten the worker; attempts at hand may be stopped."""
        self._to_stop |= self._given

    def fault(self, message: Any) -> Optional[str]:
        """What is wrong with a worker's message; None if nothing is."""
        if not isinstance(message, dict):
            return "it is not an object"
        members = _MEMBERS.get(str(message.get("type")))
        if members is None:
            return f"its type is {message.get('type')!r}"
        for name, (kind, is_required) in members.items():
            value = message.get(name)
            if value is None:
                if is_required and name not in message or is_required and kind is not object:
                    return f"{name} is missing"
            elif not isinstance(value, kind) or kind is int and isinstance(value, bool):
                return f"{name} is a {type(value).__name__}"
        return self._lease_fault(message)

    def _lease_fault(self, message: Message) -> Optional[str]:
        lease, kind = message.get("lease"), message["type"]
        if lease is None:
            return None
        if lease not in self._given:
            return f"no attempt had the lease {lease}"
        if lease in self._ended:
            return f"the attempt with the lease {lease} has ended already"
        if kind == "stopped" and lease not in self._to_stop:
            return "nobody asked the attempt to stop"
        if kind in _ENDS:
            self._ended.add(lease)
        return None
