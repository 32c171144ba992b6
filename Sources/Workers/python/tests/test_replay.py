"""A recorded attempt, run again in this process."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any, Dict, List, Tuple
from unittest.mock import patch

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from stepwell.bundle import _step_id
from stepwell.command import main
from stepwell.replay import _changes

HANDLERS = """
    from stepwell import PermanentError, StepHandler, step_handler

    class Sum(StepHandler):
        handler_name = "sum"

        def call(self, context):
            context.log.info("adding up")
            near = context.get_dependency_result("near")
            far = context.get_dependency_result("far")
            total = near["n"] + far["n"] + context.get_input("n") + context.get_config("n")
            if context.has_checkpoint():
                total += context.checkpoint["n"]
            context.save_checkpoint({"n": total})
            return self.success({"total": total, "attempt": context.attempt})

    @step_handler("refuse")
    async def refuse():
        raise PermanentError("no", error_code="NO")

    @step_handler("broken")
    def broken():
        return {}["missing"]
"""


class Workplace(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.handlers = self.folder / "handlers.py"
        self.handlers.write_text(textwrap.dedent(HANDLERS), encoding="utf-8")
        self.file = self.folder / "attempt.json"

    def document(self, handler: str = "sum", **changes: Any) -> Dict[str, Any]:
        return {
            "format": "stepwell-attempt", "version": 1, "task_id": "t", "step_id": "s", "step": "add",
            "namespace": "n", "task_name": "t", "task_version": "1", "attempt": 2, "max_attempts": 3,
            "idempotency_key": "t:add", "deadline": 1, "handler": handler, "method": "call",
            "correlation_id": "c", "input": {"n": 1}, "config": {"n": 2}, "dependency_names": ["near"],
            "dependencies": {"near": {"n": 3}}, "ancestors": {"far": {"n": 4}}, "checkpoint": {"n": 5},
            "recorded": {"outcome": "succeeded", "result": {"total": 15.0, "attempt": 2}}, **changes,
        }

    def replay(self, document: Any, *words: str, step: str = "add") -> Tuple[int, str, str]:
        text = document if isinstance(document, str) else json.dumps(document)
        self.file.write_text(text, encoding="utf-8")
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            code = main(["replay", str(self.file), step, str(self.handlers), *words])
        return code, out.getvalue(), err.getvalue()


class Replay(Workplace):
    def test_the_handler_gets_all_that_it_was_given(self) -> None:
        code, out, err = self.replay(self.document(), "--attempt", "2")
        self.assertEqual(out, 'succeeded: {"total":15,"attempt":2}\nas recorded\n')
        self.assertIn('checkpoint: {"n":15}', err)
        self.assertEqual(code, 0)

    def test_another_result_is_told_by_place(self) -> None:
        recorded = {"outcome": "succeeded", "result": {"total": 14, "more": None}}
        code, out, _ = self.replay(self.document(recorded=recorded))
        self.assertEqual(code, 1)
        self.assertIn("recorded: succeeded\n  /total: 14 → 15\n  /more: null → nothing\n  /attempt: nothing → 2\n", out)

    def test_a_failure_is_held_against_the_recorded_one(self) -> None:
        error = {"message": "no", "error_type": "permanent_error", "error_code": "NO", "retryable": False}
        code, out, _ = self.replay(self.document("refuse", recorded={"outcome": "failed", "error": error}))
        self.assertEqual(code, 0, out)
        self.assertIn("PermanentError: no", out)
        error["message"] = "never"
        code, out, _ = self.replay(self.document("refuse", recorded={"outcome": "failed", "error": error}))
        self.assertEqual(code, 1)
        self.assertIn("recorded: failed: permanent_error: never", out)

    def test_what_was_lost_is_compared_with_nothing(self) -> None:
        code, out, _ = self.replay(self.document(recorded={"outcome": "lost", "reason": "worker_died"}))
        self.assertEqual(code, 0)
        self.assertIn("recorded: lost; nothing to compare", out)
        code, _, _ = self.replay(self.document("broken", recorded={"outcome": "lost", "reason": "worker_died"}))
        self.assertEqual(code, 1)

    def test_secrets_come_from_where_the_engine_takes_them(self) -> None:
        document = self.document("sum", config={"n": 2, "key": "secret:api-key", "text": "secret::n"})
        self.handlers.write_text(
            "from stepwell import step_handler\n@step_handler('sum')\n"
            "def total(context):\n    return [context.get_config('key'), context.get_config('text')]\n",
            encoding="utf-8",
        )
        code, _, err = self.replay(document)
        self.assertEqual(code, 2)
        self.assertIn("there is no secret 'api-key': set STEPWELL_SECRET_API_KEY", err)
        (self.folder / "api-key").write_text("from a file\n", encoding="utf-8")
        _, out, _ = self.replay(document, "--secrets", str(self.folder))
        self.assertIn('succeeded: ["from a file","secret:n"]', out)
        with patch.dict(os.environ, {"STEPWELL_SECRET_API_KEY": "from a variable"}):
            _, out, _ = self.replay(document)
        self.assertIn('succeeded: ["from a variable","secret:n"]', out)

    def test_a_debugger_opens_where_the_exception_was_raised(self) -> None:
        self.file.write_text(json.dumps(self.document("broken")), encoding="utf-8")
        run = subprocess.run(
            [sys.executable, "-m", "stepwell", "replay", str(self.file), "add", str(self.handlers), "--pdb"],
            input="where\nquit\n", capture_output=True, text=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[1])},
        )
        self.assertIn('return {}["missing"]', run.stdout)
        self.assertIn("(Pdb)", run.stdout)
        self.assertEqual(run.returncode, 1, run.stderr)

    def test_a_file_that_does_not_fit_is_refused(self) -> None:
        cases = [
            ("{", "is not JSON"),
            ("{}", "was written neither by"),
            ("[]", "holds no JSON object"),
            (self.document(version=2), "has version 2"),
            (self.document(step="other"), "holds an attempt of 'other'"),
            (self.document(attempt=1), "holds attempt 1, not 2"),
            (self.document(handler="unknown"), "no handler 'unknown'; there are: broken, refuse, sum"),
        ]
        for document, message in cases:
            with self.subTest(message):
                code, _, err = self.replay(document, "--attempt", "2")
                self.assertEqual(code, 2)
                self.assertIn(message, err)
        command = self.document()
        del command["handler"]
        self.assertIn("is a command", self.replay(command)[2])
        out, err = io.StringIO(), io.StringIO()
        with redirect_stdout(out), redirect_stderr(err):
            self.assertEqual(main(["replay", "missing.json", "add", str(self.handlers)]), 2)
        self.assertIn("missing.json: No such file", err.getvalue())


class ExportedRun(Workplace):
    """What `stepwell export` writes: the attempt is found among the events."""

    def run_lines(self, *events: Tuple[str, Dict[str, Any]], **head: Any) -> List[str]:
        steps = {
            name: {
                "callable": handler, "method": "call", "configuration": {"n": 2}, "dependencies": dependencies,
                "retry": {"max_attempts": 3},
            }
            for name, handler, dependencies in (("far", "x", []), ("near", "x", ["far"]), ("add", "sum", ["near"]))
        }
        steps["shell"] = {"command": ["true"], "configuration": {}, "dependencies": [], "retry": {"max_attempts": 1}}
        task = "01a20de1-b845-7b96-8bc3-b00b92acd21d"
        lines: List[Any] = [
            {"stepwell": "run", "version": 1, "task_id": task, "redacted": [], **head},
            {"template": "d", "cbor": "", "content": {"steps": steps}},
        ]
        for number, (kind, data) in enumerate(events, start=1):
            lines.append({"event": {"seq": number, "type": kind, "data": data}, "cbor": ""})
        lines.append({"something": "new"})
        text = [json.dumps(line) + "\n" for line in lines]
        whole = hashlib.sha256("".join(text).encode()).hexdigest()
        return [*text, json.dumps({"end": {"lines": len(text), "sha256": whole}}) + "\n"]

    def story(self, **head: Any) -> List[str]:
        def ended(step: str, lease: int, **more: Any) -> Dict[str, Any]:
            return {"step": step, "attempt": 1, "lease": lease, **more}

        start = {"step": "add", "step_index": 2}
        submitted = {"correlation_id": "c", "namespace": "n", "name": "t", "version": "1", "input": {"n": 1}}
        return self.run_lines(
            ("task.submitted", submitted),
            ("attempt.started", {"step": "far", "step_index": 0, "attempt": 1}),
            ("attempt.succeeded", ended("far", 2, result={"n": 4})),
            ("operator.resolved", {"step": "near", "result": {"n": 3}}),
            ("attempt.started", {**start, "attempt": 1}),
            ("attempt.checkpointed", ended("add", 5, checkpoint={"n": 5})),
            ("attempt.failed", ended("add", 5, message="no", error_type="x", retryable=True)),
            ("attempt.started", {**start, "attempt": 2}),
            ("attempt.checkpointed", ended("add", 8, checkpoint={"n": 50})),
            ("attempt.succeeded", ended("add", 8, result={"total": 15, "attempt": 2})),
            ("attempt.started", {"step": "shell", "step_index": 3, "attempt": 1}),
            **head,
        )

    def test_an_attempt_of_an_exported_run(self) -> None:
        code, out, err = self.replay("".join(self.story()))
        self.assertEqual(out, 'succeeded: {"total":15,"attempt":2}\nas recorded\n', err)
        self.assertEqual(code, 0)

    def test_an_earlier_attempt_had_no_checkpoint_yet(self) -> None:
        code, out, _ = self.replay("".join(self.story(redacted=["/secret"])), "--attempt", "1")
        self.assertIn('{"total":10,"attempt":1}', out)
        self.assertIn("recorded: failed: x: no", out)
        self.assertEqual(code, 1)

    def test_the_second_of_two_runs(self) -> None:
        other = self.run_lines(task_id="01a20de1-b845-7b96-8bc3-b00b92acd21e")
        other[1] = other[1].replace('"add"', '"other"')
        whole = hashlib.sha256("".join(other[:-1]).encode()).hexdigest()
        other[-1] = json.dumps({"end": {"lines": len(other) - 1, "sha256": whole}}) + "\n"
        self.assertEqual(self.replay("".join(other + self.story()))[0], 0)

    def test_a_run_that_does_not_fit_is_refused(self) -> None:
        lines = self.story()
        flipped = "".join(lines).replace('"n": 4', '"n": 9')
        for text, words, message in [
            ("".join(lines[:-1]), [], "was cut off"),
            ("".join(lines[:5]), [], "was cut off"),
            (flipped, [], "is damaged"),
            ("".join(self.story(version=2)), [], "has version 2"),
            ("".join(lines), ["--attempt", "7"], "has not attempt 7"),
        ]:
            with self.subTest(message):
                code, _, err = self.replay(text, *words)
                self.assertEqual(code, 2)
                self.assertIn(message, err)
        self.assertIn("there are: far, near, add, shell", self.replay("".join(lines), step="none")[2])
        self.assertIn("is a command", self.replay("".join(lines), step="shell")[2])

    def test_the_id_of_a_step_is_that_of_the_engine(self) -> None:
        self.assertEqual(
            _step_id("01a20de1-b845-7b96-8bc3-b00b92acd21d", 0), "01a20de1-b845-8b96-8bc3-b00b92acd21c")


class Changes(unittest.TestCase):
    def test_values_and_places(self) -> None:
        for before, after, expected in [
            (1, 1.0, []),
            (1, True, ["(all of it): 1 → true"]),
            ({"a/b": [1, {"~": "ü"}]}, {"a/b": [1, {"~": "u"}, 2]}, ['/a~1b/1/~0: "ü" → "u"', "/a~1b/2: nothing → 2"]),
            ([1], [], ["/0: 1 → nothing"]),
            (None, {}, ["(all of it): null → {}"]),
        ]:
            with self.subTest(before=before):
                self.assertEqual(list(_changes(before, after, "")), expected)


if __name__ == "__main__":
    unittest.main()
