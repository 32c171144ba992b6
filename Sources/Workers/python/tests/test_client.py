"""The client, with a server that answers from a table. tests with the real one are in Tests/EndToEnd."""

from __future__ import annotations

import asyncio
import socket
import ssl
import sys
import tempfile
import unittest
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict

PACKAGE = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PACKAGE))

from stepwell.client import ApiError, AsyncClient, Client, NotSettled, TaskerClient, Unreachable  # noqa: E402
from table import Table  # noqa: E402

ID = "01a20f84-69b9-7fb1-a8c9-c39c40b87557"
TASK: Dict[str, Any] = {
    "task_id": ID, "namespace": "shop", "name": "prices", "version": "1.2.0", "key": "k", "state": "in_progress",
    "priority": 3, "input": {"größe": 1}, "submitted_at": "2026-11-24T21:44:25.791Z", "completed_at": None,
    "new_member": True,
    "steps": {
        "fetch": {
            "state": "complete", "attempts": 1, "max_attempts": 3, "lost": 0, "result": {"x": [1]},
            "started_at": "2026-11-24T21:44:25.791Z", "completed_at": "2026-11-24T21:44:25.794Z",
        },
        "add": {
            "state": "waiting_for_retry", "attempts": 2, "max_attempts": 3, "lost": 0, "started_at": None,
            "completed_at": None,
            "error": {"message": "no", "error_type": "mine", "retryable": True, "error_code": "E1"},
        },
    },
}


PROBLEM = {"type": "urn:x", "title": "Not Found", "status": 404, "detail": "there is no task 'x'", "code": "unknown_task", "cure": "look"}


class Requests(unittest.TestCase):
    def test_a_task_is_created_with_all_that_was_said(self) -> None:
        with Table((201, TASK)) as server:
            client = Client(server.url, "secret", initiator="ann", source_system="shop")
            task = client.create_task(
                "prices", namespace="shop", context={"größe": 1}, version="1.2.0", priority=3, tags=("a",),
                correlation_id="c", parent_correlation_id="p", idempotency_key="k", reason="test", initiator="bob",
            )
            self.assertEqual(server.requests, [("POST", "/v1/tasks", {
                "name": "prices", "namespace": "shop", "context": {"größe": 1}, "version": "1.2.0", "priority": 3,
                "tags": ["a"], "correlation_id": "c", "parent_correlation_id": "p", "idempotency_key": "k",
                "reason": "test", "initiator": "bob", "source_system": "shop",
            })])
            self.assertEqual(server.headers[0]["Authorization"], "Bearer secret")
            self.assertEqual((task.task_id, task.task_uuid, task.state, task.status), (ID, ID, "in_progress", "in_progress"))
            self.assertEqual(task.submitted_at, datetime(2026, 11, 24, 21, 44, 25, 791000, timezone.utc))
            self.assertIsNone(task.completed_at)
            self.assertEqual(task.result("fetch"), {"x": [1]})
            self.assertEqual(list(task.steps), ["fetch", "add"])
            error = task.steps["add"].error
            assert error
            self.assertEqual((error.message, error.error_type, error.error_code, error.retryable), ("no", "mine", "E1", True))
            self.assertTrue(task.raw["new_member"])
            self.assertFalse(task.is_settled)
            with self.assertRaises(KeyError):
                task.result("none")

    def test_the_least_that_can_be_said(self) -> None:
        with Table((201, TASK)) as server:
            TaskerClient(server.url).create_task(name="prices")
            self.assertEqual(server.requests[0][2], {"name": "prices", "namespace": "default"})
            self.assertNotIn("Authorization", server.headers[0])

    def test_addresses_of_all_other_requests(self) -> None:
        step = {"name": "größe/1", **TASK["steps"]["fetch"]}
        for answer, call, wanted in (
            ({"tasks": [{"task_id": ID, "created": False}]}, lambda c: c.create_tasks([{"name": "a", "idempotency_key": "k"}]),
             ("POST", "/v1/tasks/batch", {"tasks": [{"name": "a", "idempotency_key": "k", "initiator": "ann"}]})),
            (TASK, lambda c: c.get_task("a/ü"), ("GET", "/v1/tasks/a%2F%C3%BC", "")),
            (TASK, lambda c: c.cancel_task(ID, "no"), ("POST", f"/v1/tasks/{ID}/cancel", {"reason": "no"})),
            (TASK, lambda c: c.pause_task(ID, "wait"), ("POST", f"/v1/tasks/{ID}/pause", {"reason": "wait"})),
            (TASK, lambda c: c.resume_task(ID), ("POST", f"/v1/tasks/{ID}/resume", {})),
            (TASK, lambda c: c.retry_task(ID), ("POST", f"/v1/tasks/{ID}/retry", {})),
            (TASK, lambda c: c.retry_task(ID, ["add"], "x"), ("POST", f"/v1/tasks/{ID}/retry", {"steps": ["add"], "reason": "x"})),
            (TASK, lambda c: c.resolve_step(ID, "add", None), ("POST", f"/v1/tasks/{ID}/steps/add/resolve", {"result": None})),
            ({"steps": [step]}, lambda c: c.list_task_steps(ID), ("GET", f"/v1/tasks/{ID}/steps", "")),
            (step, lambda c: c.get_step(ID, "größe/1"), ("GET", f"/v1/tasks/{ID}/steps/gr%C3%B6%C3%9Fe%2F1", "")),
            ({"events": [{"id": "4"}]}, lambda c: c.get_step_audit_history(ID, "add"), ("GET", f"/v1/tasks/{ID}/steps/add/audit", "")),
            ({"status": "ready"}, lambda c: c.health_check(), ("GET", "/v1/health", "")),
            ({"templates": []}, lambda c: c.list_templates(), ("GET", "/v1/templates", "")),
            ({"namespace": "n", "name": "ü", "version": "1", "digest": "d"}, lambda c: c.put_template("name: ü"), ("PUT", "/v1/templates", "name: ü")),
            ({"tasks": [], "next": None}, lambda c: c.list_tasks(10, "c", "n s", "error", name="a", idempotency_key="k"),
             ("GET", "/v1/tasks?limit=10&cursor=c&namespace=n+s&state=error&name=a&key=k", "")),
        ):
            with self.subTest(wanted[1]), Table((200, answer)) as server:
                call(Client(server.url, initiator="ann"))
                self.assertEqual(server.requests, [wanted])

    def test_all_tasks_goes_from_page_to_page(self) -> None:
        line = {"task_id": ID, "namespace": "n", "name": "a", "version": "1", "state": "complete"}
        with Table((200, {"tasks": [line, line], "next": "2"}), (200, {"tasks": [line], "next": None})) as server:
            self.assertEqual([task.task_uuid for task in Client(server.url).all_tasks("n")], [ID] * 3)
            self.assertEqual([path for _, path, _ in server.requests], ["/v1/tasks?namespace=n", "/v1/tasks?cursor=2&namespace=n"])

    def test_wait_asks_until_the_task_is_settled(self) -> None:
        for state in ("complete", "blocked_by_failures", "cancelled", "paused"):
            with Table((200, TASK), (200, {**TASK, "state": state})) as server:
                self.assertEqual(Client(server.url).wait(ID).state, state)
                self.assertEqual([path for _, path, _ in server.requests], [f"/v1/tasks/{ID}?wait=30000ms"] * 2)

    def test_wait_has_an_end(self) -> None:
        with Table((200, TASK)) as server, self.assertRaises(NotSettled) as caught:
            Client(server.url).wait(ID, timeout=0)
        self.assertEqual(caught.exception.task.task_id, ID)
        self.assertIsInstance(caught.exception, TimeoutError)

    def test_wait_outlives_a_server_that_is_away(self) -> None:
        # More in a row than one question survives, and each kind of absence.
        away = [(0, None)] * 5 + [(503, PROBLEM), (502, "<html>"), (504, "<html>")]
        with Table(*away, (200, TASK), (502, ""), (200, {**TASK, "state": "complete"}), headers={"Retry-After": "0"}) as server:
            self.assertTrue(Client(server.url).wait(ID).is_complete)
            self.assertEqual(len(server.requests), 11)

    def test_wait_ends_with_what_does_not_pass(self) -> None:
        with Table((404, PROBLEM)) as server, self.assertRaises(ApiError) as refused:
            Client(server.url).wait(ID)
        self.assertEqual(len(server.requests), 1)
        self.assertFalse(refused.exception.may_pass)
        self.assertFalse(Unreachable("https://here", ssl.SSLCertVerificationError()).may_pass)

    def test_wait_ends_in_time_while_the_server_is_away(self) -> None:
        with Table((503, PROBLEM), headers={"Retry-After": "0"}) as server, self.assertRaises(ApiError) as caught:
            Client(server.url).wait(ID, timeout=0)
        self.assertTrue(caught.exception.may_pass)

    def test_over_a_unix_socket(self) -> None:
        with tempfile.TemporaryDirectory() as folder, Table((200, {"status": "ready"}), path=f"{folder}/api ü") as server:
            self.assertEqual(Client(server.url).health_check(), {"status": "ready"})

    def test_several_threads_share_a_client(self) -> None:
        with Table((200, TASK)) as server:
            client = AsyncClient(server.url)

            async def main() -> int:
                tasks = await asyncio.gather(*(client.get_task(str(n)) for n in range(50)))
                await client.create_task("prices", context={"a": 1})
                return len(tasks)

            self.assertEqual(asyncio.run(main()), 50)
            self.assertEqual({path for _, path, _ in server.requests[:50]}, {f"/v1/tasks/{n}" for n in range(50)})


class Trouble(unittest.TestCase):
    def test_a_refusal_has_code_detail_and_cure(self) -> None:
        with Table((404, PROBLEM)) as server, self.assertRaises(ApiError) as caught:
            Client(server.url).get_task("x")
        error = caught.exception
        self.assertEqual((error.status, error.code, error.detail, error.cure), (404, "unknown_task", "there is no task 'x'", "look"))
        self.assertEqual(str(error), "there is no task 'x' [unknown_task]; look")

    def test_another_kind_of_server_is_told_apart(self) -> None:
        for status, content, code in ((404, "<html>no</html>", "http_404"), (200, "<html>hello</html>", "not_json")):
            with Table((status, content)) as server, self.assertRaises(ApiError) as caught:
                Client(server.url).get_task("x")
            self.assertEqual(caught.exception.code, code)

    def test_a_busy_server_is_asked_again(self) -> None:
        with Table((503, PROBLEM), (429, PROBLEM), (201, TASK), headers={"Retry-After": "0"}) as server:
            self.assertEqual(Client(server.url).create_task("a").task_id, ID)
            self.assertEqual(len(server.requests), 3)
        with Table((503, PROBLEM), headers={"Retry-After": "0"}) as server, self.assertRaises(ApiError):
            Client(server.url).create_task("a")
        self.assertEqual(len(server.requests), 4)

    def test_what_may_be_repeated_is_repeated_when_a_connection_breaks(self) -> None:
        with Table((0, None), (0, None), (201, TASK)) as server:
            client = Client(server.url)
            self.assertEqual(client.create_task("a", idempotency_key="k").task_id, ID)
            self.assertEqual(len(server.requests), 3)
        with Table((0, None), (200, TASK)) as server:
            self.assertEqual(Client(server.url).get_task(ID).task_id, ID)

    def test_what_may_not_be_repeated_is_not(self) -> None:
        for call in (
            lambda c: c.create_task("a"),
            lambda c: c.create_task("a", idempotency_key="k", replace=True),
            lambda c: c.create_tasks([{"name": "a", "idempotency_key": "k"}, {"name": "a"}]),
            lambda c: c.retry_task(ID),
        ):
            with Table((200, TASK), (0, None), (201, TASK)) as server:
                client = Client(server.url)
                client.get_task(ID)  # leaves a kept connection
                with self.assertRaises(Unreachable):
                    call(client)
                self.assertEqual(len(server.requests), 2)

    def test_nobody_listens(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            with self.assertRaises(Unreachable) as caught:
                Client(f"http://127.0.0.1:{taken.getsockname()[1]}").create_task("a")
        self.assertEqual(caught.exception.code, "unreachable")
        self.assertIn("stepwell serve", caught.exception.cure)

    def test_an_input_that_is_not_json_never_leaves(self) -> None:
        with Table((201, TASK)) as server, self.assertRaisesRegex(ValueError, r"request.context.a is nan"):
            Client(server.url).create_task("a", context={"a": float("nan")})
        self.assertEqual(server.requests, [])


if __name__ == "__main__":
    unittest.main()
