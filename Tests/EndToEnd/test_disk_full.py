"""A disk that is full, and has space again: a small tmpfs, for which mount asks for root."""

from __future__ import annotations

import http.client
import json
import threading
from pathlib import Path
from signal import SIGTERM
from typing import List

from serving import Server
from support import STEPS, EndToEndTest, InventoryService, Running, Stepwell, shell_step, wait_until

FULL = "the disk that holds the store '"
FREE = "there is space on the disk again; going on"


class DiskFull(EndToEndTest):
    def setUp(self) -> None:
        super().setUp()
        self.disk = self.small_disk("4m")
        self.filler = self.disk / "filler"

    def fill_disk(self) -> None:
        with open(self.filler, "ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                try:
                    while True:
                        file.write(bytes(size))
                except OSError:
                    pass

    def free_disk(self) -> None:
        self.filler.unlink()

    def wait_for(self, engine: Running, text: str) -> None:
        wait_until(lambda: text in engine.stderr or engine.code is not None, f"the engine says '{text}'")
        self.assertIsNone(engine.code, str(engine))

    def new_gated(self) -> "Gated":
        return Gated(self, self.disk / "store")

    def test_the_engine_says_so_loses_nothing_and_goes_on_when_there_is_space(self) -> None:
        gated = self.new_gated()
        engine = gated.begin()
        self.fill_disk()
        gated.open()
        self.wait_for(engine, FULL)
        self.assertIn("free some space; a running engine goes on by itself", engine.stderr)
        self.assertEqual(gated.stepwell.steps_with("step.completed"), {"before": 1}, "readers see what is on disk")
        self.free_disk()
        self.assertEqual(engine.wait(), 0, str(engine))
        self.assertIn(FREE, engine.stderr)
        self.check_complete(gated)
        self.assertEqual(gated.runs(), ["before", "large", "after"])
        self.assertEqual(gated.stepwell.events("attempt.lost"), [])

    def test_a_server_whose_disk_is_full_refuses_what_would_write_and_says_when_to_come_again(self) -> None:
        stepwell = Stepwell(self, store=self.disk / "store")
        folder = self.new_folder()
        (folder / "one.yaml").write_text(
            "{name: one, namespace_name: default, version: 1, steps: [{name: a, handler: {callable: nobody.has}}]}")
        server = Server(stepwell, "--templates", str(folder)).ready()
        first = server.post("/tasks", {"name": "one"}, status=201)
        self.fill_disk()
        answers: List[int] = []
        large = {"name": "one", "context": {"text": "x" * 500_000}}
        held = threading.Thread(target=lambda: answers.append(server.request("POST", "/tasks", large)[0]))
        held.start()
        self.wait_for(server.process, FULL)
        for method, path, body in (
            ("POST", "/tasks", {"name": "one"}), ("POST", "/tasks/batch", {"tasks": [{"name": "one"}]}),
            ("POST", f"/tasks/{first['task_id']}/cancel", {}), ("PUT", "/limits/handler/h", {"concurrency_max": 1}),
            ("GET", "/health", None), ("GET", "/metrics", None), ("GET", "/limits", None), ("GET", "/workers", None),
        ):
            connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            connection.request(method, "/v1" + path, body and json.dumps(body))
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.getheader("Retry-After")), (503, "1"), path)
            self.assertEqual(json.loads(answer.read())["code"], "disk_full", path)
            connection.close()
        self.assertEqual([task["task_id"] for task in server.get("/tasks")["tasks"]], [first["task_id"]])
        server.get("/health/live")
        self.free_disk()
        held.join(60)
        self.assertEqual(answers, [201])
        self.assertEqual(len(server.get("/tasks")["tasks"]), 2)
        stepwell.run("verify")

    def test_SIGTERM_ends_an_engine_whose_disk_is_full(self) -> None:
        gated = self.new_gated()
        engine = gated.begin()
        self.fill_disk()
        gated.open()
        self.wait_for(engine, FULL)
        engine.signal(SIGTERM)
        self.assertEqual(engine.wait(), 130, str(engine))
        self.assertEqual(self.processes(), [])
        self.free_disk()
        gated.stepwell.run(*gated.run_it)
        self.check_complete(gated)

    def test_an_engine_that_is_killed_on_a_full_disk_has_lost_nothing(self) -> None:
        gated = self.new_gated()
        engine = gated.begin()
        self.fill_disk()
        gated.open()
        self.wait_for(engine, FULL)
        engine.kill()
        with self.subTest("the next engine does not get far while the disk is full"):
            # It may find room for its first events in what the killed one has allotted.
            second = gated.stepwell.start(*gated.run_it)
            wait_until(lambda: FULL in second.stderr, "the second engine finds the disk full")
            second.kill()
        self.free_disk()
        gated.stepwell.run(*gated.run_it)
        self.check_complete(gated)

    def check_complete(self, gated: "Gated") -> None:
        [task] = gated.stepwell.tasks()
        self.assertEqual(task["state"], "complete")
        self.check_history(gated.stepwell)
        self.assertEqual(gated.runs().count("before"), 1, "what was on disk does not run again")
        self.assertEqual(gated.runs().count("after"), 1)

    def test_the_pipeline_completes_on_a_disk_that_was_full_in_its_middle(self) -> None:
        stepwell = Stepwell(
            self, store=self.disk / "store", INVENTORY_URL=InventoryService(self).url, STEP_DELAY_MS="300")
        # The result of its first extract, 415 kB, is more than what LMDB has allotted before.
        engine = stepwell.start(*stepwell.pipeline("night", "real"))
        wait_until(lambda: "extract_sales_data" in stepwell.counter.running(), "the extract runs")
        self.fill_disk()
        self.wait_for(engine, FULL)
        self.free_disk()
        self.assertEqual(engine.wait(), 0, str(engine))
        self.assertEqual(stepwell.counter.starts(), dict.fromkeys(STEPS, 1))
        self.check_history(stepwell)


class Gated:
    """A small step, a step with a large result that waits for the gate, and one after it."""

    def __init__(self, test: EndToEndTest, store: Path) -> None:
        folder = test.new_folder()
        self.gate, self.trace = folder / "gate", folder / "trace"

        def leave(name: str) -> str:
            return f"echo {name} >> {self.trace}; "

        large = "until test -e {0}; do sleep 0.02; done; printf '\"%01000000d\"' 0".format(self.gate)
        template = test.write_template(
            shell_step("before", leave("before") + "echo 1"),
            shell_step("large", leave("large") + large, dependencies=["before"]),
            shell_step("after", leave("after") + "echo 3", dependencies=["large"]))
        self.stepwell = Stepwell(test, store=store)
        self.run_it: List[str] = ["run", template, "--key", "k"]

    def begin(self) -> Running:
        engine = self.stepwell.start(*self.run_it)
        wait_until(lambda: "large" in self.runs(), "the large step runs")
        return engine

    def open(self) -> None:
        self.gate.touch()

    def runs(self) -> List[str]:
        """Which step began, each time."""
        return self.trace.read_text().split() if self.trace.exists() else []
