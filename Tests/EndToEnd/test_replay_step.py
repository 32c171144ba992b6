"""A recorded attempt run again: with all that it was given, and without a trace in the store."""

import hashlib
import json
import signal
import subprocess
import sys
import textwrap
import unittest

from sandbox import PYTHON_WORKER, Sandbox, call, command, shell
from support import wait_until

HANDLERS = """
    import os
    from pathlib import Path
    from stepwell import RetryableError, StepHandler

    class Add(StepHandler):
        handler_name = "add"

        def call(self, context):
            print("adding, attempt", context.attempt)
            if context.attempt == 1:
                context.save_checkpoint({"row": 1})
                raise RetryableError("not yet", error_code="E1")
            near = context.get_dependency_result("near")["n"]
            far = context.get_dependency_result("far")["n"]
            more = int(Path("more").read_text()) if Path("more").exists() else 0
            return self.success({"sum": near + far + context.get_input("n") + more, "row": context.checkpoint["row"]})
"""


class RunningAgain(Sandbox):
    def setUp(self):
        super().setUp()
        self.put("handlers.py", textwrap.dedent(HANDLERS))
        self.template(
            shell("far", "echo '{\"n\": 1}'"), shell("near", "echo '{\"n\": 2}'", after=["far"]),
            call("add", "add", after=["near"], retry={"max_attempts": 3, "initial_delay": 0.05}))
        self.run_task("--input", '{"n": 10}', "--worker", PYTHON_WORKER)
        self.before = self.fingerprint()

    def fingerprint(self):
        return hashlib.sha256((self.folder / ".stepwell/data.mdb").read_bytes()).hexdigest()

    def tearDown(self):
        self.assertEqual(self.fingerprint(), self.before, "the store has changed")

    def again(self, *words, code=0):
        return self.json("replay-step", "last", *words, code=code)

    def test_a_worker_gets_what_the_attempt_was_given(self):
        done = self.stepwell("replay-step", "last", "add", "--worker", PYTHON_WORKER)
        self.assertIn('succeeded: {"sum":13,"row":1}\nas recorded (#', done.stdout)
        self.assertIn("adding, attempt 2", done.stderr)
        again = self.again("add", "--worker", PYTHON_WORKER)
        self.assertEqual((again["same"], again["attempt"], again["changes"]), (True, 2, []))
        self.assertEqual(again["recorded"], {"outcome": "succeeded", "result": {"sum": 13, "row": 1}})

    def test_another_result_ends_with_1_and_tells_where(self):
        self.put("more", "5")
        done = self.stepwell("replay-step", "last", "add", "--worker", PYTHON_WORKER, code=1)
        self.assertIn("/sum: 13 → 18", done.stdout)
        (self.folder / "more").unlink()
        again = self.again("add", "--worker", PYTHON_WORKER, "--input", str(self.put("in.json", '{"n": 11}')), code=1)
        self.assertEqual(again["changes"], [{"pointer": "/sum", "before": 13, "after": 14}])

    def test_an_earlier_attempt_fails_as_it_did(self):
        done = self.stepwell("replay-step", "last", "add", "--attempt", "1", "--worker", PYTHON_WORKER)
        self.assertIn("failed: retryable_error: not yet [E1]\nas recorded", done.stdout)
        self.assertIn('checkpoint: {"row":1}', done.stderr)

    def test_a_command_needs_no_worker(self):
        self.assertIn("as recorded", self.stepwell("replay-step", "last", "near").stdout)

    def test_what_cannot_be_run_is_told(self):
        for words, code, message in [
            (["add"], 2, "no worker offers 'add'"),
            (["add", "--attempt", "9", "--worker", PYTHON_WORKER], 3, "has no attempt 9"),
            (["add", "--attempt", "0"], 2, "'--attempt' takes"),
            (["ad"], 2, "did you mean 'add'"),
            (["add", "--worker", "true"], 1, "[worker_failed]"),
            (["add", "--worker", "'"], 1, "[worker_failed]"),
            (["add", "--input", "missing.json"], 2, "missing.json"),
            (["add", "--input", str(self.put("list.json", "[1]"))], 2, "no JSON object"),
            (["add", "--input", str(self.put("broken.json", "{"))], 2, "not JSON"),
            (["add", "--dump", str(self.put("there.json", ""))], 4, "[file_exists]"),
        ]:
            with self.subTest(words=words):
                self.assertIn(message, self.stepwell("replay-step", "last", *words, code=code).stderr)
        self.put("other.py", "from stepwell import step_handler\n@step_handler('other')\ndef other(): pass\n")
        worker = f"'{sys.executable}' -m stepwell worker other.py"
        self.assertIn("offered are: other", self.stepwell("replay-step", "last", "add", "--worker", worker, code=2).stderr)

    def test_in_a_debugger_of_python(self):
        self.assertIn("wrote a.json", self.stepwell("replay-step", "last", "add", "--dump", "a.json").stderr)
        document = json.loads((self.folder / "a.json").read_text())
        self.assertEqual(document["dependencies"], {"near": {"n": 2}})
        self.assertEqual(document["ancestors"], {"far": {"n": 1}})
        self.assertEqual(document["checkpoint"], {"row": 1})
        self.assertEqual(document["input"], {"n": 10})
        words = [sys.executable, "-m", "stepwell", "replay", "a.json", "add", "handlers.py"]
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('succeeded: {"sum":13,"row":1}\nas recorded', done.stdout)
        # A breakpoint stops in the handler itself.
        handlers = self.folder / "handlers.py"
        handlers.write_text(handlers.read_text().replace("near = ", "breakpoint()\n        near = "))
        done = subprocess.run(
            words, cwd=self.folder, env=self.environment, capture_output=True, text=True,
            input="print('row', context.checkpoint['row'] + 41)\ncontinue\n")
        self.assertIn("row 42", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)
        # The same from an exported run.
        handlers.write_text(handlers.read_text().replace("breakpoint()", "pass"))
        self.put("run.stepwell", self.stepwell("export", "last").stdout)
        done = subprocess.run(
            [*words[:4], "run.stepwell", *words[5:]], cwd=self.folder, env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn('succeeded: {"sum":13,"row":1}\nas recorded', done.stdout)
        command_dump = self.stepwell("replay-step", "last", "near", "--dump", "b.json")
        self.assertIn("wrote b.json", command_dump.stderr)
        words[4:6] = ["b.json", "near"]
        done = subprocess.run(words, cwd=self.folder, env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("is a command", done.stderr)


class Ending(Sandbox):
    def test_a_lost_attempt_beside_a_running_engine(self):
        self.template(shell("a", "test -e ready || exec sleep 600; echo 1"))
        run = self.start("run", "t.yaml")
        self.wait_for("attempt.started", run)
        self.put("ready", "")
        done = self.stepwell("replay-step", "last", "a")
        self.assertIn("recorded: runs", done.stdout)
        self.assertIsNone(run.code)

    def test_a_timeout_ends_it_as_it_did(self):
        self.template(command("a", "sleep", "600", timeout_seconds=1))
        self.run_task(code=1)
        self.assertIn("as recorded", self.stepwell("replay-step", "last", "a").stdout)

    def test_a_worker_that_dies_takes_the_attempt_with_it(self):
        self.put("handlers.py", textwrap.dedent("""
            import os
            from stepwell import step_handler

            @step_handler("die")
            def die():
                if os.path.exists("ready"):
                    os._exit(7)
        """))
        self.template(call("a", "die"))
        self.run_task("--worker", PYTHON_WORKER)
        self.put("ready", "")
        done = self.stepwell("replay-step", "last", "a", "--worker", PYTHON_WORKER, code=1)
        self.assertIn("failed: lost: the worker is gone: it ended with status 7", done.stdout)
        self.assertEqual(self.processes(), [])

    def test_a_signal_while_the_worker_starts(self):
        self.put("handlers.py", "from stepwell import step_handler\n@step_handler('h')\ndef h(): pass\n")
        self.template(call("a", "h"))
        self.run_task("--worker", PYTHON_WORKER)
        again = self.start("replay-step", "last", "a", "--worker", "sleep 600")
        wait_until(lambda: len(self.processes()) > 1, "the worker starts")
        again.signal(signal.SIGTERM)
        self.assertEqual(again.wait(), 130)
        self.assertEqual(self.processes(), [])

    def test_a_signal_ends_it_and_what_it_has_started(self):
        self.template(shell("a", "test -e ready && exec sleep 600; echo 1"))
        self.run_task()
        self.put("ready", "")
        for number in (signal.SIGINT, signal.SIGTERM):
            again = self.start("replay-step", "last", "a")
            wait_until(lambda: len(self.processes()) > 1, "the command runs")
            again.signal(number)
            self.assertEqual(again.wait(), 130)
            self.assertEqual(self.processes(), [])


if __name__ == "__main__":
    unittest.main()
