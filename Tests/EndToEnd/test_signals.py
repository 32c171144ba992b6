"""SIGTERM and SIGINT: the first asks to stop in good order, the second stops at once."""

from __future__ import annotations

from signal import SIGINT, SIGTERM, Signals

from support import STEPS, EndToEndTest, InventoryService, Running, Stepwell, shell_step, wait_until


class Pipeline(EndToEndTest):
    def test_the_pipeline_goes_on_after_either_signal_without_a_lost_attempt(self) -> None:
        for number in (SIGTERM, SIGINT):
            with self.subTest(number.name):
                url = InventoryService(self).url
                stepwell = Stepwell(self, INVENTORY_URL=url, STEP_DELAY_MS="200")
                engine = stepwell.start(*stepwell.pipeline("night"))
                wait_until(lambda: stepwell.counter.running() or engine.code is not None, "a handler has begun")
                engine.signal(number)
                self.assertEqual(engine.wait(), 130, str(engine))
                self.assertIn("stopping: running attempts may end within 10 s", engine.stderr)
                self.assertEqual(stepwell.counter.running(), [], "what ran could end")
                self.assertEqual(stepwell.events()[-1]["type"], "engine.stopped")
                self.assertEqual(stepwell.tasks()[0]["state"], "in_progress")
                stopped_after = stepwell.counter.starts()

                stepwell.run(*stepwell.pipeline("night"), STEP_DELAY_MS="0")
                self.assertEqual(stepwell.counter.starts(), dict.fromkeys(STEPS, 1))
                self.assertLess(sum(stopped_after.values()), len(STEPS), "no further attempt started after the signal")
                self.assertEqual(stepwell.events("attempt.lost") + stepwell.events("attempt.stopped"), [])
                self.check_history(stepwell)


class Gated(EndToEndTest):
    """A step that waits for a file, and one after it."""

    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        begun, gate = (self.new_folder() / name for name in ("begun", "gate"))
        self.begun, self.open_gate = begun.exists, gate.touch
        template = self.write_template(
            shell_step("first", f"touch {begun}; until test -e {gate}; do sleep 0.02; done; echo 1"),
            shell_step("second", "echo 2", dependencies=["first"]))
        self.run_it = ["run", template, "--key", "k"]

    def begin(self, *more: str) -> Running:
        engine = self.stepwell.start(*self.run_it, *more)
        wait_until(self.begun, "the first step runs")
        return engine

    def test_a_running_attempt_may_end_after_SIGTERM_and_no_other_starts(self) -> None:
        self.end_in_order(SIGTERM)

    def test_a_running_attempt_may_end_after_SIGINT_and_no_other_starts(self) -> None:
        self.end_in_order(SIGINT)

    def end_in_order(self, number: Signals) -> None:
        engine = self.begin()
        engine.signal(number)
        wait_until(lambda: "stopping: " in engine.stderr, "the signal has been taken")
        self.assertIsNone(engine.code)
        self.open_gate()
        self.assertEqual(engine.wait(), 130, str(engine))
        self.assertEqual(self.stepwell.steps_with("step.completed"), {"first": 1})
        self.assertEqual(self.stepwell.steps_with("attempt.started"), {"first": 1})
        self.assertEqual(self.stepwell.events()[-1]["type"], "engine.stopped")

        after = self.stepwell.run(*self.run_it)
        self.assertIn("0 attempts closed as lost", after.stderr)
        self.assertEqual(self.stepwell.steps_with("attempt.started"), {"first": 1, "second": 1})
        self.assertEqual(self.stepwell.tasks()[0]["state"], "complete")

    def test_what_does_not_end_within_the_grace_time_is_ended_and_runs_again(self) -> None:
        engine = self.begin("--grace", "0")
        engine.signal(SIGTERM)
        self.assertEqual(engine.wait(), 130, str(engine))
        self.assertEqual(self.processes(), [], "the command has been ended")
        self.assertEqual(self.stepwell.events()[-1]["type"], "engine.stopped")
        self.open_gate()
        self.stepwell.run(*self.run_it)
        self.assertEqual(self.stepwell.steps_with("attempt.started"), {"first": 2, "second": 1})
        self.assertEqual({event["data"]["attempt"] for event in self.stepwell.events("attempt.started")}, {1})
        self.check_history(self.stepwell)

    def test_a_second_SIGTERM_ends_the_engine_at_once(self) -> None:
        self.end_at_once(SIGTERM)

    def test_a_second_SIGINT_ends_the_engine_at_once(self) -> None:
        self.end_at_once(SIGINT)

    def end_at_once(self, number: Signals) -> None:
        engine = self.begin("--grace", "3600")
        engine.signal(number)
        wait_until(lambda: "stopping: " in engine.stderr, "the first signal has been taken")
        engine.signal(number)
        self.assertEqual(engine.wait(), 130, str(engine))
        self.assertIn("stopped at once", engine.stderr)
        self.assertNotEqual(self.stepwell.events()[-1]["type"], "engine.stopped")
        self.open_gate()
        after = self.stepwell.run(*self.run_it)
        self.assertIn("1 attempt closed as lost", after.stderr)
        self.check_history(self.stepwell)


class Starting(EndToEndTest):
    def test_a_signal_while_a_worker_starts_ends_the_engine_without_waiting_for_it(self) -> None:
        for number in (SIGTERM, SIGINT):
            with self.subTest(number.name):
                stepwell = Stepwell(self)
                template = self.write_template({"name": "one", "handler": {"callable": "x"}})
                begun = self.new_folder() / "begun"
                engine = stepwell.start("run", template, "--worker", f"sh -c 'touch {begun}; sleep 600'")
                wait_until(begun.exists, "the worker starts")
                engine.signal(number)
                self.assertEqual(engine.wait(20), 130, str(engine))
                self.assertEqual(stepwell.events()[-1]["type"], "engine.stopped")
                self.assertEqual(stepwell.tasks(), [])


class Follow(EndToEndTest):
    def test_following_the_events_ends_at_either_signal(self) -> None:
        stepwell = Stepwell(self)
        template = self.write_template(shell_step("one", "echo 1"))
        stepwell.run("run", template)
        for number in (SIGINT, SIGTERM):
            with self.subTest(number.name):
                reader = stepwell.start("events", "--follow", "-o", "jsonl")
                before = len(stepwell.events())
                wait_until(lambda: reader.stdout.count("\n") == before, "all that has happened is printed")
                stepwell.run("run", template)
                wait_until(
                    lambda: reader.stdout.splitlines() == stepwell.lines("events"), "and what happens meanwhile")
                self.assertIsNone(reader.code)
                reader.signal(number)
                self.assertEqual(reader.wait(), 130, str(reader))
                self.assertEqual(reader.stderr, "")
