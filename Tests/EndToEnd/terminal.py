"""A command on a terminal of its own."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import time
from pathlib import Path
from typing import Dict, Sequence, Union

from support import SAFETY_NET, EndToEndTest


def without_escapes(text: str) -> str:
    """The text without colours and moves of the cursor."""
    return re.sub(r"\x1b\[[\d;?]*[A-Za-z]", "", text)


class Terminal:
    """A command that was started on a terminal, and all that it has drawn since a test has last waited for something."""

    def __init__(
        self, test: EndToEndTest, words: Sequence[Union[str, Path]], environment: Dict[str, str], folder: Path,
        rows: int = 24, columns: int = 100,
    ) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.settings = termios.tcgetattr(self.slave)
        self.process = subprocess.Popen(
            [str(word) for word in words], cwd=folder, env=environment, stdin=self.slave, stdout=self.slave,
            stderr=self.slave, start_new_session=True)
        test.addCleanup(self.close)
        self.drawn = b""

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self.master)
        os.close(self.slave)

    def press(self, keys: bytes) -> None:
        os.write(self.master, keys)

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def last(self) -> str:
        """The text of what was drawn last: all of it that was not drawn over."""
        return without_escapes(self.drawn.decode("utf-8", "replace").rpartition("\x1b[J")[2]).replace("\r", "")

    def shows(self, pattern: str) -> str:
        """Waits until what was drawn last matches, and returns it."""
        deadline = time.monotonic() + SAFETY_NET
        while not re.search(pattern, self.last()):
            if time.monotonic() > deadline or not select.select([self.master], [], [], SAFETY_NET)[0]:
                raise AssertionError(f"never drew {pattern!r}: {self.drawn!r}")
            self.drawn += os.read(self.master, 65536)
        screen = self.last()
        self.drawn = b""
        return screen

    def end(self) -> int:
        """Its exit code, once it has ended by itself; `drawn` has the rest of what it drew."""
        deadline = time.monotonic() + SAFETY_NET
        # It is read while it writes: a terminal holds little.
        while self.process.poll() is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"still runs: {self.drawn!r}")
            self._read(0.01)
        while self._read(0):
            pass
        return self.process.returncode

    def _read(self, seconds: float) -> bool:
        if not select.select([self.master], [], [], seconds)[0]:
            return False
        self.drawn += os.read(self.master, 65536)
        return True
