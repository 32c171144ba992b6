"""SIGHUP reads the certificate again, and nobody who is connected notices."""

from __future__ import annotations

import http.client
import shutil
import signal
import ssl
import subprocess
import unittest
from pathlib import Path

from serving import CHAIN, Server, ServingTest
from support import Stepwell, wait_until


class Certificates(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.folder = self.new_folder()
        self.made = 0
        self.certificate, self.key = self.folder / "cert.pem", self.folder / "key.pem"

    def make(self) -> "tuple[Path, Path]":
        """A new certificate and its key."""
        self.made += 1
        certificate, key = self.folder / f"{self.made}.cert", self.folder / f"{self.made}.key"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", str(key), "-out", str(certificate), "-subj", f"/CN=number {self.made}",
             "-addext", "subjectAltName=IP:127.0.0.1", "-days", "2"],
            check=True, capture_output=True,
        )
        return certificate, key

    def install(self, certificate: Path, key: Path) -> None:
        shutil.copy(certificate, self.certificate)
        shutil.copy(key, self.key)

    def start(self) -> Server:
        return self.serve(
            self.stepwell, "--templates", self.templates(CHAIN), "--tls-cert", str(self.certificate),
            "--tls-key", str(self.key))

    def hang_up(self, server: Server) -> str:
        """What the server says of the certificate, to this signal."""
        before = len(server.process.stderr)
        server.process.signal(signal.SIGHUP)
        wait_until(lambda: "templates read again" in server.process.stderr[before:], "it has read again")
        return next(line for line in server.process.stderr[before:].splitlines() if "certificate" in line)

    def connect(self, server: Server, certificate: Path) -> http.client.HTTPSConnection:
        """A connection that trusts this certificate alone."""
        connection = http.client.HTTPSConnection(
            "127.0.0.1", server.port, timeout=60, context=ssl.create_default_context(cafile=str(certificate)))
        connection.connect()
        return connection

    def ask(self, connection: http.client.HTTPSConnection, path: str = "/v1/health/live") -> int:
        connection.request("GET", path)
        answer = connection.getresponse()
        answer.read()
        return answer.status

    def assert_serves(self, server: Server, certificate: Path) -> None:
        connection = self.connect(server, certificate)
        self.assertEqual(self.ask(connection), 200)
        connection.close()

    def test_new_connections_get_the_new_one_and_old_ones_go_on(self) -> None:
        first, second = self.make(), self.make()
        self.install(*first)
        server = self.start()
        old = self.connect(server, first[0])
        self.assertEqual(self.ask(old), 200)
        # One that waits for an answer all the while.
        waiting = self.connect(server, first[0])
        waiting.request("POST", "/v1/tasks?wait=60s", b'{"name": "chain"}', {"Content-Type": "application/json"})
        wait_until(lambda: self.stepwell.events("task.submitted"), "the task is there")

        self.install(*second)
        self.assertRegex(self.hang_up(server), r"certificate read again, good until 20\d\d-")
        self.assert_serves(server, second[0])
        with self.assertRaises(ssl.SSLCertVerificationError):
            self.connect(server, first[0])
        for _ in range(3):
            self.assertEqual(self.ask(old), 200)
        self.stepwell.run("cancel", "last")
        self.assertEqual(waiting.getresponse().status, 201)
        for each in (old, waiting):
            each.close()

        # Again and again: connections of every generation, and what they used is given back.
        open_ones = []
        for _ in range(5):
            third = self.make()
            self.install(*third)
            self.hang_up(server)
            open_ones.append(self.connect(server, third[0]))
        self.assertEqual([self.ask(each) for each in open_ones], [200] * 5)
        for each in open_ones:
            each.close()
        self.assert_serves(server, third[0])
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(), 0)

    def test_a_bad_one_leaves_the_present_one(self) -> None:
        good, other = self.make(), self.make()
        self.install(*good)
        server = self.start()
        rubbish = self.folder / "rubbish"
        rubbish.write_text("no certificate\n")
        empty = self.folder / "empty"
        empty.touch()
        cut = self.folder / "cut"
        cut.write_bytes(other[0].read_bytes()[:200])
        bad = [(good[0], other[1]), (other[0], good[1]), (rubbish, good[1]), (good[0], rubbish), (empty, empty), (cut, other[1])]
        for certificate, key in [*bad, self.ended()]:
            self.install(certificate, key)
            said = self.hang_up(server)
            self.assertIn("the certificate was not read again, the present one stays", said)
            self.assertIn("error=cannot_listen", said)
            self.assert_serves(server, good[0])
        self.key.unlink()
        self.assertIn("error=unreadable_file", self.hang_up(server))
        self.assert_serves(server, good[0])
        self.install(*other)
        self.hang_up(server)
        self.assert_serves(server, other[0])

    def test_a_bad_one_at_the_start_ends_it(self) -> None:
        good, other = self.make(), self.make()
        self.install(good[0], other[1])
        refused = self.stepwell.run(
            "serve", "--listen", "127.0.0.1:0", "--tls-cert", str(self.certificate), "--tls-key", str(self.key), code=1)
        self.assertIn("the TLS certificate and key cannot be used", refused.stderr)

    def ended(self) -> "tuple[Path, Path]":
        """A certificate whose time was over yesterday."""
        request, certificate, key = (self.folder / f"ended.{kind}" for kind in ("request", "cert", "key"))
        subprocess.run(
            ["openssl", "req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(key),
             "-out", str(request), "-subj", "/CN=ended"], check=True, capture_output=True)
        subprocess.run(
            ["openssl", "x509", "-req", "-in", str(request), "-signkey", str(key), "-days", "-1", "-out", str(certificate)],
            check=True, capture_output=True)
        return certificate, key


if __name__ == "__main__":
    unittest.main()
