"""Steps whose handler is a command: what it gets, what it says, and how it is ended."""

from __future__ import annotations

from typing import Any, Dict, List

from support import EndToEndTest, Stepwell, command_step, shell_step, wait_until

# Numbers that a reader must not write down in another form.
VERBATIM = (
    r'{"b": 1.0, "a": 1e3, "big": 12345678901234567890, "small": -0.0, "text": "caf\u00e9 \/ é", "list":[1E+2 ,0.10]}'
)


class Commands(EndToEndTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.folder = self.new_folder()

    def run_steps(self, *steps: Dict[str, Any], code: int = 0, input: str = "{}") -> Dict[str, Any]:
        """Runs a template of these steps; returns the report."""
        return self.stepwell.json("run", self.write_template(*steps), "--input", input, code=code)

    def logged(self, step: str) -> List[str]:
        return [line["text"] for line in self.stepwell.jsonl("logs", self.stepwell.only_task(), step)]

    def test_json_comes_in_on_stdin_and_the_result_goes_out_on_stdout(self) -> None:
        echo = command_step("echo", "cat", dependencies=["first"])
        echo["handler"]["initialization"] = {"level": 3}
        report = self.run_steps(shell_step("first", "echo '[1, 2]'"), echo, input='{"name": "Ada"}')
        got = report["steps"]["echo"]["result"]
        self.assertEqual(got["input"], {"name": "Ada"})
        self.assertEqual(got["config"], {"level": 3})
        self.assertEqual(got["dependency_names"], ["first"])
        self.assertEqual(got["dependencies"], {"first": [1, 2]})
        self.assertEqual((got["task_id"], got["step"], got["attempt"]), (report["task_id"], "echo", 1))

    def test_stderr_goes_to_the_logs(self) -> None:
        report = self.run_steps(shell_step("talk", "echo 'one two' >&2; printf 'no end' >&2; echo '{}'"))
        self.assertEqual(report["steps"]["talk"]["result"], {})
        self.assertEqual(self.logged("talk"), ["one two", "no end"])

    def test_a_status_other_than_0_is_a_failure_that_is_tried_again(self) -> None:
        step = shell_step("fail", "echo 'no such table' >&2; exit 3", retry={"max_attempts": 2, "initial_delay": 0})
        report = self.run_steps(step, code=1)
        self.assertEqual(report["state"], "blocked_by_failures")
        self.assertEqual(report["steps"]["fail"]["attempts"], 2)
        failures = [event["data"] for event in self.stepwell.events("attempt.failed")]
        self.assertEqual([failure["message"] for failure in failures],
                         ["the command ended with status 3: no such table"] * 2)
        self.assertEqual([failure["metadata"] for failure in failures], [{"exit_status": 3}] * 2)
        self.assertEqual(self.logged("fail"), ["no such table"] * 2)

    def test_status_65_is_final(self) -> None:
        report = self.run_steps(shell_step("refuse", "exit 65"), code=1)
        self.assertEqual(report["steps"]["refuse"]["attempts"], 1)

    def test_a_timeout_ends_the_grandchildren_too(self) -> None:
        children = self.folder / "children"
        # A grandchild in the background and one that ignores what asks it to end.
        script = f"sleep 3600 & echo $! >> {children}; sh -c 'trap \"\" TERM; echo $$ >> {children}; sleep 3600; :'"
        report = self.run_steps(
            shell_step("slow", script, timeout_seconds=0.5, retry={"max_attempts": 1}), code=1)
        self.assertEqual(report["steps"]["slow"]["state"], "error")
        self.assertEqual(len(self.stepwell.events("attempt.timed_out")), 1)
        self.assertEqual(len(children.read_text().split()), 2)
        self.assertEqual(self.processes(), [])

    def test_the_next_engine_ends_what_a_killed_one_has_left(self) -> None:
        numbers, second = self.folder / "numbers", self.folder / "second"
        # The first attempt stays; the one of the next engine ends at once.
        script = f"test -e {second} && echo 2 && exit; echo $$ >> {numbers}; sleep 3600 & echo $! >> {numbers}; wait"
        run_it = ["run", self.write_template(shell_step("stay", script)), "--key", "k"]
        engine = self.stepwell.start(*run_it)
        wait_until(lambda: numbers.exists() and numbers.read_text().count("\n") == 2, "the command runs")
        engine.kill()
        orphans = sorted(map(int, numbers.read_text().split()))
        self.assertEqual(sorted(self.processes()), orphans, "a command outlives its engine")
        second.touch()
        after = self.stepwell.run(*run_it)
        self.assertIn("1 attempt closed as lost", after.stderr)
        self.assertIn("2 processes of the engine before ended", after.stderr)
        self.assertEqual(self.processes(), [])
        self.assertEqual(self.stepwell.results(), {"stay": "2"})

    def test_results_are_kept_as_they_were_written(self) -> None:
        (self.folder / "result.json").write_text(f"\n  {VERBATIM}\n", encoding="utf-8")
        seen = self.folder / "seen"
        report = self.stepwell.run("run", self.write_template(
            command_step("write", "cat", str(self.folder / "result.json")),
            shell_step("read", f"cat > {seen}; echo 1.50", dependencies=["write"])), "-o", "json")
        self.assertIn(f'"dependencies":{{"write":{VERBATIM}}}', seen.read_text(encoding="utf-8"))
        self.assertEqual(self.stepwell.results(), {"write": VERBATIM, "read": "1.50"})
        for number in ("1.0", "1e3", "12345678901234567890", "-0.0", "1E+2", "0.10", "1.50"):
            self.assertIn(f" {number}", report.stdout)
