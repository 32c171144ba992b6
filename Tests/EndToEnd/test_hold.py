"""`stepwell serve --hold`: it takes everything and starts nothing, until it is released."""

from __future__ import annotations

import re
import signal
import threading
import unittest
from typing import Any, Dict, List

from managing import Manager
from serving import CHAIN, RawWorker, Server, ServingTest
from support import Stepwell, wait_until

# The retry comes due while the server is held.
FLAKY = """
name: flaky
namespace_name: default
version: 1.0.0
steps:
  - name: only
    handler: { callable: flaky }
    retry: { max_attempts: 5, backoff: linear, backoff_base_ms: 1500, jitter: false }
"""

COMMAND = """
name: command
namespace_name: default
version: 1.0.0
steps:
  - { name: only, handler: { command: ["echo", "3"] } }
"""


class Hold(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.folder = self.templates(CHAIN, FLAKY, COMMAND)

    def start(self, *options: str, **environment: str) -> Server:
        return self.serve(self.stepwell, "--templates", self.folder, *options, **environment).ready()

    def check_log(self) -> None:
        self.stepwell.run("verify")

    def states(self, server: Server) -> List[str]:
        return [task["state"] for task in server.get("/tasks")["tasks"]]

    def test_what_is_taken_is_kept_over_a_crash_and_runs_after_the_release(self) -> None:
        # A life before the hold: one attempt is running when the server dies, one waits for its retry.
        server = self.start()
        before = RawWorker(server, ["first", "second", "flaky"], concurrency=2)
        server.post("/tasks", {"name": "chain", "idempotency_key": "old"})
        server.post("/tasks", {"name": "flaky"})
        attempts = {attempt["step"]: attempt for attempt in before.attempts(2)}
        before.deliver({"type": "failure", "lease": attempts["only"]["lease"], "message": "not yet"})
        server.process.kill()
        started = len(self.stepwell.events("attempt.started"))

        server = self.start("--hold")
        self.assertIs(server.get("/health")["held"], True)
        self.assertIs(server.get("/health/ready")["held"], True)
        self.assertIn("stepwell_held 1", server.get("/metrics"))
        wait_until(lambda: "[held] held: " in server.process.stderr, "it says so")
        worker = RawWorker(server, ["first", "second"])
        self.assertEqual(server.get("/health")["held_workers"], 2, "it and the commands")
        kept = server.post("/tasks", {"name": "chain", "idempotency_key": "new"}, status=201)["task_id"]
        command = server.post("/tasks", {"name": "command"})["task_id"]
        cancelled = server.post("/tasks", {"name": "command"})["task_id"]
        self.assertEqual(server.post(f"/tasks/{cancelled}/cancel", {})["state"], "cancelled")
        self.assertEqual(worker.poll(wait_ms=100), [])
        # Time goes on: the retry comes due, and its step waits.
        wait_until(lambda: self.stepwell.events("retry.due"), "the retry has come due")
        self.assertIs(server.get(f"/tasks/{command}/explain")["held"], True)
        self.assertIn("the server is on hold", self.stepwell.run("explain", command).stderr)
        self.check_log()

        server.process.kill()
        server = self.start("--hold")
        tasks = {task["task_id"]: task for task in server.get("/tasks")["tasks"]}
        self.assertEqual({tasks[each]["state"] for each in (kept, command)}, {"pending"})
        self.assertEqual(server.post("/tasks", {"name": "chain", "idempotency_key": "new"}, status=200)["task_id"], kept)
        self.assertEqual(len(self.stepwell.events("attempt.started")), started, "nothing has started while it was held")

        worker = RawWorker(server, ["first", "second", "flaky"])
        found: List[Dict[str, Any]] = []
        poll = threading.Thread(target=lambda: found.extend(worker.poll(wait_ms=10_000)))
        poll.start()
        self.assertIn("released", self.stepwell.run("release", "--reason", "all is\nwell").stdout)
        poll.join(30)
        self.assertEqual([message["type"] for message in found], ["attempt"])
        self.assertIs(server.get("/health")["held"], False)
        self.assertIn("stepwell_held 0", server.get("/metrics"))
        wait_until(lambda: re.search(r"released by \S.*: all is well\n", server.process.stderr), "it says so")
        attempts_left = found
        while not set(self.states(server)) <= {"complete", "cancelled"}:
            for attempt in attempts_left:
                worker.succeed(attempt, 1)
            attempts_left = [each for each in worker.poll(wait_ms=500) if each["type"] == "attempt"]
        self.assertEqual(sorted(self.states(server)), ["cancelled"] + ["complete"] * 4)
        self.assertEqual(self.stepwell.json("release"), {"released": False, "held": False})
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(), 0)
        self.check_log()

    def test_a_server_on_hold_ends_without_starting_anything(self) -> None:
        manager = Manager(self)
        server = self.start("--hold", NOTIFY_SOCKET=manager.name)
        self.assertTrue(manager.wait_for("READY=1")["STATUS"].startswith("held"))
        RawWorker(server, ["first"])
        server.post("/tasks", {"name": "chain"})
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(), 0)
        self.assertEqual(self.stepwell.events("worker.joined"), [])
        self.assertEqual(self.stepwell.events("attempt.started"), [])
        self.check_log()

    def test_a_worker_that_has_gone_is_not_let_in(self) -> None:
        server = self.start("--hold", "--lease", "1")
        RawWorker(server, ["first"], name="gone")
        wait_until(lambda: "was not heard of" in server.process.stderr, "the worker has gone")
        self.assertEqual(server.get("/health")["held_workers"], 1)
        server.post("/release", {"reason": "now"})
        wait_until(lambda: self.stepwell.events("worker.joined"), "the commands have joined")
        self.assertEqual([each["data"]["worker_kind"] for each in self.stepwell.events("worker.joined")], ["command"])

    def test_only_an_operator_of_all_namespaces_ends_it(self) -> None:
        server = self.start("--hold")
        tokens = {
            name: self.stepwell.run("token", "create", name, *words).stdout.strip()
            for name, words in {
                "viewer": ["--role", "viewer"], "narrow": ["--role", "admin", "--namespace", "default"],
                "operator": ["--role", "operator"],
            }.items()
        }

        def release(name: str) -> int:
            return server.request("POST", "/release", {}, Authorization=f"Bearer {tokens[name]}")[0]

        wait_until(lambda: server.request("GET", "/tasks")[0] == 401, "a token is needed")
        self.assertEqual([release(name) for name in ("viewer", "narrow")], [403, 403])
        self.assertIs(server.get("/health/ready")["held"], True)
        self.assertEqual(release("operator"), 200)
        self.assertIs(server.get("/health/ready")["held"], False)
        wait_until(lambda: "released by operator" in server.process.stderr, "it says who has released it")

    def test_a_release_needs_a_server(self) -> None:
        self.assertIn("[no_server]", self.stepwell.run("release", code=3).stderr)


if __name__ == "__main__":
    unittest.main()
