"""The command line that speaks to a server, beside the same command on the server's store."""

from __future__ import annotations

from serving import CHAIN, Server, ServingTest
from support import Commands, Stepwell

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


class Remote(Commands):
    """The binary as somebody uses it who has the address of a server and no store."""

    def __init__(self, test: ServingTest, url: str, **environment: str) -> None:
        self.test = test
        self.folder = test.new_folder()
        self.environment = {"STEPWELL_URL": url, **environment}


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
