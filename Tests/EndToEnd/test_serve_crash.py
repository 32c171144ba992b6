"""Workers elsewhere and kill -9: of the server in the middle of 200 tasks, of workers, and SIGSTOP of one."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import sys
import threading
import unittest
from collections import Counter
from typing import List, Set, Tuple

from serving import EventSubscriber, RawWorker, Server, ServingTest
from support import Running, Stepwell, wait_until

FAN = """
name: fan
namespace_name: default
version: 1.0.0
steps:
  - { name: split, handler: { callable: work } }
  - { name: left, handler: { callable: work }, dependencies: [split] }
  - { name: right, handler: { callable: work }, dependencies: [split] }
  - { name: join, handler: { callable: work }, dependencies: [left, right] }
"""

HANDLERS = """
import os, time
from stepwell import StepHandler

def note(what, context):
    with open(os.environ["STEP_COUNTER_FILE"], "a") as file:
        file.write(f"{what} {context.task_uuid} {context.step_name}\\n")

class Work(StepHandler):
    handler_name = "work"

    def call(self, context):
        note("start", context)
        # Behind a gate it does not let itself be stopped: what it says comes late, but it comes.
        while (gate := os.environ.get("GATE")):
            try:
                while not os.path.exists(gate):
                    time.sleep(0.01)
                time.sleep(0.5)
                break
            except BaseException:
                continue
        note("end", context)
        return self.success({"pid": os.getpid()})
"""


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class ServeCrash(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.folder = self.templates(FAN)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        (self.stepwell.folder / "handlers.py").write_text(HANDLERS, encoding="utf-8")

    def start(self, *options: str, lease: int = 30) -> Server:
        return Server(
            self.stepwell, "--templates", self.folder, "--lease", str(lease), *options, port=self.port).ready()

    def worker(self, concurrency: int = 4, **environment: str) -> Running:
        words = [
            sys.executable, "-m", "stepwell", "worker", str(self.stepwell.folder / "handlers.py"),
            "--server", self.url, "--concurrency", str(concurrency),
        ]
        variables = {**self.environment, **self.stepwell.environment, **environment}
        return Running(self, words, variables, self.stepwell.folder)

    def notes(self) -> List[Tuple[str, str, str]]:
        found = []
        for line in self.stepwell.counter.lines():
            what, task, step = line.split()
            found.append((what, task, step))
        return found

    def test_kill_9_of_the_server_in_the_middle_of_200_tasks(self) -> None:
        server = self.start()
        workers = [self.worker(), self.worker()]
        wait_until(lambda: sum(w["kind"] == "remote" for w in server.get("/workers")["workers"]) == 2, "both joined")
        seen: List[int] = []
        is_over = threading.Event()

        def subscribe() -> None:
            last = 0
            while not is_over.is_set():
                try:
                    subscriber = EventSubscriber(self.port, after=last)
                except (OSError, http.client.HTTPException):
                    continue
                for number in subscriber.ids():
                    seen.append(number)
                    last = number
                subscriber.close()

        thread = threading.Thread(target=subscribe)
        thread.start()
        self.addCleanup(is_over.set)
        created = server.post("/tasks/batch", {"tasks": [{"name": "fan"} for _ in range(200)]})["tasks"]
        self.assertEqual(len(created), 200)
        wait_until(lambda: sum(what == "end" for what, _, _ in self.notes()) > 250, "a third of the steps have run")
        server.process.kill()
        before = self.stepwell.events("attempt.succeeded")
        self.assertGreater(len(before), 200)
        self.assertLess(len(before), 800)
        complete: Set[Tuple[str, str]] = {(event["task_id"], event["data"]["step"]) for event in before}

        server = self.start()
        wait_until(
            lambda: len(server.get("/tasks?state=complete&limit=1000")["tasks"]) == 200, "all tasks are complete")
        self.assertEqual([worker.code for worker in workers], [None, None])
        starts = Counter((task, step) for what, task, step in self.notes() if what == "start")
        again = {place for place, count in starts.items() if count > 1}
        self.assertEqual(again & complete, set(), "no completed step ran again")
        self.assertEqual(len(starts), 800)
        lost = Counter((event["task_id"], event["data"]["step"]) for event in self.stepwell.events("attempt.lost"))
        for place, count in starts.items():
            self.assertLessEqual(count, 1 + lost[place])
        succeeded = Counter(
            (event["task_id"], event["data"]["step"]) for event in self.stepwell.events("attempt.succeeded"))
        self.assertEqual(set(succeeded.values()), {1})
        self.assertEqual(len(succeeded), 800)
        self.stepwell.run("verify")

        head = server.get("/health")["events"]
        wait_until(lambda: seen and seen[-1] >= head, "the subscriber has come to the end")
        is_over.set()
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(), 0, server.process)
        thread.join(30)
        self.assertEqual(seen, list(range(1, len(seen) + 1)), "nothing was missed or repeated")

    def test_attempts_of_a_dead_or_stopped_worker_move_on_after_the_lease(self) -> None:
        server = self.start(lease=2)
        gate = self.stepwell.folder / "gate"
        dead, stopped = self.worker(1, GATE=str(gate)), self.worker(1, GATE=str(gate))
        server.post("/tasks/batch", {"tasks": [{"name": "fan"}, {"name": "fan"}]})
        wait_until(lambda: len(self.notes()) == 2, "both hold an attempt")
        dead.kill()
        stopped.signal(signal.SIGSTOP)
        healthy = self.worker()
        wait_until(
            lambda: len(server.get("/tasks?state=complete")["tasks"]) == 2, "the tasks are complete without them")
        lost = self.stepwell.events("attempt.lost")
        self.assertEqual({event["data"]["reason"] for event in lost}, {"worker_died"})
        self.assertEqual(len(lost), 2)
        gate.touch()
        stopped.signal(signal.SIGCONT)
        [rejected] = wait_until(lambda: self.stepwell.events("result.rejected"), "the late answer is rejected")
        # Its task is complete by now, or at least the attempt is lost.
        self.assertIn(rejected["data"]["reason"], ("lost", "task_closed"))
        self.assertIn(rejected["data"]["lease"], [event["data"]["lease"] for event in lost])
        wait_until(lambda: "too late" in stopped.stderr, "the worker says so")
        results = [
            server.get(f"/tasks/{task['task_id']}/steps/split/result")["pid"] for task in server.get("/tasks")["tasks"]
        ]
        self.assertEqual(len(set(results)), 1, "both results are the healthy worker's")
        healthy.signal(signal.SIGTERM)
        self.assertEqual(healthy.wait(), 0)
        self.stepwell.run("verify")

    def test_attempts_of_a_worker_killed_while_idle_move_on_before_the_lease(self) -> None:
        server = self.start("--access-log", lease=60)
        dead = RawWorker(server, ["work"], concurrency=4, name="dead")
        waiting = http.client.HTTPConnection("127.0.0.1", self.port)
        poll = f"/v1/workers/{dead.id}/poll"
        waiting.request("POST", poll, json.dumps({"after": 0, "wait_ms": 10_000}))
        # What the system does for a process that was killed.
        waiting.close()
        wait_until(lambda: poll in server.process.stderr, "the server has noticed")
        task = server.post("/tasks", {"name": "fan"})["task_id"]
        wait_until(lambda: self.stepwell.events("attempt.started"), "the dead worker is given the attempt")
        healthy = self.worker()
        wait_until(lambda: server.get(f"/tasks/{task}")["state"] == "complete", "the task is complete without it")
        [left] = self.stepwell.events("worker.left")
        self.assertEqual(left["data"]["reason"], "it broke its poll off and did not ask again for 4.0 s")
        self.assertEqual([event["data"]["reason"] for event in self.stepwell.events("attempt.lost")], ["worker_died"])
        self.assertEqual(server.request("POST", f"/workers/{dead.id}/poll", {"after": 0})[0], 404)
        healthy.signal(signal.SIGTERM)
        self.assertEqual(healthy.wait(), 0)


if __name__ == "__main__":
    unittest.main()
