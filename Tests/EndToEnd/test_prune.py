"""Finished tasks leave the store, and come back from the archive."""

from __future__ import annotations

from typing import Any

from sandbox import Sandbox, shell


class Prune(Sandbox):
    def prune(self, *words: Any, code: int = 0) -> Any:
        return self.json("prune", "--older-than", "0s", *words, code=code)

    def fill(self, count: int = 3) -> None:
        """So many finished tasks, and one that is blocked."""
        self.template(shell("a", "echo zeile >&2; echo '{\"n\": 1}'"), shell("b", "echo 2", ["a"]), name="ночь")
        for number in range(count):
            self.run_task("--key", f"k{number}")
        self.template(shell("a", "exit 1"), file="bad.yaml", name="bad")
        self.run_task(file="bad.yaml", code=1)

    def test_finished_tasks_go_and_come_back(self):
        self.fill()
        before, events = self.json("list"), self.events()
        noted = self.json("audit", "head")["hash"]
        would = self.prune("--dry-run")
        self.assertEqual((would["tasks"], would["dry_run"]), (3, True))
        self.assertEqual(self.events(), events)
        done = self.prune("--archive", "old.zst", "--reason", "genug")
        self.assertEqual((done["tasks"], done["events"], done["templates"]), (3, would["events"], 1))
        self.assertEqual([task["name"] for task in self.json("list")], ["bad"])
        told = self.events()[-1]
        self.assertEqual(told["type"], "store.pruned")
        self.assertEqual(told["actor"]["type"], "operator")
        self.assertEqual((told["data"]["task_count"], told["data"]["reason"]), (3, "genug"))
        verified = self.json("verify", "--against", noted)
        self.assertEqual((verified["ok"], verified["absent"]), (True, done["events"]))
        # Each in a store for reading, or back in its own.
        self.assertEqual(len(self.json("import", "old.zst", "--store", "old")), 3)
        self.assertEqual(len(self.json("list", "--store", "old")), 3)
        self.assertTrue(self.json("verify", "--store", "old")["ok"])
        self.stepwell("import", "old.zst")
        self.assertEqual(self.json("list"), before)
        self.assertEqual(self.events()[:-1], events)
        self.assertEqual(self.json("verify")["absent"], 0)
        # And the key is known again.
        self.assertIn("complete already", self.stepwell("run", "t.yaml", "--key", "k0").stderr)

    def test_the_store_works_on(self):
        self.fill()
        self.prune()
        self.assertEqual(self.run_task("--key", "k0")["state"], "complete")
        [blocked] = self.json("list", "--name", "bad")
        self.template(shell("a", "exit 1"), file="bad.yaml", name="bad")
        self.json("retry", blocked["task_id"], code=1)
        self.assertTrue(self.json("verify")["ok"])
        self.assertEqual(self.prune()["tasks"], 1)
        self.assertEqual(self.prune()["tasks"], 0)
        self.assertTrue(self.json("verify")["ok"])

    def test_mistakes_and_stores_that_are_not_ready(self):
        for words in [[], ["--older-than", "soon"], ["--older-than", "-1d"]]:
            self.assertIn("[usage]", self.stepwell("prune", *words, code=2).stderr)
        self.assertIn("[store_not_found]", self.stepwell("prune", "--older-than", "1d", code=3).stderr)
        self.fill(1)
        self.put("notes.zst", "text")
        self.assertIn("[file_exists]", self.stepwell(
            "prune", "--older-than", "0s", "--archive", "notes.zst", code=4).stderr)
        self.assertIn("[unwritable_file]", self.stepwell(
            "prune", "--older-than", "0s", "--archive", "missing/old.zst", code=1).stderr)
        self.assertEqual(self.prune("--dry-run")["tasks"], 1, "nothing has gone")
        self.assertEqual(self.stepwell("prune", "--older-than", "1d").stdout, "took out 0 tasks with 0 events\n")
        task = self.json("list", "--state", "complete")[0]["task_id"]
        self.put("run", self.stepwell("export", task).stdout)
        self.stepwell("import", "run", "--store", "other")
        self.assertIn("[store_imported]", self.stepwell(
            "prune", "--older-than", "0s", "--store", "other", code=4).stderr)
        self.template(shell("wait", "until test -e gate; do sleep 0.02; done; echo 1"), file="w.yaml")
        engine = self.start("run", "w.yaml")
        self.wait_for("attempt.started", engine, "wait")
        self.assertIn(f"process {engine.pid}", self.stepwell("prune", "--older-than", "0s", code=4).stderr)
        self.put("gate", "")
        self.assertEqual(engine.wait(), 0)

    def test_it_may_be_killed_at_any_moment(self):
        # Each has more than half of the events that a step may take, so that each is a step.
        self.template(*[shell(f"s{number}", "echo 1") for number in range(60)])
        for number in range(5):
            self.run_task("--key", number)
        before = {event["task_id"] for event in self.events() if event["task_id"]}
        kills = 0
        for delay in (0.0, 0.01, 0.02, 0.03, 0.05, 0.08):
            running = self.start("prune", "--older-than", "0s", "--archive", "old.zst")
            if running.runs_for(delay):
                running.kill()
                kills += 1
            self.assertTrue(self.json("verify")["ok"])
            left = {event["task_id"] for event in self.events() if event["task_id"]}
            told = sum(event["data"]["task_count"] for event in self.events() if event["type"] == "store.pruned")
            self.assertEqual(len(before) - len(left), told)
        self.assertGreater(kills, 0)
        self.prune("--archive", "old.zst")
        self.assertEqual(self.json("list"), [])
        imported = {task["task_id"] for task in self.json("import", "old.zst", "--store", "old")}
        self.assertEqual(imported, before)
        self.stepwell("import", "old.zst")
        self.assertEqual({task["task_id"] for task in self.json("list")}, before)
        self.assertEqual(self.json("verify")["absent"], 0)
