"""What whoever runs a server asks and says: many tasks at once, pruning, workers, figures."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, Dict, Iterable, List, Mapping, Optional, Union

from .asking import Asker, good, path_of, present, query_of


@dataclass(frozen=True)
class BulkTask:
    """What was done to one of many tasks; when it refused, `code` and `detail` say why."""

    task_id: str
    state: str  # before it was acted on
    done: bool
    code: Optional[str]
    detail: Optional[str]


@dataclass(frozen=True)
class Bulk:
    """What was done to each of many tasks, the newest first."""

    action: str
    dry_run: bool
    tasks: List[BulkTask]

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> Bulk:
        """From the server's JSON."""
        tasks = [
            BulkTask(task["task_id"], task["state"], task["done"], task.get("code"), task.get("detail"))
            for task in raw["tasks"]
        ]
        return cls(raw["action"], raw["dry_run"], tasks)


@dataclass(frozen=True)
class Pruned:
    """How much has left the store, or would."""

    dry_run: bool
    before: str
    tasks: int
    events: int


@dataclass(frozen=True)
class Statistics:
    """How much a store holds; `raw` also counts by state, by day and by table."""

    store_id: str
    events: int
    commits: int
    raw: Mapping[str, Any] = field(repr=False, compare=False)


@dataclass(frozen=True)
class WorkerInfo:
    """Who works for the server. Those that connect from elsewhere have a `worker_id`."""

    name: str
    kind: str
    handlers: List[str]
    concurrency: int
    running: int
    namespaces: List[str]
    labels: Dict[str, str]
    worker_id: Optional[str]
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def read(cls, raw: Mapping[str, Any]) -> WorkerInfo:
        """From the server's JSON."""
        return cls(
            raw["name"], raw["kind"], [handler["name"] for handler in raw.get("handlers", [])], raw["concurrency"],
            raw["running"], list(raw.get("namespaces", [])), dict(raw.get("labels", {})), raw.get("worker_id"), raw,
        )


class OperationCalls(Asker):
    """What a client says as an operator."""

    def act_on_tasks(
        self,
        action: str,
        *,
        namespace: Optional[str] = None,
        name: Optional[str] = None,
        status: Optional[str] = None,
        reason: Optional[str] = None,
        limit: Optional[int] = None,
        dry_run: bool = False,
    ) -> Bulk:
        """`cancel`, `retry`, `pause` or `resume` all tasks that match, the newest first, 1000 at most.

        Without a `status` the open tasks are meant. One that refuses does not hold up the others. With
        `dry_run` nothing is changed; a task without a `code` would not refuse.
        """
        wish = {
            "action": action, "namespace": namespace, "name": name, "state": status, "reason": reason,
            "limit": limit, "dry_run": dry_run or None,
        }
        return Bulk.read(self._json("POST", "/v1/tasks/bulk", present(wish), dry_run))

    def prune_tasks(
        self,
        before: Union[datetime, str],
        *,
        tasks: Optional[Iterable[str]] = None,
        reason: Optional[str] = None,
        dry_run: bool = False,
    ) -> Pruned:
        """Let tasks that ended before a time leave the store; of those only `tasks`, if ids are given.

        The time is a `datetime`, or text such as `2026-11-24T00:00:00Z`. With `dry_run` nothing is
        changed, and the answer says how much would leave.
        """
        wish = {"before": _moment(before), "tasks": None if tasks is None else list(tasks), "reason": reason}
        path = "/v1/prune" + query_of({"dry_run": "true" if dry_run else None})
        raw = self._json("POST", path, present(wish), dry_run)
        return Pruned(raw["dry_run"], raw["before"], raw["tasks"], raw["events"])

    def health_check(self) -> Dict[str, Any]:
        """How the server is; `status` is `ready` when it takes tasks."""
        health: Dict[str, Any] = self._json("GET", "/v1/health")
        return health

    def list_workers(self) -> List[WorkerInfo]:
        """All workers, and what they hold."""
        return [WorkerInfo.read(worker) for worker in self._json("GET", "/v1/workers")["workers"]]

    def drain_worker(self, worker_id: str) -> None:
        """Tell a worker to finish what it has and to end."""
        good(self._request("POST", path_of("workers", worker_id, "drain"), None, False))

    def release(self, reason: Optional[str] = None) -> bool:
        """End the hold that the server was started with, `stepwell serve --hold`. Whether there was one."""
        return bool(self._json("POST", "/v1/release", present({"reason": reason}))["released"])

    def statistics(self) -> Statistics:
        """How much the store holds. The server goes through all events for it."""
        raw = self._json("GET", "/v1/stats")
        return Statistics(raw["store_id"], raw["events"], raw["commits"], raw)

    def metrics(self) -> str:
        """The server's figures, in the text format of Prometheus."""
        return self._text("/v1/metrics")

    def get_state(self, at: Optional[str] = None) -> Dict[str, Any]:
        """The whole engine as it is, or was: at the number of an event, a time, or `-10m`."""
        state: Dict[str, Any] = self._json("GET", "/v1/state" + query_of({"at": at}))
        return state


def _moment(time: Union[datetime, str]) -> str:
    if isinstance(time, str):
        return time
    return time.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
