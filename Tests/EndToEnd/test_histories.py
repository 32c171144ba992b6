"""The stores that earlier formats have written (Tests/Histories), as the present binary sees them."""

from __future__ import annotations

import json
import shutil
import sys
import unittest
from pathlib import Path
from typing import Any, Dict, Tuple

from support import REPOSITORY, EndToEndTest, Stepwell


FOLDERS = sorted((REPOSITORY / "Tests" / "Histories").glob("format-*"))


# Handlers of the histories' steps that always succeed.
MENDED = "from stepwell import step_handler\n" + "".join(
    f"""
@step_handler("histories.{name}")
def {name}(context):
    return {{"from": context.checkpoint}}
""" for name in ["fetch", "long", "check", "late"])


class Histories(EndToEndTest):
    def take(self, folder: Path) -> Tuple[Stepwell, Dict[str, Any]]:
        """A copy of a history, and what was read from it."""
        store = self.new_folder() / "store"
        store.mkdir()
        shutil.copy(folder / "data.mdb", store)
        return Stepwell(self, store), json.loads((folder / "expected.json").read_text(encoding="utf-8"))

    def test_there_is_one_of_every_format(self) -> None:
        self.assertGreaterEqual(len(FOLDERS), 2)

    def test_open_tasks_come_to_their_end(self) -> None:
        for folder in FOLDERS:
            with self.subTest(folder.name):
                stepwell, expected = self.take(folder)
                (stepwell.folder / "handlers.py").write_text(MENDED, encoding="utf-8")
                worker = ["--worker", f"'{sys.executable}' -m stepwell worker handlers.py"]
                stepwell.run("resume", *worker)
                for task in stepwell.json("list", "--state", "blocked_by_failures"):
                    stepwell.run("retry", task["task_id"], *worker)
                states = [task["state"] for task in stepwell.tasks()]
                self.assertEqual(sorted(states), ["cancelled"] + ["complete"] * (len(expected["tasks"]) - 1))
                # What was complete before has not run again.
                done = {task["task_id"] for task in expected["tasks"] if task["state"] == "complete"}
                later = [event for event in stepwell.events("attempt.started") if event["seq"] > expected["events"]]
                self.assertTrue(later)
                self.assertFalse(done & {event["task_id"] for event in later})
                stepwell.run("verify")

    def test_every_task_is_where_it_was_and_waits_for_what_it_waited_for(self) -> None:
        for folder in FOLDERS:
            with self.subTest(folder.name):
                stepwell, expected = self.take(folder)
                self.assertEqual(stepwell.json("audit", "head")["hash"], expected["head_hash"])
                waits = 0
                for task in expected["tasks"]:
                    moment = stepwell.json("replay", task["task_id"])
                    self.assertEqual(moment["waits"], task["waits"])
                    waits += len(task["waits"])
                    states = {name: step["state"] for name, step in moment["task"]["steps"].items()}
                    self.assertEqual(states, task["steps"])
                self.assertGreater(waits, 5)


if __name__ == "__main__":
    unittest.main()
