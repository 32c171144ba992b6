"""Submit tasks to a server (`stepwell serve`), look at them, wait for them.

    client = Client()
    task = client.create_task("prices", namespace="shop", context={"currency": "EUR"})
    print(client.wait(task.task_id, timeout=60).result("add"))
"""

from __future__ import annotations

import asyncio
import functools
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Dict, Iterable, Iterator, List, Mapping, Optional, TypeVar

from .absence import Absence
from .answers import CreatedTask, Step, StepError, Task, TaskPage, TaskSummary, Template
from .asking import ApiError, Unreachable, path_of, present, query_of
from .history import Difference, EventPage, Explanation, HistoryCalls, LogLine, LogPage, Plan
from .limits import Limit, LimitCalls
from .operations import Bulk, BulkTask, OperationCalls, Pruned, Statistics, WorkerInfo
from .templates import Finding, TemplateCalls, Validation
from .transport import BadAddress
from .webhooks import Webhook, WebhookCalls

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

__all__ = [
    "ApiError", "AsyncClient", "BadAddress", "Bulk", "BulkTask", "Client", "CreatedTask", "Difference", "EventPage",
    "Explanation", "Finding", "Limit", "LogLine", "LogPage", "NotSettled", "Plan", "Pruned", "Statistics", "Step",
    "StepError", "Task", "TaskPage", "TaskSummary", "TaskerClient", "Template", "Unreachable", "Validation", "Webhook",
    "WorkerInfo",
]

R = TypeVar("R")

_WAIT_SLICE = 30.0  # seconds of one request of `wait`
_THREADS = 32  # requests of an `AsyncClient` at the same time


class NotSettled(TimeoutError):
    """The task did not settle in time; `task` is how it was then."""

    def __init__(self, task: Task, timeout: float) -> None:
        super().__init__(f"task {task.task_id} is {task.state} after {timeout:g} s")
        self.task = task


class Client(HistoryCalls, TemplateCalls, LimitCalls, WebhookCalls, OperationCalls):
    """A client of one server. May be used by several threads.

    `url` is `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`; else STEPWELL_URL, else
    http://127.0.0.1:7420. `token` is else STEPWELL_TOKEN. `initiator` and `source_system` are
    noted with all tasks that it creates. `timeout` is how many seconds an answer may take.
    """

    # Tasks.

    def create_task(
        self,
        name: str,
        *,
        namespace: str = "default",
        context: Optional[Mapping[str, Any]] = None,
        version: Optional[str] = None,
        priority: Optional[int] = None,
        tags: Optional[Iterable[str]] = None,
        correlation_id: Optional[str] = None,
        parent_correlation_id: Optional[str] = None,
        idempotency_key: Optional[str] = None,
        replace: Optional[bool] = None,
        initiator: Optional[str] = None,
        source_system: Optional[str] = None,
        reason: Optional[str] = None,
    ) -> Task:
        """Submit a task of a template; it is on disk when this returns.

        `context` is the task's input. Without a `version` the newest counts. The same
        `idempotency_key` gives the same task, however often it is sent; with `replace` another one.
        """
        wish = {
            "name": name, "namespace": namespace, "context": context, "version": version, "priority": priority,
            "tags": None if tags is None else list(tags), "correlation_id": correlation_id,
            "parent_correlation_id": parent_correlation_id, "idempotency_key": idempotency_key, "replace": replace,
            "initiator": initiator, "source_system": source_system, "reason": reason,
        }
        is_repeatable = idempotency_key is not None and not replace
        return Task.read(self._json("POST", "/v1/tasks", self._wish(wish), is_repeatable))

    def create_tasks(self, tasks: Iterable[Mapping[str, Any]]) -> List[CreatedTask]:
        """Submit many tasks, all or none; each is a dict with the keywords of `create_task` and `name`."""
        wishes = [self._wish(task) for task in tasks]
        is_repeatable = all(wish.get("idempotency_key") and not wish.get("replace") for wish in wishes)
        answer = self._json("POST", "/v1/tasks/batch", {"tasks": wishes}, is_repeatable)
        return [CreatedTask(task["task_id"], task["created"]) for task in answer["tasks"]]

    def get_task(self, task: str) -> Task:
        """A task by its id, the unique beginning of one, its key, or `last`."""
        return Task.read(self._json("GET", path_of("tasks", task)))

    def list_tasks(
        self,
        limit: Optional[int] = None,
        cursor: Optional[str] = None,
        namespace: Optional[str] = None,
        status: Optional[str] = None,
        *,
        name: Optional[str] = None,
        idempotency_key: Optional[str] = None,
    ) -> TaskPage:
        """A page of the tasks that match, newest first. `cursor` is the `next` of the page before."""
        wanted = {
            "limit": limit, "cursor": cursor, "namespace": namespace, "state": status, "name": name,
            "key": idempotency_key,
        }
        answer = self._json("GET", "/v1/tasks" + query_of(wanted))
        return TaskPage([TaskSummary.read(task) for task in answer["tasks"]], answer.get("next"))

    def all_tasks(
        self, namespace: Optional[str] = None, status: Optional[str] = None, *, name: Optional[str] = None
    ) -> Iterator[TaskSummary]:
        """All tasks that match, newest first, page after page."""
        cursor: Optional[str] = None
        while True:
            page = self.list_tasks(None, cursor, namespace, status, name=name)
            yield from page.tasks
            cursor = page.next
            if cursor is None:
                return

    def wait(self, task: str, timeout: Optional[float] = None) -> Task:
        """Wait until a task is settled: complete, cancelled, blocked by failures, or paused.

        Raises `NotSettled` after `timeout` seconds; without it the wait has no end. It outlives a server that
        is started again; after five minutes without one, or when the time is over, it raises what was the trouble.
        """
        end = None if timeout is None else time.monotonic() + timeout
        absence = Absence(end)
        while True:
            left = _WAIT_SLICE if end is None else max(0.0, min(_WAIT_SLICE, end - time.monotonic()))
            path = path_of("tasks", task) + query_of({"wait": f"{int(left * 1000)}ms"})
            try:
                found = Task.read(self._json("GET", path, limit=left + self._timeout))
            except ApiError as error:
                absence.outlast(error)
                continue
            absence.is_over()
            if found.is_settled:
                return found
            if end is not None and time.monotonic() >= end:
                raise NotSettled(found, timeout or 0)

    def cancel_task(self, task: str, reason: Optional[str] = None) -> Task:
        """End a task: nothing more of it runs."""
        return Task.read(self._json("POST", path_of("tasks", task, "cancel"), present({"reason": reason})))

    def pause_task(self, task: str, reason: Optional[str] = None) -> Task:
        """Let nothing further of a task begin; what runs goes on to its end."""
        return Task.read(self._json("POST", path_of("tasks", task, "pause"), present({"reason": reason})))

    def resume_task(self, task: str, reason: Optional[str] = None) -> Task:
        """End the pause of a task."""
        return Task.read(self._json("POST", path_of("tasks", task, "resume"), present({"reason": reason})))

    def retry_task(self, task: str, steps: Optional[Iterable[str]] = None, reason: Optional[str] = None) -> Task:
        """Let failed steps begin again with fresh attempts: those named, or all of the task."""
        wish = {"steps": None if steps is None else list(steps), "reason": reason}
        return Task.read(self._json("POST", path_of("tasks", task, "retry"), present(wish)))

    # Steps.

    def list_task_steps(self, task: str) -> List[Step]:
        """The steps of a task, in the template's order."""
        return [Step.read(step) for step in self._json("GET", path_of("tasks", task, "steps"))["steps"]]

    def get_step(self, task: str, step: str) -> Step:
        """One step of a task."""
        return Step.read(self._json("GET", path_of("tasks", task, "steps", step)), step)

    def get_step_audit_history(self, task: str, step: str) -> List[Dict[str, Any]]:
        """All events of a step as CloudEvents, oldest first."""
        events: List[Dict[str, Any]] = self._json("GET", path_of("tasks", task, "steps", step, "audit"))["events"]
        return events

    def resolve_step(self, task: str, step: str, result: Any = None, reason: Optional[str] = None) -> Task:
        """Settle a step by hand with this result, so that the steps after it can run."""
        wish = {"result": result, **present({"reason": reason})}
        return Task.read(self._json("POST", path_of("tasks", task, "steps", step, "resolve"), wish))


#: The name that authors of Tasker applications know.
TaskerClient = Client


def _async(method: Callable[Concatenate[Client, P], R]) -> Callable[Concatenate[AsyncClient, P], Coroutine[Any, Any, R]]:
    @functools.wraps(method)
    async def call(self: AsyncClient, /, *words: P.args, **members: P.kwargs) -> R:
        work = functools.partial(method, self._client, *words, **members)
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    return call


class AsyncClient:
    """The same with `await`. Takes what `Client` takes; its requests run in threads of its own."""

    def __init__(self, *words: Any, **members: Any) -> None:
        self._client = Client(*words, **members)
        self._threads = ThreadPoolExecutor(_THREADS, "stepwell-client")

    create_task = _async(Client.create_task)
    create_tasks = _async(Client.create_tasks)
    get_task = _async(Client.get_task)
    list_tasks = _async(Client.list_tasks)
    wait = _async(Client.wait)
    cancel_task = _async(Client.cancel_task)
    pause_task = _async(Client.pause_task)
    resume_task = _async(Client.resume_task)
    retry_task = _async(Client.retry_task)
    list_task_steps = _async(Client.list_task_steps)
    get_step = _async(Client.get_step)
    get_step_audit_history = _async(Client.get_step_audit_history)
    resolve_step = _async(Client.resolve_step)
    list_events = _async(Client.list_events)
    list_log_lines = _async(Client.list_log_lines)
    explain_task = _async(Client.explain_task)
    draw_task = _async(Client.draw_task)
    diff_tasks = _async(Client.diff_tasks)
    export_task = _async(Client.export_task)
    plan_task = _async(Client.plan_task)
    fork_task = _async(Client.fork_task)
    plan_fork = _async(Client.plan_fork)
    put_template = _async(Client.put_template)
    list_templates = _async(Client.list_templates)
    get_template = _async(Client.get_template)
    draw_template = _async(Client.draw_template)
    validate_template = _async(Client.validate_template)
    list_limits = _async(Client.list_limits)
    get_limit = _async(Client.get_limit)
    set_limit = _async(Client.set_limit)
    remove_limit = _async(Client.remove_limit)
    create_webhook = _async(Client.create_webhook)
    list_webhooks = _async(Client.list_webhooks)
    get_webhook = _async(Client.get_webhook)
    enable_webhook = _async(Client.enable_webhook)
    remove_webhook = _async(Client.remove_webhook)
    act_on_tasks = _async(Client.act_on_tasks)
    prune_tasks = _async(Client.prune_tasks)
    list_workers = _async(Client.list_workers)
    drain_worker = _async(Client.drain_worker)
    release = _async(Client.release)
    statistics = _async(Client.statistics)
    metrics = _async(Client.metrics)
    get_state = _async(Client.get_state)
    health_check = _async(Client.health_check)
