"""`stepwell fork`, and what `--dry-run` says of it and of other commands."""

from __future__ import annotations

import unittest

from support import EndToEndTest, Stepwell, command_step, shell_step


class Fork(EndToEndTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.side = self.new_folder() / "starts"
        self.template = self.write_template(
            shell_step("größe", f"echo größe >> {self.side}; echo 41"),
            shell_step("other", f"echo other >> {self.side}; echo '[]'"),
            command_step("sum", "cat", dependencies=["größe"]),
            shell_step("load", f"echo load >> {self.side}; exit 65", dependencies=["sum", "other"]))
        self.stepwell.run("run", self.template, "--input", '{"day": "2026-11-24", "region": "eu"}', code=1)
        self.task = self.stepwell.only_task()

    def starts(self) -> str:
        return " ".join(self.side.read_text(encoding="utf-8").split())

    def events(self, task: str) -> list:
        return self.stepwell.jsonl("events", task)

    def test_a_fork_adopts_what_is_before_the_step_and_leaves_the_old_task_alone(self) -> None:
        before = self.events(self.task)
        report = self.stepwell.json(
            "fork", self.task, "--from", "sum", "--set-input", "region=us", "--set-input", "limit=3", "--reason", "why not",
            code=1)
        new = report["task_id"]
        self.assertEqual(report["input"], {"day": "2026-11-24", "region": "us", "limit": 3})
        self.assertEqual(report["steps"]["größe"]["result"], 41)
        self.assertEqual(report["steps"]["sum"]["result"]["input"]["region"], "us")
        self.assertEqual(report["steps"]["sum"]["result"]["dependencies"], {"größe": 41})
        # The first two run side by side.
        self.assertEqual(sorted(self.starts().split()), ["größe", "load", "load", "other"])
        self.assertEqual(self.events(self.task), before)
        adopted = [event for event in self.events(new) if event["type"] == "result.adopted"]
        origins = {event["data"]["origin"] for event in adopted}
        self.assertEqual(
            origins, {event["seq"] for event in before
                      if event["type"] == "attempt.succeeded" and event["data"]["step"] in ("größe", "other")})
        submitted = self.events(new)[0]
        self.assertEqual(submitted["data"]["forked_from"], self.task)
        self.assertEqual(submitted["data"]["reason"], "why not")
        self.assertEqual(submitted["actor"]["type"], "operator")
        self.assertIn(new, self.stepwell.run("show", self.task).stdout)
        self.assertIn(f"forked from {self.task}", self.stepwell.run("show", new).stdout)
        self.assertEqual(self.stepwell.json("show", self.task)["forks"], [new])
        self.stepwell.run("verify")

    def test_what_changes_in_the_input_is_shown_and_what_has_no_effect_is_warned_of(self) -> None:
        words = ["fork", self.task, "--from", "sum", "--set-input", "regoin=us"]
        dry = self.stepwell.run(*words, "--dry-run")
        self.assertIn('  input: /regoin: nothing → "us"\n', dry.stdout)
        self.assertIn("warning: the input had no member 'regoin'; it had day, region\n", dry.stderr)
        self.assertIn("warning: results that were made with the old input are kept: größe;", dry.stderr)
        real = self.stepwell.run(*words, code=1)
        self.assertIn('  input: /regoin: nothing → "us"\n', real.stderr)
        sound = self.stepwell.run("fork", self.task, "--from", "größe", "--set-input", "region=us", "--dry-run")
        self.assertNotIn("warning", sound.stderr)
        given = self.stepwell.run("fork", self.task, "--from", "load", "--set-result", "sum=1", "--dry-run").stdout
        self.assertIn("  replaced (1): sum\n", given)

    def test_a_corrected_template_and_a_given_result(self) -> None:
        fixed = self.write_template(
            shell_step("größe", "exit 1"), shell_step("other", "exit 1"),
            command_step("sum", "cat", dependencies=["größe"]),
            command_step("load", "cat", dependencies=["sum", "other"]), version="2")
        report = self.stepwell.json(
            "fork", self.task, "--from", "load", "--template", fixed, "--set-result", "other=[7]")
        self.assertEqual(report["state"], "complete")
        self.assertEqual(report["version"], "2")
        self.assertEqual(report["steps"]["load"]["result"]["dependencies"]["other"], [7])
        # A fork of a fork: its adopted results are results like others.
        again = self.stepwell.json("fork", report["task_id"], "--from", "load")
        self.assertEqual(again["steps"]["load"]["result"]["dependencies"]["other"], [7])
        self.stepwell.run("verify")

    def test_what_does_not_fit_is_refused_with_the_reason_and_nothing_is_written(self) -> None:
        before = self.events(self.task)
        more = self.write_template(
            command_step("new", "cat"), shell_step("größe", "echo 1"), command_step("sum", "cat", dependencies=["größe", "new"]),
            command_step("load", "cat", dependencies=["sum"]))
        for words, code, text in [
            (["--from", "nothing"], 2, "no step 'nothing'; it has größe, other, sum, load"),
            ([], 2, "needs '--from STEP'"),
            (["--from", "load", "--template", more], 4, "'load' comes after 'new', which the task that is forked does not have"),
            (["--from", "load", "--set-result", "load=1"], 4, "can be given no result"),
            (["--from", "load", "--set-result", "sum={"], 2, "the result for 'sum'"),
            (["--from", "load", "--set-input", "x"], 2, "takes NAME=VALUE"),
        ]:
            with self.subTest(words=words):
                self.assertIn(text, self.stepwell.run("fork", self.task, *words, code=code).stderr)
        self.assertEqual(self.events(self.task), before)
        self.assertEqual(len(self.stepwell.tasks()), 1)

    def test_dry_runs_say_what_would_run_and_change_nothing(self) -> None:
        before = self.stepwell.jsonl("events")
        fork = self.stepwell.json("fork", self.task, "--from", "sum", "--dry-run")
        self.assertEqual(
            fork, {
                "dry_run": True, "reused": ["größe", "other"], "replaced": [], "next": ["sum"], "later": ["load"], "held": [],
                "input": []})
        given = self.stepwell.json(
            "fork", self.task, "--from", "load", "--set-result", "größe=7", "--set-input", "region=us", "--dry-run")
        self.assertEqual((given["reused"], given["replaced"]), (["other", "sum"], ["größe"]))
        self.assertEqual(given["input"], [{"pointer": "/region", "before": "eu", "after": "us"}])
        retry = self.stepwell.json("retry", self.task, "--dry-run")
        self.assertEqual((retry["reused"], retry["next"]), (["größe", "other", "sum"], ["load"]))
        resolve = self.stepwell.json("resolve", self.task, "load", "--dry-run")
        self.assertEqual(len(resolve["reused"]), 4)
        cancel = self.stepwell.json("cancel", self.task, "--dry-run")
        self.assertEqual((cancel["next"], cancel["held"]), ([], ["load"]))
        resume = self.stepwell.json("resume", self.task, "--dry-run")
        self.assertEqual(resume["held"], ["load"])
        run = self.stepwell.json("run", self.template, "--dry-run")
        self.assertEqual((run["next"], run["later"]), (["größe", "other"], ["sum", "load"]))
        self.assertIn("[step_not_failed]", self.stepwell.run("retry", self.task, "--step", "sum", "--dry-run", code=4).stderr)
        self.assertIn("nothing was changed", self.stepwell.run("fork", self.task, "--from", "sum", "--dry-run").stdout)
        self.assertEqual(self.stepwell.jsonl("events"), before)


if __name__ == "__main__":
    unittest.main()
