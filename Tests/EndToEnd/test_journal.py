"""What `stepwell serve` writes to standard error: a line for each thing, which nobody from outside can forge."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import unittest
from typing import Any, Dict, List

from serving import CHAIN, EventSubscriber, Server, ServingTest
from support import Running, Stepwell, wait_until

LINE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z (info|warning|error) \[[a-z_]+\]( .*)?")
TIME = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"


class Journal(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)

    def start(self, *options: str) -> Server:
        return self.serve(self.stepwell, "--templates", self.templates(CHAIN), *options).ready()

    def entries(self, process: Running, code: str = "") -> List[Dict[str, Any]]:
        found = [json.loads(line) for line in process.stderr.split("\n")[:-1]]
        for each in found:
            self.assertRegex(each["time"], f"^{TIME}$")
            self.assertIn(each["level"], ("info", "warning", "error"))
        return [each for each in found if code in ("", each["code"])]

    def requests(self, server: Server, path: str) -> List[Dict[str, Any]]:
        return [each for each in self.entries(server.process, "request") if each["path"] == path]

    def wait_for_request(self, server: Server, path: str, count: int = 1) -> List[Dict[str, Any]]:
        wait_until(lambda: len(self.requests(server, path)) >= count, f"{path} is told: {server.process}")
        return self.requests(server, path)

    def test_every_line_of_text_has_time_level_and_code(self) -> None:
        server = self.start("--access-log")
        server.get("/tasks")
        server.process.signal(signal.SIGHUP)
        wait_until(lambda: "templates read again" in server.process.stderr, "it has read again")
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(), 0)
        lines = server.process.stderr.splitlines()
        for line in lines:
            self.assertIsNotNone(LINE.fullmatch(line), line)
        codes = [re.findall(r"\[(\w+)\]", line)[0] for line in lines]
        self.assertEqual(
            [code for code in codes if code != "request"], ["listening", "templates_read", "stopping", "stopped"])
        self.assertIn(" method=GET path=/v1/tasks status=200 ", server.process.stderr)

    def test_every_line_of_json_is_an_object(self) -> None:
        server = self.start("--log-format", "json")
        server.get("/tasks")
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(), 0)
        self.assertEqual(
            [each["code"] for each in self.entries(server.process)], ["listening", "stopping", "stopped"],
            "without --access-log no requests")
        self.assertEqual(self.entries(server.process, "listening")[0]["pid"], server.process.pid)

    def test_also_what_ends_it_is_a_line(self) -> None:
        folder = self.templates(CHAIN.replace("callable: second", "calable: second"))
        refused = self.stepwell.run(
            "serve", "--check", "--listen", "127.0.0.1:0", "--templates", folder, "--log-format", "json", code=2)
        first, *_, last = self.entries(refused)
        self.assertEqual((first["code"], first["error"], first["file"]), ("template_refused", "no_handler", f"{folder}/0.yaml"))
        self.assertGreater(first["line"], 1)
        self.assertEqual((last["level"], last["code"]), ("error", "invalid_template"))
        wrong = self.stepwell.run("serve", "--log-format", "xml", code=2)
        self.assertIn("'--log-format' takes text or json", wrong.stderr)

    def test_a_request_is_told_with_what_came_of_it(self) -> None:
        server = self.start("--log-format", "json", "--access-log")
        server.request("GET", "/templates?secret=hidden", X_Stepwell_Actor="ann")
        [entry] = self.wait_for_request(server, "/v1/templates")
        connection = entry["remote"].rsplit(":", 1)
        self.assertEqual((entry["method"], entry["status"], entry["actor"], connection[0]), ("GET", 200, "ann", "127.0.0.1"))
        status, answer = server.request("GET", "/openapi.json")
        [entry] = self.wait_for_request(server, "/v1/openapi.json")
        self.assertEqual(entry["status"], 200)
        self.assertAlmostEqual(entry["bytes"], len(json.dumps(answer, separators=(",", ":"), ensure_ascii=False).encode()))
        self.assertGreater(entry["duration_ms"], 0)
        # One that waits.
        server.post("/tasks?wait=1s", {"name": "chain"})
        [entry] = self.wait_for_request(server, "/v1/tasks")
        self.assertGreaterEqual(entry["duration_ms"], 1000)
        # One whose body nobody reads, one at no address, one without a body in its answer.
        head = b"PUT /v1/templates HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 2097152\r\n\r\n"
        self.assertIn(b" 413 ", self.raw(server, head, end=b"}"))
        self.assertEqual(self.wait_for_request(server, "/v1/templates", 2)[1]["status"], 413)
        server.request("GET", "/nothing")
        self.assertEqual(self.wait_for_request(server, "/v1/nothing")[0]["status"], 404)
        self.raw(server, b"HEAD /v1/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        wait_until(lambda: self.entries(server.process, "request")[-1]["method"] == "HEAD", "it is told")
        self.assertEqual(self.entries(server.process, "request")[-1]["bytes"], 0)
        # A stream is told when it is over, with all that went out.
        stream = EventSubscriber(server.port)
        next(stream.ids())
        stream.answer.close()
        stream.close()

        def is_told() -> bool:
            # Only who writes notices that nobody is there.
            server.post("/tasks", {"name": "chain"})
            return bool(self.requests(server, "/v1/events/stream"))

        wait_until(is_told, "the stream is told")
        [entry] = self.requests(server, "/v1/events/stream")
        self.assertGreater(entry["bytes"], 100)
        self.assertIs(entry["cut"], True)
        # Over the socket in the store.
        self.stepwell.run("cancel", "last")
        [entry] = [each for each in self.entries(server.process, "request") if each["path"].endswith("/cancel")]
        self.assertEqual((entry["remote"], entry["status"]), ("unix", 200))
        self.assertNotIn("hidden", server.process.stderr)

    def test_nobody_forges_a_line(self) -> None:
        for options in ([], ["--log-format", "json"]):
            with self.subTest(options=options):
                self.stepwell = Stepwell(self)
                server = self.start("--access-log", *options)
                forged = "2026-11-24T02:00:31.042Z error [forged] all is lost"
                for path in (
                    b"/v1/a\x1b[2J\x07", b"/v1/%0a" + forged.replace(" ", "%20").encode(), b"/v1/\xff\xfe", b"/v1/\xe2\x80\xa8b",
                    b'/v1/x"y=z\\', b"/v1/" + b"long" * 2000,
                ):
                    self.raw(server, b"GET " + path + b" HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                name = f"eve\x85\u202e status=200 {forged}"
                self.raw(
                    server, b"GET /v1/last HTTP/1.1\r\nHost: x\r\nX-Stepwell-Actor: " + name.encode()
                    + b"\r\nConnection: close\r\n\r\n")
                server.request("POST", "/release", {"reason": f"x\n{forged}"})
                wait_until(lambda: "/v1/release" in server.process.stderr, "the last is told")
                text = server.process.stderr
                for line in text.split("\n")[:-1]:
                    self.assertFalse(line.startswith(forged))
                    self.assertTrue(all(letter.isprintable() for letter in line), repr(line))
                    self.assertLess(len(line), 8000)
                    if options:
                        json.loads(line)
                    else:
                        self.assertIsNotNone(LINE.fullmatch(line), line)

    def raw(self, server: Server, request: bytes, end: bytes = b"") -> bytes:
        """What is answered, until the connection ends, or this has come."""
        with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
            connection.sendall(request)
            answer = b""
            try:
                while part := connection.recv(65536):
                    answer += part
                    if end and end in answer:
                        break
            except ConnectionResetError:
                pass
            return answer

    def test_refused_attempts_are_told_and_counted(self) -> None:
        server = self.start("--log-format", "json", "--access-log")
        tokens = {
            name: self.stepwell.run("token", "create", name, *words).stdout.strip()
            for name, words in {
                "viewer": ["--role", "viewer"], "narrow": ["--role", "admin", "--namespace", "x"],
                "root": ["--role", "admin"],
            }.items()
        }
        wait_until(lambda: server.request("GET", "/tasks")[0] == 401, "a token is needed")
        def ask(method: str, path: str, token: str) -> int:
            return server.request(method, path, {} if method == "POST" else None, Authorization=f"Bearer {token}")[0]

        self.assertEqual(ask("GET", "/tasks?token=hidden", "stepwell_wrong"), 401)
        self.assertEqual(ask("POST", "/release", tokens["viewer"]), 403)
        self.assertEqual(ask("GET", "/stats", tokens["narrow"]), 403)

        def told() -> List[Dict[str, Any]]:
            return [each for each in self.entries(server.process, "refused") if each["error"] != "token_missing"]

        wait_until(lambda: len(told()) >= 3, "they are told")
        refused = told()
        self.assertEqual(
            [(each["error"], each["method"], each["path"]) for each in refused],
            [("token_unknown", "GET", "/v1/tasks"), ("not_allowed", "POST", "/v1/release"), ("not_allowed", "GET", "/v1/stats")])
        self.assertTrue(all(each["remote"].startswith("127.0.0.1:") for each in refused))
        self.assertIn("'viewer'", refused[1]["message"])
        status, text = server.request("GET", "/metrics", Authorization=f"Bearer {tokens['root']}")
        self.assertEqual(status, 200)
        self.assertIn('stepwell_access_refusals_total{code="token_unknown"} 1\n', text)
        self.assertIn('stepwell_access_refusals_total{code="not_allowed"} 2\n', text)
        self.assertIn('stepwell_access_refusals_total{code="token_expired"} 0\n', text)
        [entry] = self.wait_for_request(server, "/v1/metrics")
        self.assertEqual(entry["actor"], "root")
        for secret in (*tokens.values(), "stepwell_wrong", "hidden"):
            self.assertNotIn(secret, server.process.stderr)

    def test_a_flood_of_wrong_tokens_does_not_flood_the_log(self) -> None:
        server = self.start("--log-format", "json")
        self.stepwell.run("token", "create", "ann", "--role", "admin")
        wait_until(lambda: server.request("GET", "/tasks")[0] == 401, "a token is needed")
        for _ in range(200):
            self.assertEqual(server.request("GET", "/tasks", Authorization="Bearer no")[0], 401)
        told = self.entries(server.process, "refused")
        self.assertLess(len(told), 200)
        # The next that is told says how many were not.
        wait_until(
            lambda: server.request("GET", "/tasks", Authorization="Bearer no")[0] == 401
            and any(each.get("untold") for each in self.entries(server.process, "refused")), "the others are told of")

    def test_a_reader_that_does_not_read_holds_nobody_up(self) -> None:
        words = [
            str(self.binary), "serve", "--listen", "127.0.0.1:0", "--access-log", "--store", str(self.stepwell.store)]
        process = subprocess.Popen(words, env=self.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        assert process.stderr
        self.addCleanup(process.stderr.close)
        found = re.search(rb"http://127.0.0.1:(\d+) ", process.stderr.readline())
        assert found
        with socket.create_connection(("127.0.0.1", int(found[1])), timeout=60) as connection:
            # More than a pipe holds, and nobody reads it.
            lines = connection.makefile("rb")
            for _ in range(2000):
                connection.sendall(b"GET /v1/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
                while (line := lines.readline()) != b"\r\n":
                    self.assertTrue(line)
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                lines.read(length)
            lines.close()
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(60), 0)


if __name__ == "__main__":
    unittest.main()
