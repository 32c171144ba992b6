"""kill -9 of the engine at random moments of the pipeline, then the same command again, until it is complete.

STEPWELL_SEED=N repeats the moments of an earlier run; the seed is printed when something fails.
"""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from typing import Callable, Dict, List

from support import STEPS, EndToEndTest, Running, Stepwell, shell_step, wait_until

KILLS = 20
# Long enough that most moments lie inside a handler, and not between two.
STEP_DELAY_MS = "50"


class Crash(EndToEndTest):
    def setUp(self) -> None:
        super().setUp()
        self.seed = int(os.environ.get("STEPWELL_SEED") or random.SystemRandom().randrange(1 << 32))
        self.random = random.Random(self.seed)

    def undisturbed(self) -> Dict[str, str]:
        """The results of a run that nobody kills; `self.life` is how long it took."""
        with self.inventory_service(fail_first=2) as service:
            stepwell = self.new_pipeline(service.url)
            begin = time.monotonic()
            stepwell.run(*stepwell.pipeline("night"))
            self.life = time.monotonic() - begin
        self.check_history(stepwell)
        results = stepwell.results()
        self.assertEqual(sorted(results), sorted(STEPS))
        return results

    def new_pipeline(self, url: str) -> Stepwell:
        return Stepwell(self, INVENTORY_URL=url, STEP_DELAY_MS=STEP_DELAY_MS)

    def run_killed(self, stepwell: Stepwell, moment: float) -> Running:
        """Runs the pipeline and kills it so many seconds after its start, unless it has ended before."""
        engine = stepwell.start(*stepwell.pipeline("night"))
        if engine.runs_for(moment):
            engine.kill()
        else:
            self.assertEqual(engine.code, 0, str(engine))
        return engine

    def run_killed_in_handler(self, stepwell: Stepwell, moment: float) -> Running:
        """Runs the pipeline and kills it so many seconds after a handler has begun."""
        begun = len(stepwell.counter.lines())
        engine = stepwell.start(*stepwell.pipeline("night"))
        wait_until(
            lambda: len(stepwell.counter.lines()) > begun or engine.code is not None, "a handler has begun")
        if engine.runs_for(moment):
            engine.kill()
        return engine

    def resume(self, stepwell: Stepwell, run: Callable[[], Running]) -> Running:
        """Runs the same command again and checks that what the log calls complete does not begin again."""
        complete = stepwell.steps_with("step.completed")
        begun = {step: stepwell.counter.starts()[step] for step in complete}
        is_open = bool(stepwell.events("task.submitted")) and not stepwell.events("task.completed")
        engine = run()
        if is_open and engine.code == 0:
            self.assertIn("recovered: ", engine.stderr)
        again = stepwell.counter.starts()
        self.assertEqual({step: again[step] for step in complete}, begun, "a complete step has run again")
        return engine

    def complete(self, stepwell: Stepwell) -> None:
        self.resume(stepwell, lambda: stepwell.run(*stepwell.pipeline("night")))

    def check_outcome(self, stepwell: Stepwell, expected: Dict[str, str]) -> None:
        task = stepwell.json("show", stepwell.only_task())
        self.assertEqual(task["state"], "complete")
        self.assertEqual({step: task["steps"][step]["state"] for step in STEPS}, dict.fromkeys(STEPS, "complete"))
        self.assertEqual(stepwell.results(), expected)
        self.assertEqual(stepwell.counter.ends().keys(), set(STEPS))
        self.check_history(stepwell)
        self.assertEqual(self.unexplained_leftovers(), [], "processes of the engine are left")

    def unexplained_leftovers(self) -> List[int]:
        """Processes that still run, apart from the inventory service."""
        return [number for number in self.processes() if number != self.service.pid]

    def test_a_run_that_is_killed_anywhere_ends_like_one_that_is_not(self) -> None:
        expected = self.undisturbed()
        lost = interrupted = 0
        for part in range(KILLS):
            moment = self.life * (part + self.random.random()) / KILLS
            with self.subTest(seed=self.seed, part=part, moment=round(moment, 4)):
                with self.inventory_service(fail_first=2) as self.service:
                    stepwell = self.new_pipeline(self.service.url)
                    interrupted += self.run_killed(stepwell, moment).code != 0
                    self.complete(stepwell)
                    self.check_outcome(stepwell, expected)
                    lost += len(stepwell.events("attempt.lost"))
        # Else the moments have missed what they are for.
        self.assertGreater(interrupted, KILLS // 4, f"seed {self.seed}")
        self.assertGreater(lost, 0, f"seed {self.seed}")

    def test_a_kill_while_the_store_is_made_does_not_spoil_it(self) -> None:
        template = self.write_template(shell_step("one", "echo 1"), shell_step("two", "echo 2", dependencies=["one"]))
        for part in range(KILLS):
            moment = 0.03 * (part + self.random.random()) / KILLS
            with self.subTest(seed=self.seed, part=part, moment=round(moment, 4)):
                stepwell = Stepwell(self)
                engine = stepwell.start("run", template, "--key", "k")
                if engine.runs_for(moment):
                    engine.kill()
                complete = stepwell.steps_with("step.completed")
                stepwell.run("run", template, "--key", "k")
                self.assertEqual(stepwell.results(), {"one": "1", "two": "2"})
                self.assertLessEqual(len(stepwell.events("task.submitted")), 1)
                self.assertEqual(complete - stepwell.steps_with("step.completed"), Counter())
                self.check_history(stepwell)

    def test_a_task_survives_a_kill_after_a_kill(self) -> None:
        expected = self.undisturbed()
        delay = int(STEP_DELAY_MS) / 1000
        with self.inventory_service(fail_first=2) as self.service:
            stepwell = self.new_pipeline(self.service.url)
            for part in range(6):
                # In the first handler and after it, in turn: so attempts are lost, and still each life gets further.
                moment = self.random.uniform(0, delay / 2) + (part % 2) * 1.5 * delay
                with self.subTest(seed=self.seed, part=part, moment=round(moment, 4)):
                    self.resume(stepwell, lambda: self.run_killed_in_handler(stepwell, moment))
            with self.subTest(seed=self.seed):
                self.complete(stepwell)
                self.check_outcome(stepwell, expected)
                self.assertGreater(len(stepwell.events("engine.started")), 3)
                self.assertGreater(len(stepwell.events("attempt.lost")), 0)
