"""The engine's side of the protocol, played by a test against a real worker process."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import textwrap
import threading
from pathlib import Path
from typing import Any, Dict, List, Optional, Sequence

PACKAGE = Path(__file__).resolve().parents[1]
SAFETY_NET = 30  # seconds; no test waits for it unless something is broken

Message = Dict[str, Any]


class ScriptedEngine:
    """Starts `python -m stepwell worker` on the given source and talks with it line by line."""

    def __init__(
        self, source: str, concurrency: int = 2, welcome: Optional[Message] = None,
        options: Sequence[str] = (), prelude: Optional[str] = None,
    ) -> None:
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "handlers.py"
        file.write_text((PRELUDE if prelude is None else prelude) + textwrap.dedent(source), encoding="utf-8")
        self.process = subprocess.Popen(
            [sys.executable, "-m", "stepwell", "worker", str(file), "--concurrency", str(concurrency), *options],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={
                **os.environ, "PYTHONPATH": f"{PACKAGE}{os.pathsep}{PACKAGE / 'compat'}", "PYTHONDONTWRITEBYTECODE": "1",
                "STEPWELL_WORKER": "1",
            },
            start_new_session=True,
        )
        self._watchdog = threading.Timer(SAFETY_NET, self.process.kill)
        self._watchdog.start()
        self._next_lease = 1
        self.hello = self.read()
        limits = {"result_bytes_max": 1 << 24, "line_bytes_max": 1 << 26}
        self.send({"type": "welcome", "protocol": 1, "worker": "python#1", **limits, **(welcome or {})})

    def __enter__(self) -> ScriptedEngine:
        return self

    def __exit__(self, *_: Any) -> None:
        self._watchdog.cancel()
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            assert stream
            try:
                stream.close()
            except BrokenPipeError:
                pass
        self.folder.cleanup()

    def send(self, message: Message) -> None:
        self.send_bytes(json.dumps(message, ensure_ascii=False).encode("utf-8") + b"\n")

    def send_bytes(self, line: bytes) -> None:
        assert self.process.stdin
        self.process.stdin.write(line)
        self.process.stdin.flush()

    def read(self) -> Message:
        """The worker's next message; a line that is no JSON object fails the test."""
        assert self.process.stdout
        line = self.process.stdout.readline()
        if not line:
            raise AssertionError(f"the worker has gone: {self.errors()}")
        message = json.loads(line)
        assert isinstance(message, dict), line
        return message

    def read_until(self, kind: str) -> List[Message]:
        """Messages up to and with the first of this type."""
        messages = [self.read()]
        while messages[-1]["type"] != kind:
            messages.append(self.read())
        return messages

    def attempt(self, handler: str, **members: Any) -> int:
        """Send an attempt and return its lease."""
        lease = self._next_lease
        self._next_lease += 1
        self.send(
            {
                "type": "attempt",
                "lease": lease,
                "task_id": "01934c1e-7b2a-7000-8000-000000000001",
                "step_id": "01934c1e-7b2a-7000-8000-000000000002",
                "step": "the_step",
                "handler": handler,
                "method": "call",
                "namespace": "tests",
                "task_name": "conversation",
                "task_version": "1.0.0",
                "correlation_id": "01934c1e-7b2a-7000-8000-000000000003",
                "attempt": 1,
                "max_attempts": 3,
                "idempotency_key": "01934c1e-7b2a-7000-8000-000000000002",
                "deadline": None,
                "input": {},
                "config": {},
                "dependencies": {},
                "fetchable": [],
                "dependency_names": [],
                **members,
            }
        )
        return lease

    def run(self, handler: str, **members: Any) -> Message:
        """Send an attempt and return the message that answers it."""
        lease = self.attempt(handler, **members)
        message = self.read()
        assert message["lease"] == lease, message
        return message

    def cancel(self, lease: int, reason: str = "cancelled") -> None:
        self.send({"type": "cancel", "lease": lease, "reason": reason})

    def end_of_input(self) -> None:
        assert self.process.stdin
        self.process.stdin.close()

    def exit_status(self) -> int:
        return self.process.wait(SAFETY_NET)

    def errors(self) -> str:
        """All of the worker's standard error; waits for its end."""
        assert self.process.stderr
        return self.process.stderr.read().decode("utf-8")


PRELUDE = """\
import asyncio, logging, os, subprocess, sys, threading, time
from stepwell import *

"""

#: A handler whose forked child prints and logs.
FORKING = """
    import multiprocessing

    def work():
        print("printed in the fork"); logging.warning("logged in the fork")

    @step_handler("fork")
    def fork(context):
        child = multiprocessing.get_context("fork").Process(target=work)
        child.start(); child.join()
        return child.exitcode
"""
