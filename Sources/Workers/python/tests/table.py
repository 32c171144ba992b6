"""A server of a test's making."""

from __future__ import annotations

import json
import socketserver
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Dict, List, Optional, Tuple


class Table:
    """A server that answers requests in order and remembers them. A status of 0 cuts the connection."""

    def __init__(self, *answers: Tuple[int, Any], path: Optional[str] = None, headers: Optional[Dict[str, str]] = None) -> None:
        self.requests: List[Tuple[str, str, Any]] = []
        self.headers: List[Dict[str, str]] = []
        table, waiting = self, list(answers)

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                is_json = "json" in (self.headers.get("Content-Type") or "")
                table.requests.append((self.command, self.path, json.loads(body) if is_json else body.decode()))
                table.headers.append(dict(self.headers))
                status, document = waiting.pop(0) if len(waiting) > 1 else waiting[0]
                if status == 0:
                    self.close_connection = True
                    return
                content = document.encode() if isinstance(document, str) else json.dumps(document).encode()
                content = b"" if document is None else content
                self.send_response(status)
                for name, value in (headers or {}).items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = do_PUT = do_DELETE = answer

            def address_string(self) -> str:
                return "here"

            def log_message(self, *_: Any) -> None:
                pass

        class Local(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
            daemon_threads = True
            block_on_close = False

        self._server: Any = Local(path, Requests) if path else ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._server.block_on_close = False
        self.url = f"unix:{path}" if path else f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()

    def __enter__(self) -> Table:
        return self

    def __exit__(self, *_: Any) -> None:
        self._server.shutdown()
        self._server.server_close()
