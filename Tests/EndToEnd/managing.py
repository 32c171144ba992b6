"""Plays the part of systemd for `stepwell serve`: the socket for its news, and sockets that it is given."""

from __future__ import annotations

import os
import select
import socket
import sys
import time
from typing import Dict, List, Optional, Sequence

from serving import Server
from support import SAFETY_NET, EndToEndTest, Running, Stepwell

# Puts the descriptors where LISTEN_FDS says that they are, and becomes the server: only it can know its own number.
PASS = """
import os, sys
count = int(sys.argv[1])
for place in range(count):
    os.dup2(int(sys.argv[2 + place]), 3 + place)
os.environ["LISTEN_PID"] = sys.argv[2 + count] if sys.argv[2 + count] != "me" else str(os.getpid())
if "WATCHDOG_PID" in os.environ:
    os.environ["WATCHDOG_PID"] = str(os.getpid())
os.execv(sys.argv[3 + count], sys.argv[3 + count:])
"""


class Manager:
    """Hears what a service says of itself. Each message is a dictionary of its assignments."""

    def __init__(self, test: EndToEndTest, abstract: bool = False) -> None:
        path = str(test.new_folder() / "notify")
        self.name = "@" + path if abstract else path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind("\0" + path if abstract else path)
        test.addCleanup(self.socket.close)
        self.messages: List[Dict[str, str]] = []

    def hear(self, seconds: float) -> Optional[Dict[str, str]]:
        """The next message, or None when so long nothing came."""
        if not select.select([self.socket], [], [], seconds)[0]:
            return None
        text = self.socket.recv(65536).decode()
        self.messages.append(dict(line.split("=", 1) for line in text.split("\n")))
        return self.messages[-1]

    def wait_for(self, assignment: str) -> Dict[str, str]:
        """The next message that has it, with all that came before it skipped."""
        name, value = assignment.split("=", 1)
        deadline = time.monotonic() + SAFETY_NET
        while (left := deadline - time.monotonic()) > 0:
            message = self.hear(left)
            if message and message.get(name) == value:
                return message
        raise AssertionError(f"waited in vain for {assignment}: {self.messages[-20:]}")

    def drop(self) -> None:
        """Forgets what has come and was not heard yet."""
        while self.hear(0):
            pass


class Managed(Server):
    """A server that was started with sockets; `port` is that of the first TCP one."""

    def __init__(
        self, test: EndToEndTest, stepwell: Stepwell, sockets: Sequence[socket.socket], *options: str,
        process: str = "me", **environment: str,
    ) -> None:
        descriptors = [os.dup(each.fileno()) for each in sockets]
        # Beyond all numbers that they are to have.
        high = [os.dup2(each, 100 + place) for place, each in enumerate(descriptors)]
        words = [
            sys.executable, "-c", PASS, str(len(high)), *map(str, high), process, str(test.binary), "serve", *options,
            "--store", str(stepwell.store),
        ]
        variables = {**test.environment, **stepwell.environment, "LISTEN_FDS": str(len(high)), **environment}
        self.process = Running(test, words, variables, stepwell.folder, pass_fds=high)
        for each in [*descriptors, *high]:
            os.close(each)
        self.port = next((each.getsockname()[1] for each in sockets if each.family == socket.AF_INET), 0)
        self.url = f"http://127.0.0.1:{self.port}"
