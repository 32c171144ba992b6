"""The engine behind a server (`stepwell serve`): registers, polls for attempts, delivers what they say."""

from __future__ import annotations

import json
import random
import ssl
import sys
import threading
import time
from queue import SimpleQueue
from typing import Any, Callable, Dict, List, NamedTuple, Optional, Set

from .channel import Message, leave
from .ending import refusal
from .payload import encode
from .transport import TROUBLE, Address, Connection, Reply

_MESSAGES_MAX = 1000  # in one delivery
_BYTES_MAX = 8 << 20  # in one delivery of several messages
_FULL_PAUSE = 0.02  # seconds; so long a full worker waits for a place before it polls for news alone
_FINISH_LIMIT = 5.0  # seconds that the last words of a worker that leaves may take
_DELAY_MAX = 5.0  # seconds between two tries
_GRACE = 10.0  # seconds that an answer may take beyond the wait that was asked for
_FIRST_LIMIT = 40.0  # seconds for the answer to a registration

NOT_ALLOWED = 77  # exit status: the token is wrong, expired, or not allowed to (EX_NOPERM)
OTHER_PROTOCOL = 76  # exit status: the server speaks other versions (EX_PROTOCOL)


class Session:
    """One registration; the server forgets it when it is started again."""

    def __init__(self, welcome: Message) -> None:
        self.path = f"/v1/workers/{welcome['worker_id']}"
        self.wait_ms: int = welcome["poll_ms_max"]
        self.limit = self.wait_ms / 1000 + _GRACE
        self.after = 0
        self.delivered = 0
        self.is_over = False


class _Sent(NamedTuple):
    line: bytes
    lease: Optional[int]
    ends: bool


class _Refused(Exception):
    """The server has said no to a request, and would again."""

    def __init__(self, reply: Reply) -> None:
        self.status = reply.status
        problem = reply.problem()
        super().__init__("; ".join(str(text) for text in (problem.get("detail"), problem.get("cure")) if text))
        self.code = str(problem["code"])


class _Woken(Exception):
    """The poll was cut off, because another one is to take its place."""


class Remote:
    """Two threads: one polls, one delivers. Neither ever waits for the other."""

    can_stop_attempts = True

    def __init__(self, address: Address, token: Optional[str], concurrency: int) -> None:
        self._url = address.url
        self._concurrency = concurrency
        tls = address.trusted()
        self._polls = Connection(address, token, tls)
        self._deliveries = Connection(address, token, tls)
        self._sent: "SimpleQueue[Optional[_Sent]]" = SimpleQueue()
        self._news = threading.Condition()
        self._session: Optional[Session] = None
        self._held: Dict[int, Session] = {}
        self._asked: Optional[int] = None  # attempts that the waiting poll may bring
        self._is_woken = False
        self._is_finishing = False
        self._done: Optional[Callable[[], None]] = None
        self._draining = threading.Event()
        self._troubled: Set[Connection] = set()  # those whose last try has failed
        self._deliverer = threading.Thread(target=self._deliver_forever, name="stepwell-deliver", daemon=True)
        self.is_abandoned = False

    def start(self, hello: Message, take: Callable[[Message], None]) -> None:
        self._hello, self._take = encode(hello, "hello"), take
        threading.Thread(target=self._poll_forever, name="stepwell-poll", daemon=True).start()
        self._deliverer.start()

    def send(self, line: bytes, lease: Optional[int] = None, ends: bool = False) -> None:
        self._sent.put(_Sent(line, lease, ends))

    @property
    def backlog(self) -> int:
        return self._sent.qsize()

    def drain(self, done: Callable[[], None]) -> None:
        with self._news:
            self._done = self._done or done
            self._draining.set()
            self._wake()

    def finish(self) -> None:
        with self._news:
            self._is_finishing = True
            self._news.notify_all()
        self.send(b'{"type":"drained"}')
        self._sent.put(None)
        # A server that is gone, or stops at the same time, may not come back: then nobody waits for these words.
        self._deliverer.join(_FINISH_LIMIT)

    def abandon(self) -> None:
        self.is_abandoned = True
        self._polls.abandon()
        self._deliveries.abandon()

    # The thread that polls.

    def _poll_forever(self) -> None:
        while not self._is_finishing:
            try:
                welcome = self._ask(self._polls, "/v1/workers", self._hello, _FIRST_LIMIT)
            except _Refused as error:
                leave(1, f"{self._url} does not take this worker: {error}")
            session = self._understood(Session, welcome)
            self._hand_over(welcome)
            with self._news:
                self._session = session
                self._news.notify_all()
            while not session.is_over:
                try:
                    self._poll(session)
                except _Refused as error:
                    self._end(session, error)
                except _Woken:
                    pass
            self._hand_over({"type": "lost"})

    def _poll(self, session: Session) -> None:
        with self._news:
            self._news.wait_for(lambda: self._free > 0 or self._draining.is_set(), _FULL_PAUSE)
            self._is_woken = False
            is_draining = self._draining.is_set()
            self._asked = 0 if is_draining else self._free
            wait_ms = 0 if is_draining and self._done else session.wait_ms
            body = {"after": session.after, "wait_ms": wait_ms, "attempts_max": self._asked}
        try:
            answer = self._ask(self._polls, f"{session.path}/poll", encode(body, "poll"), session.limit, True)
        finally:
            with self._news:
                self._asked = None
        messages = self._understood(lambda it: list(it["messages"]) if it["number"] > session.after else [], answer)
        session.after = max(session.after, answer["number"])
        for message in messages:
            if message.get("type") == "attempt":
                self._held[message["lease"]] = session
            self._hand_over(message)
        if is_draining:
            self._no_more_attempts()

    def _no_more_attempts(self) -> None:
        """Call what waits for the end of attempts."""
        done, self._done = self._done, None
        if done:
            done()

    @property
    def _free(self) -> int:
        return max(0, self._concurrency - len(self._held))

    def _wake(self) -> None:
        """Have the poll that waits replaced by another. The lock is held.

        What its answer may have held comes again with the next: that still says the old `after`.
        """
        self._is_woken = True
        self._news.notify_all()
        if self._asked is not None:
            self._polls.cut()

    # The thread that delivers.

    def _deliver_forever(self) -> None:
        goes_on = True
        while goes_on:
            first = self._sent.get()
            batch: List[_Sent] = []
            size = 0
            while first is not None:
                batch.append(first)
                size += len(first.line)
                if len(batch) == _MESSAGES_MAX or size > _BYTES_MAX or not self._sent.qsize():
                    break
                first = self._sent.get()
            goes_on = first is not None
            self._deliver(batch)

    def _deliver(self, batch: List[_Sent]) -> None:
        while batch:
            session = self._await_session()
            if session is None:
                return
            # A session takes the ends of attempts of an earlier one, and nothing else from them.
            batch = [sent for sent in batch if sent.ends or sent.lease is None or self._held.get(sent.lease) is session]
            if not batch:
                return
            body = b'{"number":%d,"messages":[%s]}' % (
                session.delivered + 1, b",".join([sent.line for sent in batch]),
            )
            try:
                answer = self._ask(self._deliveries, f"{session.path}/messages", body, session.limit)
            except _Refused as error:
                if error.status == 413:
                    self._split(batch, error)
                    return
                self._end(session, error)
                if error.status == 404:
                    continue
                answer = {"messages": []}  # what no server can read is not sent again
            session.delivered += 1
            self._free_places(batch)
            for message in self._understood(lambda it: list(it["messages"]), answer):
                self._hand_over(message)
            return

    def _await_session(self) -> Optional[Session]:
        """The session to deliver in; None when there is no need for one, because the worker leaves."""
        with self._news:
            while self._session is None or self._session.is_over:
                if self._is_finishing:
                    return None
                self._news.wait()
            return self._session

    def _free_places(self, batch: List[_Sent]) -> None:
        with self._news:
            for sent in batch:
                if sent.ends and sent.lease is not None:
                    self._held.pop(sent.lease, None)
            if self._asked == 0 and not self._draining.is_set() and self._free:
                self._wake()
            self._news.notify_all()

    def _split(self, batch: List[_Sent], error: _Refused) -> None:
        """Deliver in parts what was too large as a whole."""
        if len(batch) > 1:
            self._deliver(batch[: len(batch) // 2])
            self._deliver(batch[len(batch) // 2 :])
            return
        sent = batch[0]
        text = f"{len(sent.line)} bytes are too many for the server: {error}"
        line = refusal(sent.lease or 0, "result_too_large", text)
        if sent.ends and len(line) < len(sent.line):
            self._deliver([_Sent(line, sent.lease, True)])
        elif sent.line.startswith(b'{"type":"checkpoint"'):
            self._hand_over({"type": "checkpointed", "lease": sent.lease, "error": text})
        else:
            sys.stderr.write(f"stepwell: a message is dropped: {text}\n")
            self._free_places(batch)

    # Both threads.

    def _end(self, session: Session, error: _Refused) -> None:
        """The server does not know the session any more, or cannot read what is said in it."""
        if error.status != 404:
            sys.stderr.write(f"stepwell: {self._url} ends the session: {error}\n")
        with self._news:
            session.is_over = True
            self._wake()

    def _ask(self, connection: Connection, path: str, body: bytes, limit: float, may_be_cut: bool = False) -> Any:
        """The answer to a request, however many tries it takes. Raises `_Refused`, and `_Woken` for a poll."""
        delay = 0.1
        while True:
            wait: Optional[float] = None
            try:
                reply = connection.request("POST", path, body, limit, is_wanted=lambda: not (may_be_cut and self._is_woken))
                if reply.status < 300:
                    document = reply.json()
                    self._recovered(connection)
                    return document
                self._judge(reply)
                wait = reply.retry_after
                self._trouble(connection, str(reply.problem().get("detail")))
            except TROUBLE as error:
                if may_be_cut and self._is_woken:
                    raise _Woken from None
                text = str(error) or type(error).__name__
                if isinstance(error, ssl.SSLCertVerificationError):
                    text += "; SSL_CERT_FILE names the certificates to trust"
                self._trouble(connection, text)
            except ValueError:
                self._trouble(connection, "the answer is not JSON")
            self._rest(delay * random.uniform(0.5, 1) if wait is None else wait, connection is self._polls)
            delay = min(2 * delay, _DELAY_MAX)

    def _rest(self, seconds: float, is_poller: bool) -> None:
        """Wait between two tries. Without an answer no attempts come, and a worker that drains may go."""
        if is_poller and self._draining.wait(seconds):
            self._no_more_attempts()
            time.sleep(seconds)
        elif not is_poller:
            time.sleep(seconds)

    def _judge(self, reply: Reply) -> None:
        """Return when another try makes sense."""
        if reply.status in (408, 425, 429) or reply.status >= 500:
            return
        refused = _Refused(reply)
        if reply.status in (401, 403):
            leave(NOT_ALLOWED, f"{self._url} refuses the token (STEPWELL_TOKEN): {refused}")
        if reply.status == 409 and refused.code == "protocol_version":
            leave(OTHER_PROTOCOL, f"{self._url}: {refused}")
        raise refused

    def _trouble(self, connection: Connection, text: str) -> None:
        with self._news:
            is_new = not self._troubled
            self._troubled.add(connection)
        if is_new:
            sys.stderr.write(f"stepwell: {self._url} does not answer: {text}; trying again\n")

    def _recovered(self, connection: Connection) -> None:
        if connection in self._troubled:
            with self._news:
                self._troubled.discard(connection)
                is_over = not self._troubled
            if is_over:
                sys.stderr.write(f"stepwell: {self._url} answers again\n")

    def _hand_over(self, message: Message) -> None:
        self._understood(self._take, message)

    def _understood(self, read: Callable[[Any], Any], document: Any) -> Any:
        try:
            return read(document)
        except (KeyError, TypeError, AttributeError) as error:
            shown = json.dumps(document)[:200]
            leave(1, f"cannot read the server's message: {error!r} in {shown}")
