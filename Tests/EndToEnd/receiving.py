"""A receiver of requests that tests can have fail, wait or forget."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Tuple

from support import EndToEndTest


class Received(NamedTuple):
    path: str
    headers: Dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


# A status and headers to answer with, by the request.
Answer = Callable[[Received], Tuple[int, Dict[str, str]]]


def ok(_: Received) -> Tuple[int, Dict[str, str]]:
    return 200, {}


class Receiver:
    """Remembers every request; those that were answered with 2xx are `taken`."""

    def __init__(self, test: EndToEndTest, answer: Answer = ok, port: int = 0) -> None:
        self.all: List[Received] = []
        self.taken: List[Received] = []
        self.answer = answer
        lock = threading.Lock()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                headers = {name.lower(): value for name, value in self.headers.items()}
                request = Received(self.path, headers, body)
                with lock:
                    receiver.all.append(request)
                status, more = receiver.answer(request)
                with lock:
                    if 200 <= status < 300:
                        receiver.taken.append(request)
                try:
                    self.send_response(status)
                    body = b"" if status == 204 else b"{}"
                    for name, value in {**({"Content-Length": "2"} if body else {}), **more}.items():
                        self.send_header(name, value)
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    pass  # The server was killed while it waited.

            def log_message(self, format: str, *arguments: Any) -> None:
                pass

        class Listener(ThreadingHTTPServer):
            daemon_threads = True
            request_queue_size = 64

            def handle_error(self, *_: Any) -> None:
                pass  # A server that was killed closes its connections anyhow.

        self.server = Listener(("127.0.0.1", port), Handler)
        self.port: int = self.server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.close)

    def close(self) -> None:
        self.server.shutdown()
        self.server.server_close()

    def ids(self, type: Optional[str] = None) -> List[int]:
        """The numbers of the events that were taken, in that order, each as often as it came."""
        return [int(event["id"]) for event in (request.json for request in list(self.taken))
                if type in (None, event["type"])]
