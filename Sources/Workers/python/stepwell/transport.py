"""HTTP as worker and client need it: one kept connection to one server, over TCP, TLS or a Unix socket."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from typing import Any, Callable, Dict, NamedTuple, Optional, Union
from urllib.parse import urlsplit

from .payload import parse

DEFAULT_URL = "http://127.0.0.1:7420"

#: What a request raises when the connection is at fault, not the server.
TROUBLE = (OSError, http.client.HTTPException)

#: What tells that the server had closed a kept connection.
_CLOSED = (ConnectionError, http.client.BadStatusLine, ssl.SSLEOFError, ssl.SSLZeroReturnError)


class BadAddress(ValueError):
    """An address that is no address of a server; the message says what one looks like."""


class Address(NamedTuple):
    """Where the server is: `http://HOST:PORT`, `https://HOST:PORT`, or `unix:PATH`."""

    url: str
    host: str = ""
    port: Optional[int] = None
    is_tls: bool = False
    path: str = ""
    prefix: str = ""

    @classmethod
    def parse(cls, url: str) -> Address:
        """Read an address. Raises `BadAddress`."""
        if url.startswith("unix:"):
            path = url[len("unix:") :]
            path = path[2:] if path.startswith("///") else path
            if not path or path.startswith("//"):
                raise BadAddress(f"no path in {url!r}; write unix:/run/stepwell.sock")
            return cls(url, host="localhost", path=path)
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise BadAddress(f"{url!r} is no address: {error}") from None
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
            raise BadAddress(f"{url!r} is no address; write http://HOST:PORT, https://HOST:PORT or unix:PATH")
        if parts.username is not None:
            raise BadAddress(f"no name or password belongs into the address of {parts.hostname}; use a token")
        return cls(url, parts.hostname, port, parts.scheme == "https", "", parts.path.rstrip("/"))

    def trusted(self) -> Optional[ssl.SSLContext]:
        """Whom to trust, for `https`: what the system trusts, or SSL_CERT_FILE names. It takes a while to read."""
        return ssl.create_default_context() if self.is_tls else None


class Reply(NamedTuple):
    """A server's answer."""

    status: int
    headers: http.client.HTTPMessage
    content: bytes

    def json(self) -> Any:
        """The content as JSON. Raises `ValueError`."""
        return parse(self.content)

    @property
    def retry_after(self) -> Optional[float]:
        """The seconds of `Retry-After`, if it has some."""
        text = (self.headers.get("Retry-After") or "").strip()
        return min(float(text), 300.0) if text.isdigit() else None

    def problem(self) -> Dict[str, Any]:
        """The problem document of an error; words made from the status when there is none."""
        try:
            document = self.json()
        except ValueError:
            document = None
        if isinstance(document, dict) and isinstance(document.get("code"), str):
            return document
        shown = self.content[:200].decode("utf-8", "replace").strip()
        reason = http.client.responses.get(self.status, "error")
        return {"code": "", "status": self.status, "detail": f"{self.status} {reason} {shown}".rstrip(), "cure": ""}


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class Connection:
    """One connection that is kept between requests and made anew when it broke. For one thread at a time.

    `cut` may be called by any thread: it ends a request that waits, with one of `TROUBLE`.
    """

    def __init__(self, address: Address, token: Optional[str], tls: Optional[ssl.SSLContext]) -> None:
        self._address = address
        self._headers = {"Accept": "application/json", "User-Agent": "stepwell-python"}
        if token:
            self._headers["Authorization"] = f"Bearer {token}"
        self._tls = tls
        self._open: Optional[http.client.HTTPConnection] = None
        self._lock = threading.Lock()

    def request(
        self,
        method: str,
        path: str,
        body: Optional[bytes] = None,
        timeout: float = 60,
        content_type: str = "application/json",
        is_wanted: Callable[[], bool] = lambda: True,
    ) -> Reply:
        """Send a request and read its answer. Raises one of `TROUBLE`.

        A kept connection that the server has closed meanwhile is made anew, once. `is_wanted` is asked
        when the connection stands: a `cut` before that moment has nothing to cut.
        """
        headers = {**self._headers, "Content-Type": content_type} if body is not None else self._headers
        is_kept = self._open is not None
        while True:
            connection = self._connect(timeout)
            if not is_wanted():
                raise ConnectionAbortedError("the request is not wanted any more")
            try:
                connection.request(method, self._address.prefix + path, body, headers)
                response = connection.getresponse()
                content = response.read()
            except BaseException as error:
                self.close()
                was_closed = isinstance(error, _CLOSED)
                if is_kept and was_closed and is_wanted():
                    is_kept = False
                    continue
                raise
            if response.will_close:
                self.close()
            return Reply(response.status, response.headers, content)

    def _connect(self, timeout: float) -> http.client.HTTPConnection:
        connection = self._open or self._new(timeout)
        if connection.sock is None:
            connection.timeout = timeout
            connection.connect()
            assert connection.sock
            if not self._address.path:
                connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        else:
            connection.sock.settimeout(timeout)
        with self._lock:
            self._open = connection
        return connection

    def _new(self, timeout: float) -> http.client.HTTPConnection:
        address = self._address
        if address.path:
            return _UnixConnection(address.path, timeout)
        if self._tls:
            return http.client.HTTPSConnection(address.host, address.port, timeout=timeout, context=self._tls)
        return http.client.HTTPConnection(address.host, address.port, timeout=timeout)

    def close(self) -> None:
        """Close the connection, if there is one."""
        with self._lock:
            connection, self._open = self._open, None
        if connection:
            connection.close()

    def __del__(self) -> None:
        if hasattr(self, "_lock"):
            self.close()

    def cut(self) -> None:
        """End the request that waits."""
        with self._lock:
            sock: Union[socket.socket, None] = self._open.sock if self._open else None
            try:
                if sock:
                    # Not the TLS way to say goodbye, which would wait for the lock of the reader.
                    socket.socket.shutdown(sock, socket.SHUT_RDWR)
            except OSError:
                pass  # it is cut already

    def abandon(self) -> None:
        """Let go of it in a forked child, without a word to the server."""
        connection, self._open = self._open, None
        self._lock = threading.Lock()
        if connection and connection.sock:
            socket.close(connection.sock.detach())
