"""The command line that speaks to a server, beside the same command on the server's store."""

from __future__ import annotations

import json
from typing import Any, Optional

from serving import CHAIN, Server, ServingTest
from support import SAFETY_NET, Running, Stepwell

# A step that fails for good until there is a file `ready` in the server's folder, and writes lines.
FLAKY = """
name: flaky
namespace_name: default
version: 1.0.0
description: Fails until it is ready
steps:
  - name: load
    handler: { command: ["sh", "-c", "echo looking >&2; test -e ready && echo '{\\"rows\\": 3}'"] }
    retry: { retryable: false }
  - { name: count, handler: { command: ["sh", "-c", "echo counting >&2; echo 2"] }, dependencies: [load] }
"""


class Remote:
    """The binary as somebody uses it who has the address of a server and no store."""

    def __init__(self, test: ServingTest, url: str, **environment: str) -> None:
        self.test = test
        self.url = url
        self.folder = test.new_folder()
        self.environment = environment

    def start(self, *words: str, **environment: str) -> Running:
        variables = {
            **self.test.environment, "STEPWELL_URL": self.url, **self.environment, **environment}
        return Running(self.test, [str(self.test.binary), *words], variables, self.folder)

    def run(
        self, *words: str, code: Optional[int] = 0, timeout: float = SAFETY_NET, **environment: str
    ) -> Running:
        command = self.start(*words, **environment)
        ended = command.wait(timeout)
        if code is not None and ended != code:
            raise AssertionError(f"ended with {ended} and not with {code}: {command}")
        return command

    def json(self, *words: str, code: Optional[int] = 0, **environment: str) -> Any:
        return json.loads(self.run(*words, "-o", "json", code=code, **environment).stdout)


class RemoteTest(ServingTest):
    """A server on a store, and a client elsewhere."""

    server_options: tuple = ()

    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.folder = self.templates(CHAIN, FLAKY)
        self.server: Server = self.serve_again()
        self.remote = Remote(self, self.server.url)

    def serve_again(self, port: int = 0) -> Server:
        return Server(self.stepwell, "--templates", self.folder, *self.server_options, port=port).ready()

    def be_ready(self) -> None:
        """From now on the flaky step succeeds: the server runs in the store's folder."""
        (self.stepwell.folder / "ready").touch()
