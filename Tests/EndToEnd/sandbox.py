"""One folder for a test, and the binary in it as at a prompt: relative paths, the store in `.stepwell`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence, Tuple

from support import SAFETY_NET, EndToEndTest, Running, command_step, wait_until
from terminal import Terminal

PYTHON_WORKER = f"'{sys.executable}' -m stepwell worker handlers.py"


def command(name: str, *words: str, after: Sequence[str] = (), **keys: Any) -> Dict[str, Any]:
    """A step that runs a program, once unless `retry` says otherwise."""
    return {**command_step(name, *words), "dependencies": list(after), "retry": {"max_attempts": 1}, **keys}


def shell(name: str, script: str, after: Sequence[str] = (), **keys: Any) -> Dict[str, Any]:
    """A step that runs a shell's script, once unless `retry` says otherwise."""
    return command(name, "sh", "-c", script, after=after, **keys)


def call(name: str, handler: str, after: Sequence[str] = (), **keys: Any) -> Dict[str, Any]:
    """A step that runs a worker's handler, once unless `retry` says otherwise."""
    step = {"name": name, "handler": {"callable": handler}}
    return {**step, "dependencies": list(after), "retry": {"max_attempts": 1}, **keys}


class Sandbox(EndToEndTest):
    """A test that runs `stepwell` in an empty folder."""

    def setUp(self) -> None:
        super().setUp()
        self.folder = self.new_folder()
        self.environment.pop("NO_COLOR", None)
        self.environment["TERM"] = "xterm"
        self.environment["PATH"] = os.pathsep.join([str(self.binary.parent), self.environment.get("PATH", os.defpath)])

    # Files

    def put(self, name: str, text: str) -> Path:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    def template(self, *steps: Dict[str, Any], file: str = "t.yaml", **keys: Any) -> str:
        """Writes a template of these steps, as JSON, which is YAML too."""
        whole = {"name": "t", "namespace_name": "tests", "version": "1", "steps": list(steps), **keys}
        self.put(file, json.dumps(whole, ensure_ascii=False))
        return file

    # Commands

    def stepwell(
        self, *words: Any, code: Optional[int] = 0, stdin: Optional[str] = None, env: Optional[Dict[str, str]] = None,
        cwd: Optional[Path] = None, as_user: Sequence[str] = (),
    ) -> "subprocess.CompletedProcess[str]":
        """Runs a command to its end, which must have the given code; None allows any."""
        done = subprocess.run(
            [*as_user, str(self.binary), *map(str, words)], cwd=cwd or self.folder,
            env={**self.environment, **(env or {})}, input=stdin or "", capture_output=True, text=True,
            timeout=SAFETY_NET,
        )
        if code is not None:
            self.assertEqual(done.returncode, code, f"{words}\n{done.stdout[-4000:]}\n{done.stderr[-4000:]}")
        return done

    def json(self, *words: Any, code: int = 0, **how: Any) -> Any:
        """The payload of a command with `-o json`, which must be all of its standard output."""
        return json.loads(self.stepwell(*words, "-o", "json", code=code, **how).stdout)

    def run_task(self, *words: Any, file: str = "t.yaml", code: int = 0) -> Dict[str, Any]:
        """Runs a template, and gives the report."""
        return self.json("run", file, *words, code=code)

    def start(self, *words: Any) -> Running:
        """Starts a command that is ended with the test if it has not before."""
        return Running(self, [str(self.binary), *map(str, words)], self.environment, self.folder)

    def terminal(self, *words: Any, env: Optional[Dict[str, str]] = None) -> Tuple[int, str]:
        """Runs a command on a terminal of its own; gives its exit code and all that it has drawn."""
        words = [self.binary, *map(str, words)]
        screen = Terminal(self, words, {**self.environment, **(env or {})}, self.folder)
        code = screen.end()
        return code, screen.drawn.decode()

    # Questions

    def events(self, *words: Any) -> List[Dict[str, Any]]:
        """The log, or what `words` choose of it; empty while there is no store."""
        lines = self.stepwell("events", "-o", "jsonl", *words, code=None).stdout.splitlines()
        return [json.loads(line) for line in lines]

    def count(self, type: str, step: Optional[str] = None) -> int:
        """How many events of that type the log has, of that step if one is given."""
        return sum(event["type"] == type and step in (None, event["data"].get("step")) for event in self.events())

    def wait_for(self, type: str, run: Running, step: Optional[str] = None) -> None:
        """Waits until the log of a command that runs has such an event."""

        def is_there() -> bool:
            found = self.count(type, step) > 0
            self.assertTrue(found or run.code is None, f"ended without {type}: {run}")
            return found

        wait_until(is_there, f"the log has {type}")
