"""A server of the real binary, and the few requests that tests make of it."""

from __future__ import annotations

import http.client
import json
import re
from typing import Any, Dict, Iterator, List, Optional, Tuple

from support import EndToEndTest, Running, Stepwell, wait_until


class Server:
    """`stepwell serve` on a free port, and what it answers."""

    def __init__(
        self, stepwell: Stepwell, *options: str, port: int = 0, host: str = "127.0.0.1", **environment: str
    ) -> None:
        self.process: Running = stepwell.start(
            "serve", "--listen", f"{host}:{port}", *options, **environment
        )
        self.port = int(
            wait_until(lambda: self._address() or self._ended(), "the server listens")
        )
        self.url = f"http://127.0.0.1:{self.port}"

    def _address(self) -> Optional[str]:
        found = re.search(r"listening on https?://[^ ]*:(\d+) ", self.process.stderr)
        return found and found[1]

    def _ended(self) -> None:
        if self.process.code is not None:
            raise AssertionError(f"the server has ended: {self.process}")

    def request(
        self, method: str, path: str, body: Any = None, **headers: str
    ) -> Tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            data = body if isinstance(body, (bytes, type(None))) else json.dumps(body).encode()
            connection.request(
                method, "/v1" + path, data, {name.replace("_", "-"): value for name, value in headers.items()}
            )
            answer = connection.getresponse()
            text = answer.read()
            is_json = "json" in (answer.getheader("Content-Type") or "")
            return answer.status, json.loads(text) if is_json else text.decode()
        finally:
            connection.close()

    def get(self, path: str, **headers: str) -> Any:
        status, answer = self.request("GET", path, **headers)
        assert status == 200, (status, answer)
        return answer

    def post(self, path: str, body: Any = None, status: Optional[int] = None) -> Any:
        found, answer = self.request("POST", path, body if body is not None else {})
        assert found == status if status else found < 300, (found, answer)
        return answer

    def ready(self) -> "Server":
        wait_until(lambda: self.request("GET", "/health/ready")[0] == 200, "the server is ready")
        return self


class EventSubscriber:
    """Reads server-sent events until told to stop; says where it stands."""

    def __init__(self, port: int, after: int = 0) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        self.connection.request(
            "GET", "/v1/events/stream", headers={"Last-Event-ID": str(after)})
        self.answer = self.connection.getresponse()
        self.last = after

    def ids(self) -> Iterator[int]:
        """The numbers of the events, until the server or this side closes the connection. An event counts when it is whole."""
        number = None
        try:
            for line in self.answer:
                if line.startswith(b"id: "):
                    number = int(line[4:])
                elif line == b"\n" and number is not None:
                    self.last, number = number, None
                    yield self.last
        except (OSError, http.client.HTTPException):
            return

    def close(self) -> None:
        self.connection.close()


class RawWorker:
    """A worker without an SDK: one request at a time, so that a test says exactly what happens."""

    def __init__(self, server: Server, handlers: List[str], concurrency: int = 1, **hello: Any) -> None:
        self.server = server
        self.welcome = server.post(
            "/workers",
            {
                "type": "hello", "protocol": 1, "handlers": [{"name": name} for name in handlers],
                "concurrency": concurrency, **hello,
            },
            status=201,
        )
        self.id = self.welcome["worker_id"]
        self.after = 0
        self.number = 0

    def poll(self, wait_ms: int = 0, after: Optional[int] = None, **more: Any) -> List[Dict[str, Any]]:
        answer = self.server.post(
            f"/workers/{self.id}/poll", {"after": self.after if after is None else after, "wait_ms": wait_ms, **more}
        )
        self.after = answer["number"]
        return answer["messages"]

    def attempts(self, count: int = 1) -> List[Dict[str, Any]]:
        found: List[Dict[str, Any]] = []
        while len(found) < count:
            found += [message for message in self.poll(wait_ms=5000) if message["type"] == "attempt"]
        return found

    def deliver(self, *messages: Dict[str, Any], number: Optional[int] = None) -> List[Dict[str, Any]]:
        if number is None:
            self.number += 1
            number = self.number
        answer = self.server.post(f"/workers/{self.id}/messages", {"number": number, "messages": list(messages)})
        return answer["messages"]

    def succeed(self, attempt: Dict[str, Any], result: Any = None) -> List[Dict[str, Any]]:
        return self.deliver({"type": "result", "lease": attempt["lease"], "result": result})


class ServingTest(EndToEndTest):
    def serve(self, stepwell: Stepwell, *options: str, **environment: str) -> Server:
        return Server(stepwell, *options, **environment)

    def templates(self, *texts: str) -> str:
        folder = self.new_folder()
        for number, text in enumerate(texts):
            (folder / f"{number}.yaml").write_text(text, encoding="utf-8")
        return str(folder)


CHAIN = """
name: chain
namespace_name: default
version: 1.0.0
steps:
  - { name: first, handler: { callable: first } }
  - { name: second, handler: { callable: second }, dependencies: [first] }
"""
