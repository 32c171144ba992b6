"""A run that nobody watches tells every transition of its task, one line each: what cron puts into a mail."""

from support import EndToEndTest, Stepwell, command_step


class ProgressLines(EndToEndTest):
    def test_no_transition_is_left_out(self) -> None:
        template = self.write_template(command_step("only", "true"))
        # The engine is at work before the task is known to whoever prints, so once is not enough.
        for _ in range(20):
            run = Stepwell(self).run("run", template)
            types = [line.split()[3] for line in run.stderr.splitlines()]
            self.assertEqual(types, ["task.submitted", "attempt.started", "step.completed", "task.completed"])
