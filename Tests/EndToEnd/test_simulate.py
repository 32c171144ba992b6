"""`stepwell simulate` from outside: the same lives everywhere, reports of templates, what it refuses."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BIN = os.environ["STEPWELL_BIN"]
TEMPLATE = """
name: nightly
namespace_name: shop
version: 1
input_schema: { type: object, required: [day] }
steps:
  - name: hole
    handler: { callable: fetch }
    retry: { max_attempts: 2, backoff: none }
    timeout_seconds: 20
  - name: "füllen"
    handler: { command: ["true"] }
    retry: { retryable: false }
    dependencies: [hole]
"""


def simulate(*words, status=0):
    run = subprocess.run([BIN, "simulate", *words], capture_output=True, text=True, timeout=300)
    assert run.returncode == status, f"ended with {run.returncode}: {run.stdout}{run.stderr}"
    return run


class Seeds(unittest.TestCase):
    def test_the_same_seeds_give_the_same_lives_in_every_process(self):
        first, second = (json.loads(simulate("--seeds", "300", "-o", "json").stdout) for _ in range(2))
        for report in (first, second):
            report.pop("per_second")
        self.assertEqual(first, second)
        self.assertEqual(first["scenarios"], 300)
        self.assertIsNone(first["violation"])

    def test_a_row_of_seeds_is_its_parts(self):
        whole = json.loads(simulate("--first", "50", "--seeds", "2", "-o", "json").stdout)
        parts = [json.loads(simulate("--seed", seed, "-o", "json").stdout) for seed in ("50", "51")]
        self.assertEqual(whole["events"], sum(part["events"] for part in parts))
        self.assertEqual([part["first"] for part in parts], [50, 51])

    def test_text_names_every_figure(self):
        report = json.loads(simulate("--seeds", "5", "-o", "jsonl").stdout)
        text = simulate("--seeds", "5").stdout
        for name in set(report) - {"first", "violation", "per_second"}:
            self.assertRegex(text, rf"(?m)^{name.replace('_', ' ')} +\w+$")

    def test_what_does_not_go_together_is_refused(self):
        for words in (
            ("--seed", "1", "--seeds", "2"), ("--seeds", "0"), ("--seed", "-1"), ("--faults", "deaths"),
            ("--task-timeout", "5"), ("--steps", "0"), ("--seed", "99999999999999999999"),
        ):
            with self.subTest(words=words):
                self.assertIn("[usage]", simulate(*words, status=2).stderr)


class Templates(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = Path(folder.name) / "nightly.yaml"
        self.path.write_text(TEMPLATE, encoding="utf-8")

    def report(self, *words):
        words = ("--input", '{"day": 1}', *words, "-o", "json")
        return json.loads(simulate(str(self.path), *words).stdout)

    def test_without_faults_every_step_runs_once(self):
        report = self.report("--faults", "none", "--seeds", "50", "--task-timeout", "20")
        self.assertEqual((report["lives"], report["complete"], report["blocked"], report["late"]), (50, 50, 0, 0))
        self.assertEqual([step["runs_max"] for step in report["steps"].values()], [1, 1])
        self.assertLessEqual(report["p50_ms"], report["p99_ms"])
        self.assertLessEqual(report["max_ms"], 20_200)

    def test_each_fault_blocks_what_it_can_block_and_no_more(self):
        report = self.report("--faults", "failures", "--seeds", "200")
        fetch, fill = report["steps"]["hole"], report["steps"]["füllen"]
        self.assertEqual(fetch["runs_max"], 2)
        self.assertEqual(fetch["because"], [{"reason": "attempts_exhausted", "faults": ["failures"]}])
        self.assertEqual(fill["because"], [{"reason": "not_retryable", "faults": ["failures"]}])
        self.assertEqual(report["blocked"], fetch["blocks"] + fill["blocks"])
        self.assertEqual(report["complete"] + report["blocked"], 200)
        timeouts = self.report("--faults", "timeouts", "--seeds", "200")
        # The second step has no timeout: it takes long, and never fails.
        self.assertEqual([bool(step["blocks"]) for step in timeouts["steps"].values()], [True, False])
        fatal = self.report("--faults", "fatal", "--seeds", "200")
        self.assertEqual(fatal["steps"]["hole"]["because"], [{"reason": "not_retryable", "faults": ["fatal"]}])
        repeats = self.report("--faults", "repeats,disk,clock", "--seeds", "100")
        self.assertEqual(repeats["blocked"], 0)

    def test_a_life_can_be_seen_event_by_event(self):
        report = self.report("--seeds", "200", "--task-timeout", "30")
        self.assertGreater(report["late"], 0)
        seed = str(report["steps"]["hole"]["blocks_seed"])
        words = (str(self.path), "--input", '{"day": 1}', "--seed", seed)
        text = simulate(*words).stdout
        self.assertIn("step.failed  hole", text)
        events = [json.loads(line) for line in simulate(*words, "-o", "jsonl").stdout.splitlines()]
        self.assertEqual([event["seq"] for event in events], list(range(1, len(events) + 1)))
        submitted = next(event for event in events if event["type"] == "task.submitted")
        self.assertEqual(submitted["data"]["input"], {"day": 1})

    def test_text_names_the_steps_and_what_blocks_them(self):
        text = simulate(str(self.path), "--input", '{"day": 1}', "--seeds", "100", "--faults", "failures").stdout
        self.assertIn("shop/nightly 1: 100 lives with failures", text)
        self.assertRegex(text, r"(?m)^füllen +1 +1 +\d+ +\d+ +\d+ +failures \(not_retryable\)$")
        self.assertIn("these can block the task: hole, füllen", text)

    def test_what_is_wrong_is_refused(self):
        self.assertIn("day", simulate(str(self.path), status=2).stderr)
        self.assertIn("deaths", simulate(str(self.path), "--faults", "deathes", status=2).stderr)
        self.assertIn("[usage]", simulate(str(self.path), "--faults", "", status=2).stderr)
        self.assertIn("[usage]", simulate(str(self.path), "--steps", "3", status=2).stderr)
        simulate(str(self.path.with_name("none.yaml")), status=2)
        self.path.write_text("name: nightly\n", encoding="utf-8")
        self.assertIn("namespace_name", simulate(str(self.path), status=2).stderr)


if __name__ == "__main__":
    unittest.main()
