"""What the command line says when there is no server to work with, or the command is not for one."""

from __future__ import annotations

import socket
import subprocess
import threading
import unittest
from pathlib import Path
from typing import Callable, List

from remote_cli import Remote, RemoteTest
from serving import CHAIN, Server
from support import EndToEndTest, Stepwell, wait_until


ALONE = """
name: alone
namespace_name: default
version: 1.0.0
steps:
  - { name: one, handler: { command: ["true"] } }
"""


class Pretender:
    """Something that listens and is no Stepwell server."""

    def __init__(self, test: EndToEndTest, answer: Callable[[socket.socket], None]) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        test.addCleanup(self._socket.close)
        threading.Thread(target=self._run, args=(answer,), daemon=True).start()

    def _run(self, answer: Callable[[socket.socket], None]) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            with client:
                client.recv(65536)
                answer(client)


class Cut:
    """Passes all on to a server, but for the answer to the first request that changes something: its connection ends instead."""

    def __init__(self, test: EndToEndTest, port: int) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._port = port
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self.posts = 0
        test.addCleanup(self._socket.close)
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            try:
                client, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._pass, args=(client,), daemon=True).start()

    def _pass(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self._port)) as server:
            while request := client.recv(1 << 20):
                self.posts += request.startswith(b"POST")
                server.sendall(request)
                answer = server.recv(1 << 20)
                if request.startswith(b"POST") and self.posts == 1:
                    return
                client.sendall(answer)


def says(text: str) -> Callable[[socket.socket], None]:
    return lambda client: client.sendall(text.replace("\n", "\r\n").encode())


class NoServer(RemoteTest):
    def refused(self, code: str, *words: str, url: str = "", exit: int = 1, **environment: str) -> str:
        said = Remote(self, url or self.server.url).run(*(words or ("list",)), code=exit, **environment).stderr
        self.assertIn(f"[{code}]", said)
        self.assertIn("\n  ", said, "a cure")
        return said

    def test_nobody_listens(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as closed:
            port = closed.getsockname()[1]
        for words in (["list"], ["events", "--follow"], ["run", self.write("chain.yaml", CHAIN)], ["cancel", "last"]):
            said = self.refused("no_connection", *words, url=f"http://127.0.0.1:{port}")
            self.assertIn(f"http://127.0.0.1:{port}", said)
        self.refused("no_connection", url=f"unix:{self.new_folder()}/api.sock")
        self.refused("no_connection", url="http://no-such-host.invalid:1")
        self.refused("bad_server_address", url="127.0.0.1:7420", exit=2)

    def test_somebody_else_listens(self) -> None:
        page = Pretender(self, says("HTTP/1.1 200 OK\nContent-Length: 2\n\n{}"))
        self.assertIn(page.url, self.refused("not_a_stepwell_server", url=page.url))
        self.refused("not_a_stepwell_server", "events", url=page.url)
        gateway = Pretender(self, says("HTTP/1.1 502 Bad Gateway\nContent-Length: 0\n\n"))
        self.assertIn("502", self.refused("not_a_stepwell_server", "show", "last", url=gateway.url))
        self.refused("not_a_stepwell_server", url=Pretender(self, says("SSH-2.0-Server\n")).url)

    def test_another_version(self) -> None:
        problem = '{"code": "unknown_address", "detail": "there is nothing at /v1/tasks"}'
        old = Pretender(self, says(
            f"HTTP/1.1 404 Not Found\nX-Stepwell-Version: 0.0.1\nContent-Length: {len(problem)}\n\n{problem}"))
        said = self.refused("other_version", url=old.url)
        self.assertIn("0.0.1", said)
        self.assertIn("there is nothing at /v1/tasks", said)

    def test_tokens(self) -> None:
        token = self.stepwell.json("token", "create", "eye", "--role", "viewer")["token"]
        old = self.stepwell.json("token", "create", "old", "--role", "admin", "--expires", "0")["token"]
        wait_until(lambda: self.server.request("GET", "/tasks")[0] == 401, "a token is needed")
        self.assertIn("STEPWELL_TOKEN", self.refused("token_missing"))
        self.assertIn(self.server.url, self.refused("token_unknown", STEPWELL_TOKEN="wrong"))
        self.refused("token_expired", STEPWELL_TOKEN=old)
        file = self.write("token", f"{token}\n")
        self.assertIn("no tasks", self.remote.run("list", "--token-file", file).stderr)
        self.assertIn("no tasks", self.remote.run("list", STEPWELL_TOKEN=token).stderr)
        said = self.remote.run("run", self.write("chain.yaml", CHAIN), code=1, STEPWELL_TOKEN=token).stderr
        self.assertIn("[not_allowed]", said)
        empty = self.remote.run("list", "--token-file", self.write("empty", "\n"), code=2)
        self.assertIn("there is no token", empty.stderr)
        # Beside the server no token is needed.
        self.assertIn("no tasks", self.stepwell.run("list").stderr)

    def test_an_operator_runs_what_the_server_knows(self) -> None:
        token = self.stepwell.json("token", "create", "cron", "--role", "operator")["token"]
        wait_until(lambda: self.server.request("GET", "/tasks")[0] == 401, "a token is needed")
        known, new = self.write("chain.yaml", CHAIN), self.write("new.yaml", CHAIN.replace("chain", "new"))
        self.remote.run("run", known, "--timeout", "1", code=6, STEPWELL_TOKEN=token)
        self.assertIn("not_allowed", self.remote.run("run", new, code=1, STEPWELL_TOKEN=token).stderr)
        actors = {event["actor"]["id"] for event in self.stepwell.events("task.submitted")}
        self.assertEqual(actors, {"cron"})


class BrokenOff(RemoteTest):
    def test_what_was_perhaps_done_is_not_asked_for_again(self) -> None:
        self.server.request("PUT", "/templates", ALONE.encode())
        template = self.folder + "/alone.yaml"
        Path(template).write_text(ALONE)
        cut = Cut(self, self.server.port)
        broken = Remote(self, cut.url).run("run", template, code=1)
        self.assertIn("[no_connection]", broken.stderr)
        self.assertEqual((cut.posts, len(self.server.get("/tasks?name=alone")["tasks"])), (1, 1))


class Certificates(RemoteTest):
    def test_a_certificate_that_nobody_trusts(self) -> None:
        stepwell = Stepwell(self)
        key, certificate = stepwell.folder / "key.pem", stepwell.folder / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-days", "1", "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost",
             "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        server = Server(stepwell, "--tls-cert", str(certificate), "--tls-key", str(key))
        url = f"https://127.0.0.1:{server.port}"
        remote = Remote(self, url)
        refused = remote.run("list", code=1).stderr
        self.assertIn("[tls_failed]", refused)
        self.assertIn(url, refused)
        self.assertIn("SSL_CERT_FILE", refused)
        wait_until(lambda: remote.run("list", code=None, SSL_CERT_FILE=str(certificate)).code == 0, "it is served")
        # A server without TLS, asked for it.
        plain = self.server.url.replace("http:", "https:")
        self.assertIn("[tls_failed]", Remote(self, plain).run("list", code=1).stderr)
        # And one with TLS, not asked for it.
        self.assertRegex(
            Remote(self, url.replace("https:", "http:")).run("list", code=1).stderr,
            r"\[(not_a_stepwell_server|no_connection)\]")


class NotForAServer(EndToEndTest):
    STORE: List[List[str]] = [
        ["verify"], ["audit", "head"], ["backup", "copy"], ["restore", "copy"], ["rewind", "--to", "1", "old"],
        ["prune", "--older-than", "1d"], ["import", "run.stepwell"], ["replay", "last"],
        ["replay-step", "last", "step"], ["token", "list"],
    ]

    def test_they_say_where_to_run_them(self) -> None:
        remote = Remote(self, "http://127.0.0.1:1")
        for words in [*self.STORE, ["serve"]]:
            with self.subTest(words):
                said = remote.run(*words, "--server", "http://127.0.0.1:1", code=2).stderr
                self.assertIn("[not_remote]", said)
                self.assertIn("run it on the server's machine, with '--store DIR'", said)
        for words in self.STORE:
            with self.subTest(words):
                self.assertIn("STEPWELL_URL names one", remote.run(*words, code=2).stderr)
                # With a store of its own the variable is not meant.
                self.assertNotIn("not_remote", remote.run(*words, "--store", "nowhere", code=None).stderr)
        for words in (["validate", "x.yaml"], ["init", "hello"], ["simulate"], ["test", "--against", "x", "y.yaml"]):
            with self.subTest(words):
                said = remote.run(*words, "--server", "http://127.0.0.1:1", code=2).stderr
                self.assertIn("leave '--server' out", said)
        self.assertEqual(remote.run("init", "hello").code, 0)

    def test_two_places(self) -> None:
        remote = Remote(self, "http://127.0.0.1:1")
        said = remote.run("list", "--server", "http://127.0.0.1:1", "--store", "x", code=2).stderr
        self.assertIn("name two places", said)
        self.assertIn("[store_not_found]", remote.run("list", "--store", "nowhere", code=3).stderr)
        self.assertIn(
            "[no_connection]", remote.run("list", "--server", "http://127.0.0.1:2", code=1, STEPWELL_URL="http://x:1").stderr)


if __name__ == "__main__":
    unittest.main()
