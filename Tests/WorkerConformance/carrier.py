"""The worker's process, and the engine's side of the conversation on standard input and output."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any, Deque, Dict, List, Optional, Sequence

from patterns import parse, write
from protocol import Leases, Message

LIMIT = 30.0  # seconds; nobody waits for it unless something is broken

WELCOME: Message = {
    "type": "welcome", "protocol": 1, "worker": "conformance#1",
    "result_bytes_max": 16 << 20, "line_bytes_max": 64 << 20,
}


class Broken(AssertionError):
    """The worker did not behave."""


class Carrier:
    """One worker process and what it has said; the subclasses are the ways to talk with it."""

    variables: Dict[str, str] = {}

    def __init__(self, welcome: Message) -> None:
        self.welcome = {**WELCOME, **welcome}
        self.leases = Leases()
        self.news = threading.Condition()
        self._inbox: Deque[Optional[Message]] = deque()
        self._violations: List[str] = []
        self._errors = tempfile.TemporaryFile()
        self.process: Optional["subprocess.Popen[bytes]"] = None

    def start(self, command: Sequence[str], environment: Dict[str, str], folder: Path) -> None:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("STEPWELL_")}
        self.process = subprocess.Popen(
            list(command), cwd=folder, stdin=subprocess.PIPE, stdout=self._output(), stderr=self._errors,
            env={**inherited, **environment, **self.variables}, start_new_session=True,
        )
        threading.Thread(target=self._follow, daemon=True).start()

    def _output(self) -> Any:
        raise NotImplementedError

    def _follow(self) -> None:
        raise NotImplementedError

    def send(self, message: Message) -> None:
        """Send an engine's message."""
        if message["type"] == "attempt":
            self.leases.give(message["lease"])
        elif message["type"] == "cancel":
            self.leases.ask_to_stop(message["lease"])
        self._send(message)

    def _send(self, message: Message) -> None:
        raise NotImplementedError

    def take(self, message: Any) -> None:
        """Note what the worker says; `None` is its end. The lock is held."""
        if message is not None:
            fault = self.leases.fault(message)
            if fault:
                self.violation(f"{fault}: {write(message)[:500]}")
        self._inbox.append(message)
        self.news.notify_all()

    def violation(self, text: str) -> None:
        """Note a broken rule; the transcript fails with it."""
        self._violations.append(text)
        self.news.notify_all()

    def check(self) -> None:
        """Raise `Broken` if a rule of the protocol was broken so far."""
        if self._violations:
            raise Broken(f"the protocol forbids this: {self._violations[0]}")

    def receive(self) -> Message:
        """The worker's next message."""
        end = time.monotonic() + LIMIT
        with self.news:
            while not self._inbox:
                self.check()
                self._waiting()
                if not self.news.wait(end - time.monotonic()):
                    raise Broken(f"no message came within {LIMIT:.0f} s{self.errors()}")
            self.check()
            message = self._inbox[0]
            if message is None:
                raise Broken(f"the worker has gone{self._status()}{self.errors()}")
            self._inbox.popleft()
            return message

    def _status(self) -> str:
        status = self.process.poll() if self.process else None
        return "" if status is None else f", with status {status}"

    def _waiting(self) -> None:
        """Called with the lock held when the transcript waits for the worker."""

    def exit_status(self, limit: float = LIMIT) -> int:
        """Wait for the worker's end; what it still says before is an error."""
        assert self.process
        try:
            status = self.process.wait(limit)
        except subprocess.TimeoutExpired:
            raise Broken(f"the worker did not end within {limit:.0f} s{self.errors()}") from None
        with self.news:
            while not self._inbox or self._inbox[-1] is not None:
                if not self.news.wait(LIMIT):
                    raise Broken("the worker ended, but its output stays open")
            self.check()
            rest = [message for message in self._inbox if message is not None]
        if rest:
            raise Broken(f"it also said {write(rest[0])[:500]}")
        return status

    def signal(self, name: str) -> None:
        assert self.process
        self.process.send_signal(getattr(signal, f"SIG{name}"))

    def errors(self) -> str:
        """What the worker wrote to standard error, ready to be appended to a message."""
        self._errors.seek(0)
        text = self._errors.read().decode("utf-8", "replace").strip()
        return f"\nits standard error: {text[-2000:]}" if text else ""

    def close(self) -> None:
        """End the worker and all that it has started."""
        if self.process:
            try:
                os.killpg(self.process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            self.process.wait()
            for stream in (self.process.stdin, self.process.stdout):
                try:
                    if stream:
                        stream.close()
                except BrokenPipeError:
                    pass
        self._errors.close()


class Lines(Carrier):
    """Messages as lines on standard input and output."""

    variables = {"STEPWELL_WORKER": "1"}

    def _output(self) -> Any:
        return subprocess.PIPE

    def _follow(self) -> None:
        assert self.process and self.process.stdout
        has_greeted = False
        try:
            for line in self.process.stdout:
                try:
                    message = parse(line.decode("utf-8"))
                except ValueError:
                    with self.news:
                        self.violation(f"not a line of JSON: {line[:200]!r}")
                    continue
                if not has_greeted:
                    has_greeted = True
                    self._send(self.welcome)
                with self.news:
                    self.take(message)
        except ValueError:
            return  # closed by the runner
        with self.news:
            self.take(None)

    def _send(self, message: Message) -> None:
        self.send_line(write(message))

    def send_line(self, text: str) -> None:
        assert self.process and self.process.stdin
        try:
            self.process.stdin.write(text.encode("utf-8") + b"\n")
            self.process.stdin.flush()
        except BrokenPipeError:
            pass  # the transcript finds out that the worker has gone

    def end_input(self) -> None:
        assert self.process and self.process.stdin
        self.process.stdin.close()
