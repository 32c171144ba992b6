"""What an operator asks and says with the client, with a server that answers from a table."""

from __future__ import annotations

import asyncio
import inspect
import sys
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Tuple

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stepwell.client import ApiError, AsyncClient, Client, Unreachable  # noqa: E402
from table import Table  # noqa: E402
from test_client import ID, TASK  # noqa: E402

LIMIT: Dict[str, Any] = {
    "scope": "handler", "name": "a/ü", "concurrency_max": 4, "rate": "100/min", "burst": 20, "running": 1, "waiting": 2,
    "due_at": None, "event": 4, "set_at": "2026-11-24T21:44:25.791Z", "set_by": "ann", "reason": None,
}
WEBHOOK: Dict[str, Any] = {
    "id": "ced9", "url": "https://example.org/x", "types": ["task.completed"], "namespaces": [], "tasks": [],
    "secret": "secret:hook-key", "begins_after": 5, "created_at": "2026-11-24T21:44:25.791Z", "disable_after_s": 60,
    "state": "failing", "after": 7, "lag": 3, "sent": 2, "failed": 1, "last_error": "no", "failing_since": None,
    "next_try_at": "2026-11-24T21:45:00.000Z", "disabled_at": None,
}
PLAN: Dict[str, Any] = {"dry_run": True, "task_id": ID, "reused": ["a"], "replaced": [], "next": ["b"], "later": ["c"], "held": []}
NAME: Dict[str, Any] = {"namespace": "n", "name": "a", "version": "1", "digest": "d"}
BULK: Dict[str, Any] = {
    "action": "retry", "dry_run": False,
    "tasks": [
        {"task_id": ID, "state": "blocked_by_failures", "done": True},
        {"task_id": "x", "state": "pending", "done": False, "code": "nothing_to_retry", "detail": "there is none"},
    ],
}
PRUNED: Dict[str, Any] = {"dry_run": True, "before": "2026-11-24T00:00:00.000Z", "tasks": 3, "events": 30}
LINE: Dict[str, Any] = {
    "time": "2026-11-24T21:44:25.791Z", "step": "add", "attempt": 2, "lease": 7, "level": "info", "text": "hello",
}

Wanted = Tuple[str, str, Any]


class Operations(unittest.TestCase):
    def ask(self, answer: Any, call: Callable[[Client], Any], *wanted: Wanted, status: int = 200) -> Any:
        """What the call makes of the answer; holds what it asked for to what is wanted."""
        with Table((status, answer)) as server:
            found = call(Client(server.url))
            self.assertEqual(server.requests, list(wanted))
        return found

    def test_limits(self) -> None:
        limit = self.ask(
            LIMIT, lambda c: c.set_limit("handler", "a/ü", concurrency_max=4, rate="100/min", burst=20, reason="why"),
            ("PUT", "/v1/limits/handler/a%2F%C3%BC",
             {"concurrency_max": 4, "rate": "100/min", "burst": 20, "reason": "why"}),
        )
        self.assertEqual((limit.scope, limit.name, limit.concurrency_max, limit.rate, limit.burst), ("handler", "a/ü", 4, "100/min", 20))
        self.assertEqual((limit.running, limit.waiting, limit.due_at, limit.set_by, limit.raw["event"]), (1, 2, None, "ann", 4))
        self.assertEqual(limit.set_at, datetime(2026, 11, 24, 21, 44, 25, 791000, timezone.utc))
        self.ask(LIMIT, lambda c: c.set_limit("namespace", "n", concurrency_max=0), ("PUT", "/v1/limits/namespace/n", {"concurrency_max": 0}))
        self.assertEqual(self.ask({"limits": [LIMIT]}, lambda c: c.list_limits(), ("GET", "/v1/limits", "")), [limit])
        self.assertEqual(self.ask(LIMIT, lambda c: c.get_limit("handler", "x"), ("GET", "/v1/limits/handler/x", "")), limit)
        removed = self.ask(
            None, lambda c: c.remove_limit("handler", "x", "not now"), ("DELETE", "/v1/limits/handler/x?reason=not+now", ""), status=204
        )
        self.assertIsNone(removed)

    def test_webhooks(self) -> None:
        webhook = self.ask(
            WEBHOOK,
            lambda c: c.create_webhook(
                "https://example.org/x", types=("task.completed",), namespaces=["n"], tasks=[ID], secret="secret:hook-key",
                after=0, disable_after=60,
            ),
            ("POST", "/v1/webhooks", {
                "url": "https://example.org/x", "types": ["task.completed"], "namespaces": ["n"], "tasks": [ID],
                "secret": "secret:hook-key", "after": 0, "disable_after_s": 60,
            }),
            status=201,
        )
        self.assertEqual((webhook.id, webhook.url, webhook.types, webhook.tasks), ("ced9", "https://example.org/x", ["task.completed"], []))
        self.assertEqual((webhook.state, webhook.after, webhook.lag, webhook.sent, webhook.failed), ("failing", 7, 3, 2, 1))
        self.assertEqual((webhook.last_error, webhook.secret, webhook.disabled_at), ("no", "secret:hook-key", None))
        self.assertIsInstance(webhook.next_try_at, datetime)
        self.ask(WEBHOOK, lambda c: c.create_webhook("u"), ("POST", "/v1/webhooks", {"url": "u"}))
        self.assertEqual(self.ask({"webhooks": [WEBHOOK]}, lambda c: c.list_webhooks(), ("GET", "/v1/webhooks", "")), [webhook])
        for call, wanted in (
            (lambda c: c.get_webhook("a/b"), ("GET", "/v1/webhooks/a%2Fb", "")),
            (lambda c: c.enable_webhook("w"), ("POST", "/v1/webhooks/w/enable", {})),
            (lambda c: c.enable_webhook("w", after=0), ("POST", "/v1/webhooks/w/enable", {"after": 0})),
            (lambda c: c.remove_webhook("w"), ("DELETE", "/v1/webhooks/w", "")),
        ):
            self.assertEqual(self.ask(WEBHOOK, call, wanted), webhook)

    def test_templates(self) -> None:
        for answer, call, wanted in (
            (NAME, lambda c: c.put_template("name: a", "fast"), ("PUT", "/v1/templates?environment=fast", "name: a")),
            ({"steps": {}}, lambda c: c.get_template("n", "a/b"), ("GET", "/v1/templates/n/a%2Fb", "")),
            ({"steps": {}}, lambda c: c.get_template("n", "a", "1"), ("GET", "/v1/templates/n/a?version=1", "")),
        ):
            self.ask(answer, call, wanted)
        drawing = self.ask("a\n└─ b\n", lambda c: c.draw_template("n", "a"), ("GET", "/v1/templates/n/a/graph?format=text", ""))
        self.assertEqual(drawing, "a\n└─ b\n")
        finding = {"severity": "error", "code": "missing_key", "message": "no", "cure": None, "line": 1, "column": 2}
        found = self.ask(
            {"valid": False, "findings": [finding]}, lambda c: c.validate_template("name: ü"), ("POST", "/v1/templates/validate", "name: ü")
        )
        self.assertFalse(found.valid)
        self.assertEqual([(it.severity, it.code, it.message, it.cure, it.line, it.column) for it in found.findings],
                         [("error", "missing_key", "no", None, 1, 2)])

    def test_history(self) -> None:
        page = self.ask({"events": [{"seq": 3}], "next_after": 3}, lambda c: c.list_events(after=2, limit=1), ("GET", "/v1/events?after=2&limit=1", ""))
        self.assertEqual((page.events, page.next_after), ([{"seq": 3}], 3))
        self.ask({"events": [], "next_after": 0}, lambda c: c.list_events("t"), ("GET", "/v1/tasks/t/events?after=0", ""))
        explanation = self.ask(
            {"task_id": ID, "state": "pending", "sentences": [{"text": "it waits", "events": [7], "step": "add"}],
             "actions": [{"command": "stepwell cancel", "purpose": "end it"}], "waits": {}},
            lambda c: c.explain_task("t", "add"), ("GET", "/v1/tasks/t/explain?step=add", ""),
        )
        self.assertEqual((explanation.sentences, explanation.actions, explanation.raw["waits"]), (["it waits"], ["stepwell cancel"], {}))
        self.assertEqual(self.ask("graph TD\n", lambda c: c.draw_task("t", "mermaid"), ("GET", "/v1/tasks/t/graph?format=mermaid", "")), "graph TD\n")
        self.assertTrue(self.ask({"alike": True}, lambda c: c.diff_tasks("t", "u/v"), ("GET", "/v1/tasks/t/diff/u%2Fv", "")).alike)
        bundle = self.ask("{}\n{}\n", lambda c: c.export_task("t", ["/a", "/b"]), ("GET", "/v1/tasks/t/export?redact=%2Fa&redact=%2Fb", ""))
        self.assertEqual(bundle, "{}\n{}\n")

    def test_log_lines_page_after_page(self) -> None:
        with Table((200, {"lines": [LINE, LINE], "next": "7-2"}), (200, {"lines": [LINE], "next": None})) as server:
            lines = list(Client(server.url).all_log_lines("t", "add"))
            self.assertEqual([path for _, path, _ in server.requests], ["/v1/tasks/t/logs?step=add", "/v1/tasks/t/logs?step=add&cursor=7-2"])
        self.assertEqual([(line.step, line.attempt, line.level, line.text, line.raw["lease"]) for line in lines], [("add", 2, "info", "hello", 7)] * 3)

    def test_plans_and_forks(self) -> None:
        plan = self.ask(PLAN, lambda c: c.plan_task("t"), ("GET", "/v1/tasks/t/plan", ""))
        self.assertEqual((plan.reused, plan.replaced, plan.next, plan.later, plan.held, plan.warnings), (["a"], [], ["b"], ["c"], [], []))
        wish = {"from": "b", "input": {"a": 1}, "results": {"a": None}, "version": "2"}
        plan = self.ask(
            {**PLAN, "warnings": ["look"]}, lambda c: c.plan_fork("t", "b", input={"a": 1}, results={"a": None}, version="2"),
            ("POST", "/v1/tasks/t/fork?dry_run=true", wish),
        )
        self.assertEqual(plan.warnings, ["look"])
        task = self.ask(
            TASK, lambda c: c.fork_task("t", "b", input={"a": 1}, results={"a": None}, version="2", reason="mended"),
            ("POST", "/v1/tasks/t/fork", {**wish, "reason": "mended"}), status=201,
        )
        self.assertEqual(task.task_id, ID)

    def test_many_tasks_at_once(self) -> None:
        done = self.ask(
            BULK, lambda c: c.act_on_tasks("retry", namespace="n", name="a", status="blocked_by_failures", reason="why", limit=5),
            ("POST", "/v1/tasks/bulk",
             {"action": "retry", "namespace": "n", "name": "a", "state": "blocked_by_failures", "reason": "why", "limit": 5}),
        )
        self.assertEqual((done.action, done.dry_run), ("retry", False))
        self.assertEqual([(task.task_id, task.done, task.code) for task in done.tasks], [(ID, True, None), ("x", False, "nothing_to_retry")])
        self.ask(BULK, lambda c: c.act_on_tasks("pause", dry_run=True), ("POST", "/v1/tasks/bulk", {"action": "pause", "dry_run": True}))

    def test_pruning(self) -> None:
        noon = datetime(2026, 11, 24, 13, tzinfo=timezone(timedelta(hours=1)))
        pruned = self.ask(
            PRUNED, lambda c: c.prune_tasks(noon, tasks=[ID], reason="old", dry_run=True),
            ("POST", "/v1/prune?dry_run=true", {"before": "2026-11-24T12:00:00.000Z", "tasks": [ID], "reason": "old"}),
        )
        self.assertEqual((pruned.dry_run, pruned.tasks, pruned.events), (True, 3, 30))
        self.ask(PRUNED, lambda c: c.prune_tasks("2026-11-24T00:00:00Z"), ("POST", "/v1/prune", {"before": "2026-11-24T00:00:00Z"}))

    def test_the_server_and_its_workers(self) -> None:
        worker = {
            "name": "box", "kind": "remote", "handlers": [{"name": "add", "version": "1"}], "concurrency": 8, "running": 2,
            "namespaces": [], "labels": {"a": "b"}, "worker_id": "w", "sdk": None, "silent_ms": 3,
        }
        (found,) = self.ask({"workers": [worker]}, lambda c: c.list_workers(), ("GET", "/v1/workers", ""))
        self.assertEqual((found.name, found.kind, found.handlers, found.concurrency, found.running), ("box", "remote", ["add"], 8, 2))
        self.assertEqual((found.labels, found.worker_id, found.raw["silent_ms"]), ({"a": "b"}, "w", 3))
        self.assertIsNone(self.ask(None, lambda c: c.drain_worker("w"), ("POST", "/v1/workers/w/drain", ""), status=202))
        self.assertIs(self.ask({"released": True, "held": False}, lambda c: c.release("sound"), ("POST", "/v1/release", {"reason": "sound"})), True)
        counts = self.ask({"store_id": "s", "events": 7, "commits": 6, "head": 7}, lambda c: c.statistics(), ("GET", "/v1/stats", ""))
        self.assertEqual((counts.store_id, counts.events, counts.commits, counts.raw["head"]), ("s", 7, 6, 7))
        self.assertEqual(self.ask("a 1\n", lambda c: c.metrics(), ("GET", "/v1/metrics", "")), "a 1\n")
        self.assertEqual(self.ask({"seq": 3}, lambda c: c.get_state("-10m"), ("GET", "/v1/state?at=-10m", "")), {"seq": 3})

    def test_a_refusal_of_an_answer_without_json_is_one_too(self) -> None:
        problem = {"code": "unknown_limit", "detail": "there is none", "cure": "look"}
        for call in (lambda c: c.remove_limit("handler", "x"), lambda c: c.draw_task("t"), lambda c: c.metrics()):
            with Table((404, problem)) as server, self.assertRaises(ApiError) as caught:
                call(Client(server.url))
            self.assertEqual(caught.exception.code, "unknown_limit")

    def test_what_changes_something_is_sent_once(self) -> None:
        for call in (
            lambda c: c.remove_limit("handler", "x"), lambda c: c.create_webhook("u"), lambda c: c.enable_webhook("w", 0),
            lambda c: c.act_on_tasks("retry"), lambda c: c.prune_tasks("2026-11-24T00:00:00Z"), lambda c: c.fork_task("t", "b"),
        ):
            with Table((0, None), (200, {})) as server:
                with self.assertRaises(Unreachable):
                    call(Client(server.url))
                self.assertEqual(len(server.requests), 1)
        for call, answer in (
            (lambda c: c.set_limit("handler", "x", concurrency_max=1), LIMIT), (lambda c: c.act_on_tasks("retry", dry_run=True), BULK),
            (lambda c: c.prune_tasks("2026-11-24T00:00:00Z", dry_run=True), PRUNED), (lambda c: c.plan_fork("t", "b"), PLAN),
        ):
            with Table((0, None), (200, answer)) as server:
                call(Client(server.url))
                self.assertEqual(len(server.requests), 2)

    def test_the_async_client_has_every_call(self) -> None:
        calls = {name for name, _ in inspect.getmembers(Client, inspect.isfunction) if not name.startswith("_")}
        self.assertEqual(calls - {"all_tasks", "all_log_lines"} - set(vars(AsyncClient)), set())
        with Table((200, LIMIT)) as server:
            limit = asyncio.run(AsyncClient(server.url).set_limit("handler", "x", concurrency_max=4))
            self.assertEqual(limit.concurrency_max, 4)


if __name__ == "__main__":
    unittest.main()
