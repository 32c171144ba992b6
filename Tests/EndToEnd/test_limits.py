"""Limits: never more at once, and never faster, than was said; also over kill -9, and told by everybody who is asked."""

from __future__ import annotations

import unittest
from datetime import datetime
from typing import Any, Dict, List

from serving import CHAIN, RawWorker, Server, ServingTest
from support import Stepwell, wait_until

# Each writes a line when it begins and one when it ends, with its process id.
CROWD = """
name: crowd
namespace_name: default
version: 1.0.0
steps:
  - name: work
    handler: { command: ["sh", "-c", 'echo "start $$" >> "$STEP_COUNTER_FILE"; sleep 0.03; echo "end $$" >> "$STEP_COUNTER_FILE"'] }
    retry: { max_attempts: 20 }
"""


class Limits(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.folder = self.templates(CROWD, CHAIN)

    def start(self) -> Server:
        return self.serve(self.stepwell, "--templates", self.folder).ready()

    def submit(self, server: Server, count: int) -> None:
        server.post("/tasks/batch", {"tasks": [{"name": "crowd"} for _ in range(count)]})

    def complete(self, server: Server) -> int:
        return len(server.get("/tasks?state=complete&limit=1000")["tasks"])

    def most_at_once(self, lines: List[str]) -> int:
        """By the handlers' own file. Nobody may end who has not begun in these lines."""
        running, most = set(), 0
        for line in lines:
            what, process = line.split()
            if what == "start":
                running.add(process)
                most = max(most, len(running))
            else:
                running.remove(process)
        return most

    def test_never_more_at_once_also_over_kill_9(self) -> None:
        server = self.start()
        status, limit = server.request("PUT", "/limits/namespace/default", {"concurrency_max": 3, "reason": "narrow"})
        self.assertEqual((status, limit["concurrency_max"], limit["rate"], limit["reason"]), (200, 3, None, "narrow"))
        self.submit(server, 60)
        wait_until(lambda: len(self.stepwell.counter.lines()) > 30, "a quarter has run")
        first = server.get("/limits/namespace/default")
        self.assertLessEqual(first["running"], 3)
        server.process.kill()
        before = len(self.stepwell.counter.lines())

        server = self.start()
        wait_until(lambda: self.complete(server) == 60, "all tasks are complete")
        lines = self.stepwell.counter.lines()
        self.assertEqual(self.most_at_once(lines[:before]), 3)
        # What outlived the server for a moment was ended before the next one started anything.
        while lines[before].startswith("end "):
            before += 1
        self.assertEqual(self.most_at_once(lines[before:]), 3)
        self.assertEqual(server.get("/limits/namespace/default"), {**limit, "running": 0, "waiting": 0})
        self.stepwell.run("verify")

    def test_never_faster_also_over_kill_9(self) -> None:
        server = self.start()
        self.stepwell.run("limit", "set", "namespace", "default", "--rate", "40/s", "--burst", "3")
        self.submit(server, 60)
        wait_until(lambda: len(self.stepwell.counter.lines()) > 40, "a third has run")
        server.process.kill()
        server = self.start()
        wait_until(lambda: self.complete(server) == 60, "all tasks are complete")
        times = [
            datetime.fromisoformat(event["time"].replace("Z", "+00:00")).timestamp()
            for event in self.stepwell.events("attempt.started")
        ]
        for first, start in enumerate(times):
            for last in range(first, len(times)):
                self.assertLessEqual(last - first + 1, 3 + 40 * (times[last] - start) + 0.001)
        # How often depends on how many a busy machine lets start together.
        self.assertTrue(self.stepwell.events("limit.due"))
        self.stepwell.run("verify")

    def test_everybody_tells_what_a_step_waits_for(self) -> None:
        server = self.start()
        server.request("PUT", "/limits/handler/first", {"rate": "1/h"})
        worker = RawWorker(server, ["first", "second"], concurrency=5)
        server.post("/tasks", {"name": "chain", "namespace": "default"})
        [attempt] = worker.attempts()
        task = server.post("/tasks", {"name": "chain", "namespace": "default"})["task_id"]
        wait = server.get(f"/tasks/{task}/explain")["waits"]["first"]
        self.assertEqual((wait["reason"], wait["scope"], wait["name"]), ("limit", "handler", "first"))
        told = self.stepwell.run("explain", task).stdout
        self.assertIn("waits for the limit of handler 'first': its rate of 1/h lets the next attempt start at ", told)
        limit = server.get("/limits/handler/first")
        self.assertEqual((limit["running"], limit["waiting"], limit["due_at"]), (1, 1, wait["due_at"]))
        figures = server.get("/metrics")
        self.assertIn('stepwell_limit_waiting_steps{scope="handler",name="first"} 1\n', figures)
        self.assertIn('stepwell_limit_running_attempts{scope="handler",name="first"} 1\n', figures)
        self.assertIn("handler 'first'", self.stepwell.run("state").stdout)
        worker.succeed(attempt)
        # Set anew as a whole: now only the number at once counts, and the second task goes on.
        server.request("PUT", "/limits/handler/first", {"concurrency_max": 1})
        attempts = worker.attempts(2)
        self.assertEqual({found["step"] for found in attempts}, {"first", "second"})

    def test_limits_are_set_listed_and_removed(self) -> None:
        server = self.start()
        self.limit_commands()
        refusals: Dict[str, int] = {}
        for method, path, body in (
            ("PUT", "/limits/handler/h", {}), ("PUT", "/limits/handler/h", {"rate": "fast"}),
            ("PUT", "/limits/handler/h", {"burst": 3}), ("PUT", "/limits/queue/h", {"concurrency_max": 1}),
            ("PUT", "/limits/handler/h", {"concurrency_max": -1}), ("GET", "/limits/handler/h", None),
            ("DELETE", "/limits/handler/h", None),
        ):
            status, answer = server.request(method, path, body)
            refusals.setdefault(answer["code"], status)
        self.assertEqual(refusals, {"invalid_limit": 422, "malformed_request": 400, "unknown_limit": 404})
        server.process.signal(15)
        server.process.wait()
        self.limit_commands()
        self.stepwell.run("verify")

    def test_a_token_changes_what_is_its(self) -> None:
        server = self.start()
        secrets = {
            role: self.stepwell.run("token", "create", role, "--role", role, "--namespace", "default").stdout.strip()
            for role in ("viewer", "operator")
        }

        def ask(role: str, method: str, path: str, body: Any = None) -> int:
            return server.request(method, path, body, Authorization=f"Bearer {secrets[role]}")[0]

        wait_until(lambda: ask("operator", "GET", "/limits") == 200, "the tokens are known")
        self.assertEqual(ask("viewer", "PUT", "/limits/namespace/default", {"concurrency_max": 3}), 403)
        self.assertEqual(ask("operator", "PUT", "/limits/namespace/default", {"concurrency_max": 3}), 200)
        self.assertEqual(ask("operator", "PUT", "/limits/namespace/others", {"concurrency_max": 3}), 403)
        self.assertEqual(ask("operator", "PUT", "/limits/handler/first", {"concurrency_max": 3}), 403)
        self.stepwell.run("limit", "set", "handler", "first", "--concurrency", "3")
        self.assertEqual(ask("operator", "GET", "/limits/handler/first"), 404)
        self.assertEqual(ask("viewer", "GET", "/limits/namespace/default"), 200)
        self.assertEqual(ask("operator", "DELETE", "/limits/namespace/default"), 204)

    def limit_commands(self) -> None:
        """The same with a server and without one."""
        stepwell = self.stepwell
        limit = stepwell.json(
            "limit", "set", "handler", "mail.send", "--concurrency", "4", "--rate", "100/min", "--burst", "20",
            "--reason", "the provider asks for it")
        self.assertEqual(
            (limit["concurrency_max"], limit["rate"], limit["burst"], limit["reason"]),
            (4, "100/min", 20, "the provider asks for it"))
        self.assertTrue(limit["set_by"].startswith("operator "))
        self.assertEqual([found["name"] for found in stepwell.json("limit", "list")], ["mail.send"])
        self.assertIn("100/min", stepwell.run("limit", "list").stdout)
        self.assertIn("unknown_limit", stepwell.run("limit", "remove", "namespace", "mail.send", code=3).stderr)
        self.assertIn("invalid_limit", stepwell.run("limit", "set", "handler", "x", code=2).stderr)
        for wrong in (["set", "handler"], ["set", "queue", "x"], ["clear"], ["set", "handler", "x", "--rate", "fast"],
                      ["set", "handler", "x", "--burst", "2"]):
            stepwell.run("limit", *wrong, code=2)
        stepwell.run("limit", "remove", "handler", "mail.send", "--reason", "they have grown")
        self.assertEqual(stepwell.json("limit", "list"), [])
        self.assertEqual(stepwell.events("limit.removed")[-1]["data"]["reason"], "they have grown")


if __name__ == "__main__":
    unittest.main()
