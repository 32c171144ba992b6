"""One transcript: a behaviour of the protocol, told as what the engine does and what the worker answers."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any, Dict, List, Mapping, Sequence

from carrier import LIMIT, Broken, Carrier, Lines
from patterns import Values, parse, write
from protocol import Message
from server import Server

FOLDER = Path(__file__).parent / "transcripts"
CARRIERS = ("stdio", "http", "unix")

_MEMBERS = {"about", "carriers", "needs", "arguments", "welcome", "token", "hello", "faults", "script"}
_OPERATIONS = {
    "send", "expect", "expect_all", "skipping", "send_line", "end_input", "signal", "create", "fault", "restart", "stop", "await_poll", "exit",
    "within",
}

ATTEMPT: Message = {
    "type": "attempt", "lease": 1, "method": "call", "step": "the_step",
    "task_id": "01934c1e-7b2a-7000-8000-000000000001", "step_id": "01934c1e-7b2a-7000-8000-000000000002",
    "correlation_id": "01934c1e-7b2a-7000-8000-000000000003",
    "idempotency_key": "01934c1e-7b2a-7000-8000-000000000002",
    "namespace": "tests", "task_name": "conformance", "task_version": "1.0.0",
    "attempt": 1, "max_attempts": 3, "deadline": None, "input": {}, "config": {},
    "dependencies": {}, "fetchable": [], "dependency_names": [],
}


class Transcript:
    """Reads and checks one file; `run` plays it against a worker."""

    def __init__(self, file: Path) -> None:
        self.name = file.stem
        document = parse(file.read_text(encoding="utf-8"))
        unknown = set(document) - _MEMBERS
        unknown |= {name for operation in document["script"] for name in operation} - _OPERATIONS
        if unknown or not document["about"]:
            raise ValueError(f"{file.name}: unknown member {', '.join(sorted(unknown))}")
        self.document = document
        self.about: str = document["about"]
        self.needs: str = document.get("needs", "")
        self.arguments: List[str] = document.get("arguments", [])

    def is_for(self, carrier: str) -> bool:
        carriers = self.document.get("carriers", ["stdio", "http"])
        return ("http" if carrier == "unix" else carrier) in carriers

    def run(self, carrier: str, command: Sequence[str], environment: Mapping[str, str], root: Path) -> None:
        """Play the transcript. Raises `Broken` where the worker departs from it."""
        with tempfile.TemporaryDirectory() as folder:
            engine = self._engine(carrier, folder)
            values = Values(Path(folder))
            try:
                if isinstance(engine, Server):
                    engine.faults += [dict(fault) for fault in self.document.get("faults", [])]
                engine.start([*command, *self.arguments], dict(environment), root)
                hello = self.document.get("hello", {"$has": {"type": "hello", "protocol": 1}})
                if hello is not None:
                    _expect(engine, values, hello, [], "hello")
                for number, operation in enumerate(self.document["script"], 1):
                    _perform(engine, values, operation, f"operation {number}")
                with engine.news:
                    engine.check()
                if isinstance(engine, Server) and engine.unused_faults():
                    raise Broken(f"the worker made no request for {write(engine.unused_faults()[0])}")
            finally:
                engine.close()

    def _engine(self, carrier: str, folder: str) -> Carrier:
        welcome = self.document.get("welcome", {})
        if carrier == "stdio":
            return Lines(welcome)
        path = f"{folder}/server" if carrier == "unix" else None
        return Server(welcome, self.document.get("token"), path)


def _perform(engine: Carrier, values: Values, operation: Dict[str, Any], place: str) -> None:
    if "expect" in operation:
        _expect(engine, values, operation["expect"], operation.get("skipping", []), place)
    elif "expect_all" in operation:
        _expect_all(engine, values, operation["expect_all"], operation.get("skipping", []), place)
    elif "send" in operation:
        message = values.fill(operation["send"])
        engine.send({**ATTEMPT, **message} if message["type"] == "attempt" else message)
    elif "send_line" in operation and isinstance(engine, Lines):
        engine.send_line(operation["send_line"])
    elif "end_input" in operation and isinstance(engine, Lines):
        engine.end_input()
    elif "signal" in operation:
        engine.signal(operation["signal"])
    elif "create" in operation:
        (values.folder / operation["create"]).touch()
    elif "fault" in operation and isinstance(engine, Server):
        with engine.news:
            engine.faults.append(dict(operation["fault"]))
    elif "restart" in operation and isinstance(engine, Server):
        engine.restart(operation["restart"] == "forgetting")
    elif "stop" in operation and isinstance(engine, Server):
        engine.stop()
    elif "await_poll" in operation and isinstance(engine, Server):
        engine.await_poll(operation["await_poll"])
    elif "exit" in operation:
        fault = values.mismatch(operation["exit"], engine.exit_status(operation.get("within", LIMIT)), "status")
        if fault:
            raise Broken(f"{place}: {fault}{engine.errors()}")
    else:
        raise ValueError(f"{place} has no meaning on this carrier: {operation}")


def _expect(engine: Carrier, values: Values, pattern: Any, skipping: Sequence[str], place: str) -> None:
    _expect_all(engine, values, [pattern], skipping, place)


def _expect_all(
    engine: Carrier, values: Values, patterns: Sequence[Any], skipping: Sequence[str], place: str
) -> None:
    """The patterns in any order. At the top a message may have members that its pattern does not name."""
    wanted = [{"$has": pattern} if "$has" not in pattern else pattern for pattern in patterns]
    while wanted:
        message = engine.receive()
        faults = [values.mismatch(pattern, message) for pattern in wanted]
        if None in faults:
            del wanted[faults.index(None)]
        elif message["type"] not in skipping and not _is_bare_heartbeat(message):
            raise Broken(f"{place}: {faults[0]}\nthe worker said {write(message)[:1000]}{engine.errors()}")


def _is_bare_heartbeat(message: Message) -> bool:
    """An SDK may say at any time that a handler is alive."""
    return message["type"] == "heartbeat" and message.get("progress") is None
