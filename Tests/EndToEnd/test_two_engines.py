"""One store, one engine; readers are welcome at any time."""

from __future__ import annotations

from support import EndToEndTest, Stepwell, shell_step, wait_until


class TwoEngines(EndToEndTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        gate = self.new_folder() / "gate"
        self.template = self.write_template(
            shell_step("wait", f"echo waiting >&2; until test -e {gate}; do sleep 0.02; done; echo 1"))
        self.first = self.stepwell.start("run", self.template)
        wait_until(self.is_running, "the first engine runs the step")
        self.open = gate.touch

    def is_running(self) -> bool:
        if self.first.code is not None:
            self.fail(f"the first engine has ended: {self.first}")
        return "attempt.started" in self.first.stderr

    def test_a_second_engine_is_refused_and_names_the_first(self) -> None:
        task = self.stepwell.only_task()
        log = self.stepwell.lines("events")
        for words in [["run", self.template], ["resume"], ["retry", task], ["cancel", task]]:
            with self.subTest(words[0]):
                second = self.stepwell.run(*words, code=4)
                self.assertIn(f"process {self.first.pid}", second.stderr)
                self.assertIn("[store_locked]", second.stderr)
                self.assertEqual(second.stdout, "")
        self.assertEqual(self.stepwell.lines("events"), log, "a refused engine leaves no trace")
        self.open()
        self.assertEqual(self.first.wait(), 0)

    def test_readers_work_beside_an_engine(self) -> None:
        [task] = self.stepwell.tasks()
        self.assertEqual(task["state"], "in_progress")
        shown = self.stepwell.json("show", task["task_id"])
        self.assertEqual(shown["steps"]["wait"]["state"], "in_progress")
        self.assertEqual(self.stepwell.events()[-1]["type"], "attempt.started")
        words = wait_until(lambda: self.stepwell.jsonl("logs", task["task_id"]), "the step's line is in the log")
        self.assertEqual([line["text"] for line in words], ["waiting"])
        self.open()
        self.assertEqual(self.first.wait(), 0)
        self.assertEqual(self.stepwell.tasks()[0]["state"], "complete")

    def test_the_store_is_free_when_the_first_engine_was_killed(self) -> None:
        self.first.kill()
        self.open()
        self.stepwell.run("resume")
        self.assertEqual(self.stepwell.tasks()[0]["state"], "complete")

    def test_the_store_is_free_when_the_first_engine_has_ended(self) -> None:
        self.open()
        self.assertEqual(self.first.wait(), 0)
        self.assertEqual(self.stepwell.json("run", self.template)["state"], "complete")
