"""What all calls of a client share: whom they ask, how they ask again, and what they raise."""

from __future__ import annotations

import os
import random
import ssl
import threading
import time
from typing import Any, Dict, Mapping, Optional
from urllib.parse import quote, urlencode

from .payload import encode
from .transport import DEFAULT_URL, TROUBLE, Address, Connection, Reply

_TRIES = 4
# What a server that starts or stops says, or the proxy before it.
_AWAY = (502, 503, 504)


class ApiError(Exception):
    """The server has refused a request: what is wrong (`detail`), its stable `code`, and a `cure`."""

    def __init__(self, status: int, code: str, detail: str, cure: str = "") -> None:
        super().__init__(f"{detail} [{code}]{'; ' + cure if cure else ''}")
        self.status = status
        self.code = code
        self.detail = detail
        self.cure = cure

    @property
    def may_pass(self) -> bool:
        """Whether the server is only away: not reached, starting, stopping, or busy."""
        return self.status in _AWAY


class Unreachable(ApiError):
    """No answer came. Whether the server has done what was asked is unknown, unless it is asked again."""

    def __init__(self, url: str, error: BaseException) -> None:
        detail = f"{url} does not answer: {error or type(error).__name__}"
        cure = "is 'stepwell serve' running there? STEPWELL_URL names another address"
        self._is_trusted = not isinstance(error, ssl.SSLCertVerificationError)
        if not self._is_trusted:
            cure = "SSL_CERT_FILE names the certificates to trust"
        super().__init__(0, "unreachable", detail, cure)

    @property
    def may_pass(self) -> bool:
        return self._is_trusted


class Asker:
    """Asks one server. The calls of `Client` are its subclasses, by topic."""

    def __init__(
        self,
        url: Optional[str] = None,
        token: Optional[str] = None,
        initiator: Optional[str] = None,
        source_system: Optional[str] = None,
        *,
        timeout: float = 60,
    ) -> None:
        self._address = Address.parse(url or os.environ.get("STEPWELL_URL") or DEFAULT_URL)
        self._token = token or os.environ.get("STEPWELL_TOKEN")
        self._origin = {"initiator": initiator, "source_system": source_system}
        self._timeout = timeout
        self._tls = self._address.trusted()
        self._mine = threading.local()

    def _wish(self, wish: Mapping[str, Any]) -> Dict[str, Any]:
        return {**present(self._origin), **present(wish)}

    def _json(
        self, method: str, path: str, body: Any = None, is_repeatable: Optional[bool] = None, limit: Optional[float] = None
    ) -> Any:
        content = None if body is None else encode(body, "request")
        is_repeatable = method == "GET" if is_repeatable is None else is_repeatable
        return read(self._request(method, path, content, is_repeatable, limit))

    def _text(self, path: str) -> str:
        """An answer that is no JSON, such as a drawing."""
        return good(self._request("GET", path, None, True)).content.decode("utf-8")

    def _request(
        self,
        method: str,
        path: str,
        body: Optional[bytes],
        is_repeatable: bool,
        limit: Optional[float] = None,
        content_type: str = "application/json",
    ) -> Reply:
        """The server's answer; a busy server, and what may be repeated, is asked again."""
        connection = self._connection()
        if not is_repeatable:
            connection.close()  # one that the server has closed meanwhile would leave it open what has happened
        delay = 0.1
        for tries_left in reversed(range(_TRIES)):
            try:
                reply = connection.request(method, path, body, limit or self._timeout, content_type)
            except TROUBLE as error:
                was_never_sent = isinstance(error, ConnectionRefusedError)
                if not tries_left or not (is_repeatable or was_never_sent):
                    raise Unreachable(self._address.url, error) from error
                wait = delay
            else:
                if reply.status not in (429, 503) or not tries_left:
                    return reply
                wait = delay if reply.retry_after is None else reply.retry_after
            time.sleep(wait * random.uniform(1, 1.2))
            delay *= 2
        raise AssertionError("the last try returns or raises")

    def _connection(self) -> Connection:
        """Each thread has its own."""
        if not hasattr(self._mine, "connection"):
            self._mine.connection = Connection(self._address, self._token, self._tls)
        connection: Connection = self._mine.connection
        return connection


def good(reply: Reply) -> Reply:
    """The answer, if it is no refusal. Raises `ApiError`."""
    if reply.status >= 300:
        problem = reply.problem()
        code = problem["code"] or f"http_{reply.status}"
        raise ApiError(reply.status, code, str(problem.get("detail") or ""), str(problem.get("cure") or ""))
    return reply


def read(reply: Reply) -> Any:
    """What a good answer says as JSON."""
    try:
        return good(reply).json()
    except ValueError:
        raise ApiError(reply.status, "not_json", "the answer is not JSON; is this a Stepwell server?") from None


def path_of(*parts: str) -> str:
    """The address of something, from the parts of its name."""
    return "/v1/" + "/".join(quote(part, safe="") for part in parts)


def query_of(parameters: Mapping[str, Any]) -> str:
    """What follows an address: the parameters that are not None."""
    text = urlencode(present(parameters), doseq=True)
    return f"?{text}" if text else ""


def present(members: Mapping[str, Any]) -> Dict[str, Any]:
    """The members that are not None."""
    return {name: value for name, value in members.items() if value is not None}
