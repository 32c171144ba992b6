"""kill -9 at any moment, then the same command again: as if nothing had happened."""

import os
import random
import time
import unittest

from support import PipelineTest, results, wait_until

KILLS = 20


class Crash(PipelineTest):
    def setUp(self):
        super().setUp()
        self.seed = int(os.environ.get("STEPWELL_CRASH_SEED") or random.SystemRandom().randrange(1 << 30))
        self.random = random.Random(self.seed)
        self.environment["STEP_DELAY_MS"] = "40"

    def undisturbed(self):
        """The report of a run that nobody kills, and how long it takes."""
        self.service("--fail-first", "1", "--retry-after", "0")
        start = time.monotonic()
        report = self.succeed(*self.pipeline("--key", "undisturbed", "-o", "json")).json
        return report, time.monotonic() - start

    def killed_after(self, seconds, key):
        run = self.start(*self.pipeline("--key", key))
        try:
            run.wait(timeout=seconds)
        except Exception:
            pass
        run.kill()
        self.finish(run)

    def check(self, key, expected, done):
        message = f"STEPWELL_CRASH_SEED={self.seed} {key}\n{done}"
        report = done.json
        self.assertEqual(report["state"], "complete", message)
        self.assertEqual(results(report), results(expected), message)
        events = self.events(report["task_id"])
        completed, running = set(), {}
        for event in events:
            step = event["data"].get("step")
            if event["type"] == "attempt.started":
                self.assertNotIn(step, completed, f"{step} was started again after its completion\n{message}")
                running[event["seq"]] = step
            elif event["type"] in ("attempt.succeeded", "attempt.failed", "attempt.lost", "attempt.timed_out"):
                self.assertIn(event["data"]["lease"], running, message)
                del running[event["data"]["lease"]]
            elif event["type"] == "step.completed":
                self.assertNotIn(step, completed, message)
                completed.add(step)
        self.assertEqual(completed, set(expected["steps"]), message)
        self.assertEqual(running, {}, message)
        # The handlers' own account: a step began as often as the log says, or less, if it was killed before it could say so.
        started = {}
        for event in events:
            if event["type"] == "attempt.started":
                started[event["data"]["step"]] = started.get(event["data"]["step"], 0) + 1
        for step, count in self.counted("start").items():
            self.assertLessEqual(count, started[step], message)
        ended = self.counted("end")
        lost = {event["data"]["step"] for event in events if event["type"] == "attempt.lost"}
        for step in expected["steps"]:
            self.assertEqual(ended[step], 1, message) if step not in lost else self.assertGreaterEqual(
                ended[step], 1, message)

    def test_a_run_killed_once_at_each_of_many_moments(self):
        expected, seconds = self.undisturbed()
        recoveries = 0
        for number in range(KILLS):
            self.counter.unlink(missing_ok=True)
            self.service("--fail-first", "1", "--retry-after", "0")
            key = f"killed-{number}"
            # One moment in each twentieth of the run's life.
            self.killed_after(seconds * (number + self.random.random()) / KILLS, key)
            done = self.succeed(*self.pipeline("--key", key, "-o", "json"))
            recoveries += "recovered: " in done.err
            self.check(key, expected, done)
        # Before its submission and after its end a task has nothing to recover.
        self.assertGreater(recoveries, KILLS // 4, f"STEPWELL_CRASH_SEED={self.seed}")

    def test_a_run_killed_again_and_again(self):
        expected, seconds = self.undisturbed()
        self.counter.unlink(missing_ok=True)
        self.service("--fail-first", "1", "--retry-after", "0")
        for _ in range(6):
            self.killed_after(seconds * self.random.uniform(0.2, 0.9), "often")
        self.check("often", expected, self.succeed(*self.pipeline("--key", "often", "-o", "json")))

    def test_recovery_says_what_it_found(self):
        self.environment["STEP_DELAY_MS"] = "600000"
        self.service()
        run = self.start(*self.pipeline("--key", "k"))
        wait_until(lambda: len(self.counted("start")) == 3, "the three extracts to begin")
        run.kill()
        self.finish(run)
        self.environment["STEP_DELAY_MS"] = "0"
        done = self.succeed(*self.pipeline("--key", "k"))
        self.assertRegex(
            done.err, r"recovered: \d+ events folded, 1 tasks? open, 3 attempts closed as lost, 3 steps enqueued again")


if __name__ == "__main__":
    unittest.main()
