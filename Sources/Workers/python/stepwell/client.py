"""Submit tasks to a server (`stepwell serve`), look at them, wait for them.

    client = Client()
    task = client.create_task("prices", namespace="shop", context={"currency": "EUR"})
    print(client.wait(task.task_id, timeout=60).result("add"))
"""

from __future__ import annotations

import asyncio
import functools
import os
import random
import ssl
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable, Coroutine, Dict, Iterable, Iterator, List, Mapping, Optional, TypeVar
from urllib.parse import quote, urlencode

from .answers import CreatedTask, Step, StepError, Task, TaskPage, TaskSummary, Template
from .payload import encode
from .transport import DEFAULT_URL, TROUBLE, Address, BadAddress, Connection, Reply

if TYPE_CHECKING:
    from typing_extensions import Concatenate, ParamSpec

    P = ParamSpec("P")

__all__ = [
    "ApiError", "AsyncClient", "BadAddress", "Client", "CreatedTask", "NotSettled", "Step", "StepError", "Task",
    "TaskPage", "TaskSummary", "TaskerClient", "Template", "Unreachable",
]

R = TypeVar("R")

_TRIES = 4
_WAIT_SLICE = 30.0  # seconds of one request of `wait`
_THREADS = 32  # requests of an `AsyncClient` at the same time


class ApiError(Exception):
    """The server has refused a request: what is wrong (`detail`), its stable `code`, and a `cure`."""

    def __init__(self, status: int, code: str, detail: str, cure: str = "") -> None:
        super().__init__(f"{detail} [{code}]{'; ' + cure if cure else ''}")
        self.status = status
        self.code = code
        self.detail = detail
        self.cure = cure


class Unreachable(ApiError):
    """No answer came. Whether the server has done what was asked is unknown, unless it is asked again."""

    def __init__(self, url: str, error: BaseException) -> None:
        detail = f"{url} does not answer: {error or type(error).__name__}"
        cure = "is 'stepwell serve' running there? STEPWELL_URL names another address"
        if isinstance(error, ssl.SSLCertVerificationError):
            cure = "SSL_CERT_FILE names the certificates to trust"
        super().__init__(0, "unreachable", detail, cure)


class NotSettled(TimeoutError):
    """The task did not settle in time; `task` is how it was then."""

    def __init__(self, task: Task, timeout: float) -> None:
        super().__init__(f"task {task.task_id} is {task.state} after {timeout:g} s")
        self.task = task


class Client:
    """A client of one server. May be used by several threads.

    `url` is `http://HOST:PORT`, `https://HOST:PORT` or `unix:PATH`; else STEPWELL_URL, else
    http://127.0.0.1:7420. `token` is else STEPWELL_TOKEN. `initiator` and `source_system` are
    noted with all tasks that it creates. `timeout` is how many seconds an answer may take.
    """

    def __init__(
        self,
        url: Optional[str] = None,
        token: Optional[str] = None,
        initiator: Optional[str] = None,
        source_system: Optional[str] = None,
        *,
        timeout: float = 60,
    ) -> None:
        self._address = Address.parse(url or os.environ.get("STEPWELL_URL") or DEFAULT_URL)
        self._token = token or os.environ.get("STEPWELL_TOKEN")
        self._origin = {"initiator": initiator, "source_system": source_system}
        self._timeout = timeout
        self._tls = self._address.trusted()
        self._mine = threading.local()

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
        return Task.read(self._json("GET", _path("tasks", task)))

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
        answer = self._json("GET", "/v1/tasks" + _query(wanted))
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

        Raises `NotSettled` after `timeout` seconds; without it the wait has no end.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _WAIT_SLICE if end is None else max(0.0, min(_WAIT_SLICE, end - time.monotonic()))
            path = _path("tasks", task) + _query({"wait": f"{int(left * 1000)}ms"})
            found = Task.read(self._json("GET", path, limit=left + self._timeout))
            if found.is_settled:
                return found
            if end is not None and time.monotonic() >= end:
                raise NotSettled(found, timeout or 0)

    def cancel_task(self, task: str, reason: Optional[str] = None) -> Task:
        """End a task: nothing more of it runs."""
        return Task.read(self._json("POST", _path("tasks", task, "cancel"), _present({"reason": reason})))

    def pause_task(self, task: str, reason: Optional[str] = None) -> Task:
        """Let nothing further of a task begin; what runs goes on to its end."""
        return Task.read(self._json("POST", _path("tasks", task, "pause"), _present({"reason": reason})))

    def resume_task(self, task: str, reason: Optional[str] = None) -> Task:
        """End the pause of a task."""
        return Task.read(self._json("POST", _path("tasks", task, "resume"), _present({"reason": reason})))

    def retry_task(self, task: str, steps: Optional[Iterable[str]] = None, reason: Optional[str] = None) -> Task:
        """Let failed steps begin again with fresh attempts: those named, or all of the task."""
        wish = {"steps": None if steps is None else list(steps), "reason": reason}
        return Task.read(self._json("POST", _path("tasks", task, "retry"), _present(wish)))

    # Steps.

    def list_task_steps(self, task: str) -> List[Step]:
        """The steps of a task, in the template's order."""
        return [Step.read(step) for step in self._json("GET", _path("tasks", task, "steps"))["steps"]]

    def get_step(self, task: str, step: str) -> Step:
        """One step of a task."""
        return Step.read(self._json("GET", _path("tasks", task, "steps", step)), step)

    def get_step_audit_history(self, task: str, step: str) -> List[Dict[str, Any]]:
        """All events of a step as CloudEvents, oldest first."""
        events: List[Dict[str, Any]] = self._json("GET", _path("tasks", task, "steps", step, "audit"))["events"]
        return events

    def resolve_step(self, task: str, step: str, result: Any = None, reason: Optional[str] = None) -> Task:
        """Settle a step by hand with this result, so that the steps after it can run."""
        wish = {"result": result, **_present({"reason": reason})}
        return Task.read(self._json("POST", _path("tasks", task, "steps", step, "resolve"), wish))

    # Templates and the server.

    def put_template(self, text: str) -> Template:
        """Make a template known, from its YAML. A known version must have the same text."""
        reply = self._request("PUT", "/v1/templates", text.encode("utf-8"), True, content_type="application/yaml")
        return Template.read(_read(reply))

    def list_templates(self) -> List[Template]:
        """All templates that the server knows."""
        return [Template.read(template) for template in self._json("GET", "/v1/templates")["templates"]]

    def health_check(self) -> Dict[str, Any]:
        """How the server is; `status` is `ready` when it takes tasks."""
        health: Dict[str, Any] = self._json("GET", "/v1/health")
        return health

    # Requests.

    def _wish(self, wish: Mapping[str, Any]) -> Dict[str, Any]:
        return {**_present(self._origin), **_present(wish)}

    def _json(
        self, method: str, path: str, body: Any = None, is_repeatable: Optional[bool] = None, limit: Optional[float] = None
    ) -> Any:
        content = None if body is None else encode(body, "request")
        is_repeatable = method == "GET" if is_repeatable is None else is_repeatable
        return _read(self._request(method, path, content, is_repeatable, limit))

    def _request(
        self,
        method: str,
        path: str,
        body: Optional[bytes],
        is_repeatable: bool,
        limit: Optional[float] = None,
        content_type: str = "application/json",
    ) -> Reply:
        """The server's answer; a busy server, and what may be repeated, is asked again."""
        connection = self._connection()
        if not is_repeatable:
            connection.close()  # one that the server has closed meanwhile would leave it open what has happened
        delay = 0.1
        for tries_left in reversed(range(_TRIES)):
            try:
                reply = connection.request(method, path, body, limit or self._timeout, content_type)
            except TROUBLE as error:
                was_never_sent = isinstance(error, ConnectionRefusedError)
                if not tries_left or not (is_repeatable or was_never_sent):
                    raise Unreachable(self._address.url, error) from error
                wait = delay
            else:
                if reply.status not in (429, 503) or not tries_left:
                    return reply
                wait = delay if reply.retry_after is None else reply.retry_after
            time.sleep(wait * random.uniform(1, 1.2))
            delay *= 2
        raise AssertionError("the last try returns or raises")

    def _connection(self) -> Connection:
        """Each thread has its own."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = Connection(self._address, self._token, self._tls)
        connection: Connection = self._mine.connection
        return connection


#: The name that authors of Tasker applications know.
TaskerClient = Client


def _read(reply: Reply) -> Any:
    if reply.status >= 300:
        problem = reply.problem()
        code = problem["code"] or f"http_{reply.status}"
        raise ApiError(reply.status, code, str(problem.get("detail") or ""), str(problem.get("cure") or ""))
    try:
        return reply.json()
    except ValueError:
        raise ApiError(reply.status, "not_json", "the answer is not JSON; is this a Stepwell server?") from None


def _path(*parts: str) -> str:
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def _query(parameters: Mapping[str, Any]) -> str:
    text = urlencode(_present(parameters))
    return f"?{text}" if text else ""


def _present(members: Mapping[str, Any]) -> Dict[str, Any]:
    return {name: value for name, value in members.items() if value is not None}


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
    put_template = _async(Client.put_template)
    list_templates = _async(Client.list_templates)
    health_check = _async(Client.health_check)
