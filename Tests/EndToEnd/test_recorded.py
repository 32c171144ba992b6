"""stepwell test: recorded runs held against a template that has changed, and against the present program."""

from __future__ import annotations

import json
import shutil
import unittest
from pathlib import Path

from sandbox import Sandbox, shell

HISTORIES = Path(__file__).resolve().parent.parent / "Histories"


class Recorded(Sandbox):
    def setUp(self) -> None:
        super().setUp()
        self.fetch = shell("fetch", '[ "$STEPWELL_ATTEMPT" -gt 1 ] && echo \'{"n": 1}\'', retry={"max_attempts": 3, "backoff": "none"})
        self.load = shell("load", "test -e ready", ["fetch"])

    def record(self) -> None:
        """A run that is complete, and one that is blocked, in a file each."""
        (self.folder / "recorded").mkdir(exist_ok=True)
        self.template(self.fetch, self.load, **{"version": "1"})
        for name in ["blocked", "ночь 2"]:
            task = self.run_task(code=1 if name == "blocked" else 0)["task_id"]
            self.put("ready", "")
            self.put(f"recorded/{name}.stepwell", self.stepwell("export", task).stdout)

    def report(self, *words: str, code: int = 0) -> dict:  # type: ignore[type-arg]
        return self.json("test", "--against", "recorded", *words, code=code)  # type: ignore[no-any-return]

    def test_the_template_that_they_had(self) -> None:
        self.record()
        told = self.stepwell("test", "--against", "recorded")
        self.assertIn("2 recorded runs: 2 alike, 0 changed, 0 different", told.stdout)
        self.assertIn("✓ recorded/ночь 2.stepwell", told.stdout)
        report = self.report()
        self.assertEqual([run["state"] for run in report["runs"]],
                         [{"before": state, "after": state} for state in ["blocked_by_failures", "complete"]])
        self.assertEqual((report["alike"], report["left_out"], report["errors"]), (2, 0, []))
        lines = self.stepwell("test", "--against", "recorded", "-o", "jsonl").stdout.splitlines()
        self.assertEqual([json.loads(line) for line in lines], report["runs"])

    def test_a_changed_template(self) -> None:
        self.record()
        self.fetch["retry"]["max_attempts"] = 1
        self.template(self.fetch, self.load, file="new.yaml", version="2")
        told = self.stepwell("test", "--against", "recorded", "new.yaml", code=1)
        self.assertIn("complete → blocked_by_failures", told.stdout)
        self.assertIn("    fetch was complete, and would be error, started once instead of twice\n", told.stdout)
        self.assertEqual([run["verdict"] for run in self.report("new.yaml", code=1)["runs"]], ["different", "different"])

    def test_another_way_to_the_same_end(self) -> None:
        self.record()
        self.template(self.fetch, self.load, shell("tell", "true", ["load"]), file="new.yaml")
        report = self.report("new.yaml")
        self.assertEqual([run["verdict"] for run in report["runs"]], ["changed", "changed"])
        self.assertEqual(report["runs"][1]["changes"], ["tell is new"])
        self.report("new.yaml", "--strict", code=1)

    def test_other_templates_are_left_out(self) -> None:
        self.record()
        self.template(shell("a", "true"), name="other", file="other.yaml")
        task = self.run_task(file="other.yaml")["task_id"]
        self.put("recorded/other/1.stepwell", self.stepwell("export", task).stdout)
        self.assertEqual(self.report("other.yaml")["left_out"], 2)
        self.assertEqual(self.report("t.yaml", "other.yaml")["left_out"], 0)
        self.template(shell("a", "true"), name="third", file="third.yaml")
        told = self.stepwell("test", "--against", "recorded", "third.yaml", code=2)
        self.assertIn("[nothing_recorded]", told.stderr)
        self.assertIn("is the name of two", self.stepwell("test", "--against", "recorded", "t.yaml", "t.yaml", code=2).stderr)

    def test_stores_and_archives(self) -> None:
        self.record()
        shutil.copytree(self.folder / ".stepwell", self.folder / "recorded" / "store")
        self.stepwell("prune", "--older-than", "0s", "--archive", "recorded/old.zst")
        report = self.report()
        self.assertEqual(report["alike"], 2 + 2 + 1)
        self.assertEqual(
            [run["source"] for run in report["runs"]],
            ["recorded/blocked.stepwell", "recorded/old.zst", "recorded/store", "recorded/store", "recorded/ночь 2.stepwell"])

    def test_the_histories_of_every_format(self) -> None:
        for history in HISTORIES.glob("format-*"):
            (self.folder / "recorded" / history.name).mkdir(parents=True)
            shutil.copy(history / "data.mdb", self.folder / "recorded" / history.name)
        report = self.report()
        self.assertGreater(report["alike"], 8)
        self.assertEqual((report["changed"], report["different"], report["errors"]), (0, 0, []))

    def test_what_cannot_be_read_is_told_and_the_rest_goes_on(self) -> None:
        self.record()
        whole = (self.folder / "recorded" / "blocked.stepwell").read_text(encoding="utf-8")
        self.put("recorded/a.stepwell", whole[: len(whole) // 2])
        self.put("recorded/b.stepwell", "no bundle\n")
        self.put("recorded/c.zst", "no archive")
        self.put("recorded/notes.txt", "not looked at")
        self.put("recorded/.hidden.stepwell", "neither")
        told = self.stepwell("test", "--against", "recorded", "-o", "json", code=9)
        report = json.loads(told.stdout)
        self.assertEqual(report["alike"], 2)
        self.assertEqual(
            [error["source"] for error in report["errors"]],
            ["recorded/a.stepwell", "recorded/b.stepwell", "recorded/c.zst"])
        self.assertEqual([error["code"] for error in report["errors"]][0], "bundle_truncated")
        self.assertIn("recorded/b.stepwell: the file is not one of 'stepwell export' [not_a_bundle]", told.stderr)

    def test_links_that_go_round_and_files_that_are_linked(self) -> None:
        self.record()
        (self.folder / "recorded" / "round").symlink_to(self.folder / "recorded")
        (self.folder / "recorded" / "z.stepwell").symlink_to(self.folder / "recorded" / "blocked.stepwell")
        self.assertEqual(len(self.report()["runs"]), 3)

    def test_what_run_would_refuse_is_refused_here_too(self) -> None:
        self.record()
        self.template(self.fetch, self.load, file="new.yaml", input_schema={"required": ["day"]})
        [blocked, _] = self.report("new.yaml", code=1)["runs"]
        self.assertEqual(blocked["state"], {"before": "blocked_by_failures", "after": None})
        self.assertIn("day", blocked["differences"][0])
        self.template({**self.fetch, "type": "decision"}, self.load, file="later.yaml")
        self.stepwell("run", "later.yaml", code=2)
        self.assertIn("not supported yet", self.report("later.yaml", code=1)["runs"][0]["differences"][0])

    def test_nothing_to_test_against(self) -> None:
        self.assertIn("[unreadable_file]", self.stepwell("test", "--against", "nowhere", code=2).stderr)
        (self.folder / "empty").mkdir()
        self.assertIn("there is no recorded run in 'empty'", self.stepwell("test", "--against", "empty", code=2).stderr)
        self.assertIn("needs '--against DIR'", self.stepwell("test", code=2).stderr)
        self.put("bad.yaml", "steps: [")
        self.stepwell("test", "--against", "empty", "bad.yaml", code=2)


if __name__ == "__main__":
    unittest.main()
