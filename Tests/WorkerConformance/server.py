"""The engine's side of the HTTP carrier: a small server that can also be slow, down, or forgetful."""

from __future__ import annotations

import hmac
import os
import re
import socket
import socketserver
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from typing import Any, Dict, Iterator, List, Optional, Tuple

from carrier import LIMIT, Broken, Carrier
from patterns import parse, write
from protocol import Message

LEASE_MS = 30_000
POLL_MS_MAX = 20_000
_QUESTIONS = {"fetch": "fetched", "checkpoint": "checkpointed"}

Answer = Tuple[int, Dict[str, str], Any]


class Session:
    """What the server knows of one registered worker."""

    def __init__(self, number: int, concurrency: int) -> None:
        self.id = f"w-{number}"
        self.concurrency = concurrency
        self.is_over = False
        self.outbox: List[Message] = []
        self.answer_number = 0
        self.answer: List[Message] = []
        self.polls = 0
        self.attempts_max: Optional[int] = None
        self.delivery_number = 0
        self.delivery: Any = None
        self.questions: List[Message] = []
        self.replies: List[Message] = []
        self.is_held = False


class Server(Carrier):
    """Messages as HTTP requests of the worker, over TCP or a Unix socket."""

    def __init__(self, welcome: Message, token: Optional[Dict[str, str]], path: Optional[str] = None) -> None:
        super().__init__(welcome)
        self.faults: List[Dict[str, Any]] = []
        self._token = (token or {}).get("expected")
        self._sessions = 0
        self._deliveries = 0
        self._session: Optional[Session] = None
        self._pauses: Dict[str, float] = {}
        self._path = path
        self._port = 0
        self._listen()
        url = f"unix:{path}" if path else f"http://127.0.0.1:{self._port}"
        self.variables = {"STEPWELL_URL": url}
        if token and "given" in token:
            self.variables["STEPWELL_TOKEN"] = token["given"]

    # The process.

    def _output(self) -> Any:
        return self._errors

    def _follow(self) -> None:
        assert self.process
        self.process.wait()
        with self.news:
            self.take(None)

    def close(self) -> None:
        super().close()
        self._shut()

    # The transcript's side.

    def _send(self, message: Message) -> None:
        with self.news:
            session = self._session
            if session is None:
                raise ValueError("the transcript sends, but no worker is registered")
            if message["type"] in _QUESTIONS.values():
                if not any(_answers(message, question) for question in session.questions):
                    raise ValueError(f"the transcript answers what was not asked: {write(message)}")
                session.replies.append(message)
                session.is_held = len(session.replies) < len(session.questions)
            else:
                session.outbox.append(message)
            self.news.notify_all()

    def _waiting(self) -> None:
        if self._session and self._session.is_held:
            self._session.is_held = False  # the transcript leaves the question open
            self.news.notify_all()

    def restart(self, forgets: bool) -> None:
        """Cut all connections and listen again; with or without knowing the worker.

        What the transcript has seen was also answered, unless it has left a question open.
        """
        with self.news:
            self.news.wait_for(lambda: self._deliveries == bool(self._session and self._session.is_held), LIMIT)
        self._shut()
        with self.news:
            if forgets:
                self._session = None
                self.leases.lose()
            self.news.notify_all()
        self._listen()

    def stop(self) -> None:
        """Leave for good: connections are cut, and further ones refused."""
        self._shut()

    def await_poll(self, attempts_max: int) -> None:
        """Wait until the worker's last poll asks for so many attempts."""
        with self.news:
            if not self.news.wait_for(lambda: self._session and self._session.attempts_max == attempts_max, LIMIT):
                raise Broken(f"no poll with attempts_max {attempts_max} came within {LIMIT:.0f} s{self.errors()}")

    def unused_faults(self) -> List[Dict[str, Any]]:
        return [fault for fault in self.faults if fault.get("times", 1) > 0]

    # The network's side.

    def _listen(self) -> None:
        self._connections: List[socket.socket] = []
        carrier = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = not carrier._path

            def setup(self) -> None:
                super().setup()
                carrier._connections.append(self.request)

            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                body = self.rfile.read(length)
                if len(body) < length:
                    self.close_connection = True  # a worker may cut off a request
                    return
                if self.is_gone():
                    self.close_connection = True  # a poll broken off, read late: other polls may have followed it
                    return
                with carrier._in_progress(self.path):
                    self.answer(carrier._answer(self.path, body, self.headers))

            def is_gone(self) -> bool:
                """Whether the worker has closed the connection. It does so before it asks over another one."""
                try:
                    return self.request.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) == b""
                except BlockingIOError:
                    return False

            def answer(self, answer: Optional[Answer]) -> None:
                if answer is None:
                    self.close_connection = True
                    return
                status, headers, document = answer
                content = write(document).encode("utf-8")
                kind = "application/problem+json" if status >= 400 else "application/json"
                lines = [f"HTTP/1.1 {status} {'OK' if status < 400 else 'Problem'}", f"Content-Type: {kind}"]
                lines += [f"Content-Length: {len(content)}", *(f"{k}: {v}" for k, v in headers.items())]
                self.wfile.write("\r\n".join([*lines, "", ""]).encode("ascii") + content)

            def handle(self) -> None:
                try:
                    super().handle()
                except OSError:
                    pass  # the connection was cut

            def log_message(self, *_: Any) -> None:
                pass

        base = socketserver.UnixStreamServer if self._path else socketserver.TCPServer

        class Listener(socketserver.ThreadingMixIn, base):  # type: ignore[misc,valid-type]
            daemon_threads = True
            block_on_close = False
            allow_reuse_address = True
            request_queue_size = 50

            def handle_error(self, *_: Any) -> None:
                pass  # the connection was cut

        address: Any = self._path or ("127.0.0.1", self._port)
        if self._path and os.path.exists(self._path):
            os.unlink(self._path)
        self._listener = Listener(address, Requests)
        if not self._path:
            self._port = self._listener.server_address[1]
        threading.Thread(target=self._listener.serve_forever, args=(0.01,), daemon=True).start()

    def _shut(self) -> None:
        self._listener.shutdown()
        self._listener.server_close()
        for connection in self._connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    @contextmanager
    def _in_progress(self, path: str) -> Iterator[None]:
        """Counts deliveries until their answers have left."""
        is_delivery = path.endswith("/messages")
        with self.news:
            self._deliveries += is_delivery
        try:
            yield
        finally:
            with self.news:
                self._deliveries -= is_delivery
                self.news.notify_all()

    def _answer(self, path: str, body: bytes, headers: Any) -> Optional[Answer]:
        """None: the connection ends without an answer."""
        found = re.fullmatch(r"/v1/workers(?:/([^/]+)/(poll|messages))?", path)
        if not found:
            return self._refused(f"a request to {path}", "not_found", 404)
        worker, kind = found[1], {None: "register", "poll": "poll", "messages": "deliver"}[found[2]]
        with self.news:
            fault = self._fault(kind)
            if fault and fault.get("drop"):
                return None
            if fault and "status" in fault:
                if "retry_after" in fault:
                    self._pauses[kind] = time.monotonic() + fault["retry_after"]
                extra = {"Retry-After": str(fault["retry_after"])} if "retry_after" in fault else {}
                return fault["status"], extra, _problem(fault["status"], fault.get("code", "unavailable"))
            given = headers.get("Authorization") or ""
            if self._token and not hmac.compare_digest(given, f"Bearer {self._token}"):
                return 401, {}, _problem(401, "unauthorized")
            if "json" not in (headers.get("Content-Type") or ""):
                return self._refused(f"{kind} without a content type of JSON", "malformed_message")
            try:
                message = parse(body.decode("utf-8"))
            except ValueError:
                return self._refused(f"a body that is not JSON: {body[:200]!r}", "malformed_message")
            answer = self._handle(kind, worker, message)
            return None if fault and fault.get("lose_answer") else answer

    def _fault(self, kind: str) -> Optional[Dict[str, Any]]:
        if time.monotonic() < self._pauses.pop(kind, 0):
            self.violation(f"a request ({kind}) came before the time that Retry-After had set")
        for fault in self.faults:
            if fault["on"] == kind and fault.get("times", 1) > 0:
                fault["times"] = fault.get("times", 1) - 1
                return fault
        return None

    def _refused(self, what: str, code: str, status: int = 400) -> Answer:
        with self.news:
            self.violation(what)
        return status, {}, _problem(status, code)

    def _handle(self, kind: str, worker: Optional[str], message: Any) -> Answer:
        if not isinstance(message, dict):
            return self._refused(f"a body that is not an object: {write(message)[:200]}", "malformed_message")
        if kind == "register":
            return self._register(message)
        session = self._session
        if session is None or session.id != worker or session.is_over:
            return 404, {}, _problem(404, "unknown_worker")
        return self._poll(session, message) if kind == "poll" else self._deliver(session, message)

    def _register(self, hello: Message) -> Answer:
        if hello.get("type") != "hello":
            return self._refused("a registration that is not a hello", "malformed_message")
        self._sessions += 1
        self._session = Session(self._sessions, hello.get("concurrency") or 1)
        self.take(hello)
        more = {"worker_id": self._session.id, "lease_ms": LEASE_MS, "poll_ms_max": POLL_MS_MAX}
        return 201, {}, {**self.welcome, **more}

    def _poll(self, session: Session, body: Message) -> Answer:
        after, wait_ms = body.get("after", 0), body.get("wait_ms", 0)
        attempts_max = body.get("attempts_max", session.concurrency)
        if after not in (session.answer_number, session.answer_number - 1) or after < 0:
            return self._refused(f"a poll after {after}, when the last answer was {session.answer_number}", "malformed_message")
        if not isinstance(wait_ms, int) or not 0 <= wait_ms <= POLL_MS_MAX:
            return self._refused(f"a poll with wait_ms {wait_ms}", "malformed_message")
        session.polls, session.attempts_max = session.polls + 1, attempts_max
        number, end = session.polls, time.monotonic() + wait_ms / 1000
        self.news.notify_all()  # an earlier poll ends with an empty answer
        if after < session.answer_number:
            return 200, {}, {"number": session.answer_number, "messages": session.answer}
        while True:
            messages = _ready(session.outbox, attempts_max)
            if session is not self._session or session.is_over:
                return 404, {}, _problem(404, "unknown_worker")
            if messages and number == session.polls:
                session.outbox = [message for message in session.outbox if message not in messages]
                session.answer_number, session.answer = session.answer_number + 1, messages
                return 200, {}, {"number": session.answer_number, "messages": messages}
            left = end - time.monotonic()
            if number != session.polls or left <= 0:
                return 200, {}, {"number": after, "messages": []}
            self.news.wait(left)

    def _deliver(self, session: Session, body: Message) -> Answer:
        number, messages = body.get("number"), body.get("messages")
        if not isinstance(messages, list) or len(messages) > 1000 or not isinstance(number, int):
            return self._refused(f"a delivery {write(body)[:200]}", "malformed_message")
        if number == session.delivery_number:
            if body != session.delivery:
                return self._refused("a delivery that was sent again in another form", "malformed_message")
        elif number != session.delivery_number + 1:
            return self._refused(f"delivery {number} after {session.delivery_number}", "malformed_message")
        else:
            if session.is_held:
                self.violation("a second delivery while the first was on its way")
            session.delivery_number, session.delivery = number, body
            session.questions = [message for message in messages if message.get("type") in _QUESTIONS]
            session.replies, session.is_held = [], bool(session.questions)
            for message in messages:
                self.take(message)
                session.is_over = session.is_over or message.get("type") == "drained"
        end = time.monotonic() + LIMIT
        while session.is_held and session is self._session and time.monotonic() < end:
            self.news.wait(LIMIT)
        return 200, {}, {"messages": session.replies}


def _ready(outbox: List[Message], attempts_max: int) -> List[Message]:
    """What a poll may take with it: everything, but at most so many attempts."""
    ready: List[Message] = []
    for message in outbox:
        if message["type"] == "attempt":
            attempts_max -= 1
            if attempts_max < 0:
                continue
        ready.append(message)
    return ready


def _answers(reply: Message, question: Message) -> bool:
    is_kind = _QUESTIONS[question["type"]] == reply["type"]
    return is_kind and reply["lease"] == question["lease"] and reply.get("id") == question.get("id")


def _problem(status: int, code: str) -> Message:
    return {
        "type": f"https://stepwell.invalid/errors/{code}", "title": code, "status": status,
        "code": code, "detail": f"{code} by the transcript", "cure": "none is needed",
    }
