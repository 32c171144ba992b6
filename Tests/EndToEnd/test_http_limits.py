"""What clients do wrong on purpose or by accident: each gets its answer, and the server goes on with the others."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import unittest
from typing import List

from serving import CHAIN, RawWorker, ServingTest
from support import Stepwell, wait_until

MIB = 1 << 20
HOST = b"Host: stepwell\r\n"
CLOSE = HOST + b"Connection: close\r\n"


def head(line: str, *headers: str) -> bytes:
    return line.encode() + b" HTTP/1.1\r\n" + CLOSE + b"".join(text.encode() + b"\r\n" for text in headers) + b"\r\n"


class Limits(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.server = self.serve(self.stepwell, "--templates", self.templates(CHAIN)).ready()

    def connect(self) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.server.port), timeout=30)
        self.addCleanup(client.close)
        return client

    def send(self, *pieces: bytes) -> bytes:
        """What comes until the server closes. A server that answers early may end the connection under the sender."""
        client = self.connect()
        answer = b""
        try:
            for piece in pieces:
                client.sendall(piece)
        except (ConnectionResetError, BrokenPipeError):
            pass
        try:
            while data := client.recv(1 << 16):
                answer += data
        except ConnectionResetError:
            pass
        client.close()
        return answer

    def answers(self, data: bytes) -> List[int]:
        """The statuses of answers without chunks, one after the other."""
        statuses = []
        while data:
            top, _, data = data.partition(b"\r\n\r\n")
            statuses.append(int(top.split()[1]))
            lengths = [line for line in top.lower().split(b"\r\n") if line.startswith(b"content-length:")]
            data = data[int(lengths[0].split(b":")[1]):] if lengths and statuses[-1] != 100 else data
        return statuses

    def refused(self, status: int, code: str, *pieces: bytes) -> None:
        answer = self.send(*pieces)
        self.assertEqual(answer.split()[1:2], [str(status).encode()], answer)
        self.assertEqual(json.loads(answer.partition(b"\r\n\r\n")[2])["code"], code)

    def post(self, body: bytes, path: str = "/v1/tasks") -> bytes:
        return head(f"POST {path}", f"Content-Length: {len(body)}") + body

    def test_bodies_that_are_too_large(self) -> None:
        for length in (16 * MIB + 1, 64 * MIB):
            self.refused(413, "body_too_large", head("POST /v1/tasks", f"Content-Length: {length}"))
        # A batch may be as large as that: it is read, and found to be no JSON.
        for length, status, code in ((64 * MIB, 400, "malformed_request"), (64 * MIB + 1, 413, "body_too_large")):
            self.refused(status, code, head("POST /v1/tasks/batch", f"Content-Length: {length}"), b"[" * length)
        expecting = ("Expect: 100-continue", f"Content-Length: {64 * MIB}")
        self.refused(413, "body_too_large", head("POST /v1/tasks", *expecting))
        chunk = b"100000\r\n" + bytes(MIB) + b"\r\n"
        chunked = head("POST /v1/tasks", "Transfer-Encoding: chunked")
        self.refused(413, "body_too_large", chunked, *[chunk] * 20, b"0\r\n\r\n")
        # One that goes on and on is ended.
        self.assertEqual(self.send(chunked, *[chunk] * 64, b"0\r\n\r\n"), b"")
        self.server.get("/health")

    def test_bodies_that_are_no_json(self) -> None:
        for body in (
            b"[" * 100_000 + b"]" * 100_000, b'{"name":"chain","context":' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
            b'{"name":"\xff\xfe"}', b'{"name":"chain"', b"\0", b"{}{}", b'{"name":1e999}',
        ):
            self.refused(400, "malformed_request", self.post(body))
        self.refused(400, "malformed_request", self.post(b""))

    def test_addresses_that_are_no_text(self) -> None:
        for target in (b"/v1/tasks/%ff", b"/v1/tasks/\xff", b"/v1/tasks/%zz", b"/v1/tasks/%", b"/v1/tasks?name=%c3%28"):
            self.refused(400, "bad_address", b"GET " + target + b" HTTP/1.1\r\n" + CLOSE + b"\r\n")
        self.refused(404, "unknown_task", head("GET /v1/tasks/%00"))
        self.refused(404, "unknown_address", head("GET /v1/tasks/%2e%2e/x/y/z"))

    def test_heads_that_are_too_large_or_unknown(self) -> None:
        line = b"GET /v1/tasks HTTP/1.1\r\n" + HOST
        for request, status in {
            line + b"X: " + b"a" * 100_000 + b"\r\n\r\n": 431, line + b"X: a\r\n" * 5000 + b"\r\n": 431,
            b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n": 414,
            b"GET /v1/health/live HTTP/2.0\r\n" + HOST + b"\r\n": 505,
        }.items():
            self.assertEqual(self.send(request).split()[1:2], [str(status).encode()], request[:80])
        self.refused(405, "method_not_allowed", head("BREW /v1/tasks"))
        self.refused(405, "method_not_allowed", head("DELETE /v1/tasks"))

    def test_ends_of_bodies_that_are_unclear(self) -> None:
        hidden = head("GET /v1/health/live")
        for headers in (
            ("Content-Length: 4", "Transfer-Encoding: chunked"), ("Transfer-Encoding: chunked", "Content-Length: 4"),
            ("Content-Length: 4", "Content-Length: 5"), ("Transfer-Encoding: xchunked",),
            ("Content-Length: 4\r\n X: y",), ("Content-Length:\r\n 4",), ("Content-Length: 4\r\n\tContent-Length: 5",),
            ("Transfer-Encoding:\r\n chunked",), ("Transfer-Encoding: chunked\r\n , gzip",),
            ("Transfer-Encoding: gzip, chunked",), ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
            ("Content-Length: -1",), ("Content-Length: +4",), ("Content-Length: 4, 4",),
        ):
            request = b"POST /v1/tasks HTTP/1.1\r\n" + HOST
            request += b"".join(line.encode() + b"\r\n" for line in headers) + b"\r\n"
            for body in (b"0\r\n\r\n", b""):
                # What is behind it is not taken for a request.
                answer = self.send(request + body + hidden)
                self.assertTrue(answer.startswith(b"HTTP/1.1 400 "), (headers, answer))
                self.assertNotIn(b'"live"', answer, headers)

    def test_a_body_that_is_shorter_than_it_says(self) -> None:
        client = self.connect()
        client.sendall(head("POST /v1/tasks", "Content-Length: 100") + b'{"name":"chain"}')
        client.shutdown(socket.SHUT_WR)
        # The rest can come no more: it is closed at once, not when the time of a body is over.
        client.settimeout(15)
        self.assertEqual(client.recv(1 << 16), b"")
        # One that is longer than it says is a request, and what is no request.
        body = b'{"name":"none"}'
        line = b"POST /v1/tasks HTTP/1.1\r\n" + HOST + f"Content-Length: {len(body)}\r\n\r\n".encode()
        self.assertEqual(self.answers(self.send(line + body + b"{} {} {}\r\n\r\n"))[0], 404)
        self.assertEqual(self.server.get("/tasks")["tasks"], [])

    def test_old_clients_pipelines_and_those_who_ask_first(self) -> None:
        self.assertEqual(self.answers(self.send(b"GET /v1/health/live HTTP/1.0\r\n\r\n")), [200])
        request = b"GET /v1/health/live HTTP/1.1\r\n" + HOST + b"\r\n"
        self.assertEqual(self.answers(self.send(request * 50 + head("GET /v1/tasks"))), [200] * 51)
        client = self.connect()
        body = b'{"name":"chain"}'
        client.sendall(head("POST /v1/tasks", "Expect: 100-continue", f"Content-Length: {len(body)}"))
        self.assertIn(b" 100 ", client.recv(1 << 16))
        client.sendall(body)
        self.assertIn(b" 201 ", client.recv(1 << 16))

    def test_a_stream_without_events_says_that_it_is_there(self) -> None:
        client = self.connect()
        client.sendall(b"GET /v1/events/stream?after=1000000 HTTP/1.1\r\n" + HOST + b"\r\n")
        data = b""
        while data.count(b": \n\n") < 2:
            data += client.recv(1 << 16)
        self.assertNotIn(b"id:", data)

    def test_idle_connections_are_in_nobodys_way_nor_in_that_of_the_end(self) -> None:
        idle = [self.connect() for _ in range(2000)]
        for client in idle[:500]:
            client.sendall(b"GET /v1/events/stream HTTP/1.1\r\n" + HOST + b"\r\n")
        for client in idle[500:1000]:
            client.sendall(b"GET /v1/he")
        worker = RawWorker(self.server, ["first", "second"])
        self.server.post("/tasks/batch", {"tasks": [{"name": "chain"} for _ in range(20)]})
        for _ in range(40):
            [attempt] = worker.attempts()
            worker.succeed(attempt)
        self.assertEqual(len(self.server.get("/tasks?state=complete")["tasks"]), 20)
        self.server.process.signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(timeout=15), 0, self.server.process)
        self.assertFalse((self.stepwell.store / "api.sock").exists())

    def test_descriptors_come_back(self) -> None:
        task = self.server.post("/tasks", {"name": "chain"}, status=201)["task_id"]
        worker = RawWorker(self.server, ["nothing"])
        folder = f"/proc/{self.server.process.pid}/fd"
        poll = b'{"after":0,"wait_ms":10000}'
        kinds = [
            head(f"GET /v1/tasks/{task}?wait=5m"), head("GET /v1/events/stream"), head("GET /v1/events/stream?after=1000000"),
            head(f"POST /v1/workers/{worker.id}/poll", f"Content-Length: {len(poll)}") + poll,
            head("POST /v1/tasks", "Content-Length: 100") + b'{"name":', head("POST /v1/tasks", "Transfer-Encoding: chunked") + b"5\r\nab",
            b"GET /v1/hea", b"",
        ]
        at_rest = len(os.listdir(folder))
        rude = struct.pack("ii", 1, 0)
        for path in (None, str(self.stepwell.store / "api.sock")):
            clients = []
            for number in range(40 * len(kinds)):
                client = socket.socket(socket.AF_UNIX if path else socket.AF_INET)
                client.connect(path or ("127.0.0.1", self.server.port))
                client.sendall(kinds[number % len(kinds)])
                clients.append(client)
            wait_until(lambda: len(os.listdir(folder)) >= at_rest + 4 * 40, "they are there")
            for number, client in enumerate(clients):
                if number // len(kinds) % 2 and not path:
                    client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, rude)
                client.close()
            # Neither after five minutes nor after two.
            wait_until(lambda: len(os.listdir(folder)) <= at_rest + 2, "the descriptors come back", 15)
        self.server.get("/health")

    def test_a_socket_that_a_killed_server_left_is_taken_over(self) -> None:
        path = self.stepwell.store / "api.sock"
        self.server.process.kill()
        self.assertTrue(path.is_socket())
        self.server = self.serve(self.stepwell).ready()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(path))
            client.sendall(head("GET /v1/health"))
            self.assertIn(b" 200 ", client.recv(1 << 16))


if __name__ == "__main__":
    unittest.main()
