"""A run that nobody watches tells every transition of its task, one line each: what cron puts into a mail."""

import json
import os
import subprocess

from support import SAFETY_NET, EndToEndTest, Stepwell, command_step


class ProgressLines(EndToEndTest):
    def test_no_transition_is_left_out(self) -> None:
        template = self.write_template(command_step("only", "true"))
        # The engine is at work before the task is known to whoever prints, so once is not enough.
        for _ in range(20):
            run = Stepwell(self).run("run", template)
            types = [line.split()[3] for line in run.stderr.splitlines()]
            self.assertEqual(types, ["task.submitted", "attempt.started", "step.completed", "task.completed"])

    def test_a_reader_that_is_gone_does_not_end_the_run(self) -> None:
        stepwell = Stepwell(self)
        template = self.write_template(command_step("one", "true"), command_step("two", "true", dependencies=["one"]))
        reading, writing = os.pipe()
        os.close(reading)
        done = subprocess.run(
            [self.binary, "run", template, "--store", stepwell.store, "-o", "json"], env=self.environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=writing, timeout=SAFETY_NET,
        )
        os.close(writing)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(json.loads(done.stdout)["state"], "complete")
