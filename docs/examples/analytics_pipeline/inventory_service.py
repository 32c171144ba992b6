"""A small inventory service, for this machine only, that can be as unreliable as a real one.

    python3 inventory_service.py --port 8642 --fail-first 2

GET /inventory?data=real answers {"rows": [...]}.
"""

from __future__ import annotations

import argparse
import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, List, Optional
from urllib.parse import parse_qs, urlsplit

DATA = Path(__file__).resolve().parent / "data"


class InventoryService(ThreadingHTTPServer):
    """Answers 503 to its first `fail_first` questions, or to all when it is `down`."""

    daemon_threads = True

    def __init__(
        self, port: int = 0, fail_first: int = 0, retry_after: int = 1, down: bool = False
    ) -> None:
        super().__init__(("127.0.0.1", port), _Request)
        self.failures_left = fail_first
        self.retry_after = retry_after
        self.down = down
        self._counting = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def must_fail(self) -> bool:
        """Whether this question gets a 503; counts it."""
        with self._counting:
            failing = self.down or self.failures_left > 0
            self.failures_left -= failing and not self.down
            return failing


class _Request(BaseHTTPRequestHandler):
    server: InventoryService

    def do_GET(self) -> None:
        question = urlsplit(self.path)
        name = parse_qs(question.query).get("data", ["real"])[0]
        if question.path != "/inventory" or name not in ("real", "fixed"):
            self._answer(404, b'{"error": "not found"}')
        elif self.server.must_fail():
            self._answer(503, b'{"error": "down for maintenance"}')
        else:
            self._answer(200, (DATA / name / "inventory.json").read_bytes())

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if status == 503 and not self.server.down:
            self.send_header("Retry-After", str(self.server.retry_after))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None:
        pass  # the pipeline's own log tells what was asked


def main(arguments: Optional[List[str]] = None) -> None:
    parser = argparse.ArgumentParser(description="Serve the example's inventory on 127.0.0.1.")
    parser.add_argument("--port", type=int, default=8642, help="0 chooses a free one (default 8642)")
    parser.add_argument("--port-file", type=Path, help="write the port to this file when listening")
    parser.add_argument(
        "--fail-first", type=int, default=2, metavar="N", help="answer 503 N times first (default 2)"
    )
    parser.add_argument(
        "--retry-after", type=int, default=1, metavar="SECONDS",
        help="what a 503 asks the caller to wait (default 1)",
    )
    parser.add_argument("--down", action="store_true", help="answer 503 for good")
    options = parser.parse_args(arguments)
    service = InventoryService(options.port, options.fail_first, options.retry_after, options.down)
    if options.port_file:
        # Renamed into place, so that a reader never sees half of it.
        draft = options.port_file.with_name(options.port_file.name + ".new")
        draft.write_text(f"{service.server_address[1]}\n")
        os.replace(draft, options.port_file)
    print(f"inventory service at {service.url}", flush=True)
    try:
        service.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
