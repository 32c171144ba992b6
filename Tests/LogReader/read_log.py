"""Reads a store without Stepwell, by docs/log-format.md: prints its events, or its other tables, as JSON lines.

    read_log.py STORE [--tables]

Needs the packages lmdb and cbor2. Ends with 1, without a line, when the hash chain or a template's digest is broken.
"""

import hashlib
import itertools
import json
import struct
import sys
import uuid
from datetime import datetime, timedelta

import cbor2
import lmdb

FORMATS = (1, 2)

ENVELOPE = {
    1: "seq", 2: "task_id", 3: "task_seq", 4: "prev", 5: "type", 6: "version", 7: "time", 8: "actor_type",
    9: "actor_id", 10: "cause", 11: "data",
}
TYPES = {
    1: "engine.started", 2: "engine.stopped", 3: "worker.joined", 4: "worker.left", 5: "clock.clamped",
    6: "engine.draining", 7: "template.registered", 9: "store.pruned", 10: "task.submitted", 11: "attempt.succeeded", 12: "attempt.failed",
    13: "attempt.timed_out", 14: "attempt.lost", 15: "attempt.stopped", 16: "attempt.checkpointed",
    17: "result.rejected", 18: "retry.due", 19: "result.adopted", 32: "operator.retried", 33: "operator.cancelled",
    34: "operator.resolved", 35: "operator.paused", 36: "operator.resumed", 40: "limit.set", 41: "limit.removed", 42: "limit.due",
    64: "step.enqueued", 65: "attempt.started", 66: "retry.scheduled",
    67: "step.completed", 68: "step.failed", 69: "step.reset", 70: "step.resolved", 71: "step.adopted", 80: "task.waiting",
    81: "task.blocked", 82: "task.completed", 83: "task.cancelled",
}
DATA = {
    1: "step_index", 2: "attempt", 3: "lease", 4: "worker", 5: "worker_kind", 6: "deadline_ms", 7: "due_ms",
    8: "result", 9: "metadata", 10: "checkpoint", 11: "reason", 12: "succeeded", 13: "step_indexes", 14: "note",
    15: "message", 16: "error_type", 17: "error_code", 18: "retryable", 19: "retry_after_ms", 20: "backtrace",
    21: "name", 22: "version", 23: "handlers", 24: "slots", 25: "process_id", 26: "host", 27: "observed_ms",
    28: "used_ms", 29: "template", 30: "namespace", 31: "environment", 32: "input", 33: "priority", 34: "key",
    35: "correlation_id", 36: "parent_correlation_id", 37: "initiator", 38: "source_system", 39: "tags",
    40: "focus", 41: "forked_from", 42: "adopted", 43: "origin", 44: "namespaces",
    45: "labels", 46: "handler_version", 47: "rules", 50: "task_count", 51: "event_count", 52: "before_ms", 60: "scope",
    61: "concurrency_max", 62: "rate", 63: "per_ms", 64: "burst", 65: "limit",
    70: "traceparent",
}
REASONS = {
    "attempt.lost": ["engine_died", "worker_died", "engine_stopped"],
    "result.rejected": ["duplicate", "timed_out", "cancelled", "lost", "task_closed"],
    "step.failed": ["attempts_exhausted", "not_retryable", "losses_exhausted"],
}
ACTORS = ["scheduler", "engine", "worker", "client", "operator"]
SCOPES = ["namespace", "handler"]
WORKER_KINDS = ["in_process", "command", "process", "remote"]
STATES = [
    "pending", "in_progress", "waiting_for_retry", "blocked_by_failures", "paused", "complete", "error",
    "cancelled", "resolved_manually",
]
LEVELS = ["debug", "info", "warning", "error"]
TASK = [
    "namespace", "name", "version", "template", "key", "priority", "state", "submitted_ms", "changed_ms", "first",
    "last", "events", "steps", "steps_done", "steps_failed", "forked_from",
]


class Damaged(Exception):
    """The store is not what was written."""


class Store:
    """One consistent view of a store."""

    def __init__(self, path):
        self.environment = lmdb.open(path, readonly=True, create=False, max_dbs=16)
        self.transaction = self.environment.begin()
        found = cbor2.loads(dict(self.rows("meta"))[b"format"])
        if found not in FORMATS:
            raise Damaged(f"the store has format {found}, none of {FORMATS}")

    def rows(self, table):
        handle = self.environment.open_db(table.encode(), self.transaction, create=False)
        return self.transaction.cursor(handle)

    def check(self):
        """Computes every hash anew, as far as the store has what was hashed."""
        events = {seq(key): value for key, value in self.rows("events")}
        count = len(events)
        last, chain = 0, bytes(32)
        for key, value in self.rows("commits"):
            commit = checked(value)
            first, chain = commit[1], chain if commit[1] == last + 1 else commit.get(6)
            if first <= last or chain is None:
                raise Damaged(f"a commit begins at event {first}, not {last + 1}")
            last = seq(key)
            parts = list(self.parts(first, commit.get(5, [[last - first + 1]]), commit.get(4, 0), events))
            # Of a commit of form 0 that lacks events the hash cannot be computed.
            found = commit[3] if None in parts else hashlib.sha256(chain + b"".join(parts)).digest()
            if found != commit[3]:
                raise Damaged(f"the hash chain is broken at the commit that ends with event {last}")
            chain = commit[3]
        if events:
            raise Damaged(f"there are events of no commit: {min(events)}")
        absent = cbor2.loads(dict(self.rows("meta")).get(b"absent", b"\0"))
        if last != count + absent:
            raise Damaged(f"the log ends at {last}, and has {count} events without {absent}")
        for digest, template in self.rows("templates"):
            if hashlib.sha256(template).digest() != digest:
                raise Damaged(f"the template {digest.hex()} does not match its digest")

    @staticmethod
    def parts(number, runs, form, events):
        """What is hashed of a commit's runs, which begin with that event. Takes their events away."""
        for size, *gone in runs:
            found = [events.pop(number + place, None) for place in range(size)]
            number += size
            if gone:
                yield gone[0] if form == 1 else None
                continue
            if None in found:
                raise Damaged(f"event {number - size + found.index(None)} is missing")
            # Not by the checksums, which whoever changes a store can make anew.
            tasks = [content(cbor2.loads(event)).get(2) for event in found]
            for _, run in itertools.groupby(zip(tasks, found), key=lambda pair: pair[0]):
                together = b"".join(event for _, event in run)
                # Commits before the form 1 hash the events themselves.
                yield hashlib.sha256(together).digest() if form == 1 else together

    def step_names(self):
        """The names of the steps of every task."""
        templates = {digest: [step[1] for step in cbor2.loads(value)[5]] for digest, value in self.rows("templates")}
        return {task: templates[checked(value)[4]] for task, value in self.rows("tasks")}

    def events(self):
        names = self.step_names()
        for key, value in self.rows("events"):
            raw = {ENVELOPE[key]: part for key, part in checked(value).items() if key in ENVELOPE}
            if raw["type"] not in TYPES or raw["version"] != 1:
                raise Damaged(f"event {raw['seq']} has the unknown type {raw['type']}, version {raw['version']}")
            if raw["seq"] != seq(key):
                raise Damaged(f"event {seq(key)} calls itself {raw['seq']}")
            task = raw.get("task_id")
            kind = TYPES[raw["type"]]
            yield {
                "seq": raw["seq"],
                "type": kind,
                "task_id": task and str(uuid.UUID(bytes=task)),
                "task_seq": raw.get("task_seq", 0),
                "prev": raw.get("prev"),
                "time": written(raw["time"]),
                "time_ms": raw["time"],
                "actor": {"type": ACTORS[raw.get("actor_type", 0)], "id": raw.get("actor_id", "")},
                "cause": raw.get("cause"),
                "data": data(kind, raw["data"], names.get(task)),
            }

    def tables(self):
        """All rows of the other tables: the table's name, key and value."""
        for key, value in self.rows("meta"):
            yield "meta", key.decode(), plain(cbor2.loads(value))
        for key, value in self.rows("commits"):
            commit = checked(value)
            yield "commits", seq(key), {"first": commit[1], "time_ms": commit[2], "hash": commit[3].hex()}
        for key, value in self.rows("tasks"):
            row = {TASK[key - 1]: plain(part) for key, part in checked(value).items() if key <= len(TASK)}
            yield "tasks", str(uuid.UUID(bytes=key)), {**row, "state": STATES[row["state"]]}
        for key, _ in self.rows("open"):
            yield "open", str(uuid.UUID(bytes=key)), None
        for key, _ in self.rows("by_state"):
            namespace, name, rest = key[:-25].split(b"\0")[0], key[:-25].split(b"\0")[1], key[-25:]
            state, submitted = struct.unpack(">BQ", rest[:9])
            group = [namespace.decode(), name.decode(), STATES[state], submitted]
            yield "by_state", group, str(uuid.UUID(bytes=rest[9:]))
        for key, value in self.rows("keys"):
            yield "keys", key.hex(), str(uuid.UUID(bytes=value))
        for key, value in self.rows("templates"):
            yield "templates", key.hex(), [step[1] for step in cbor2.loads(value)[5]]
        for key, value in self.rows("logs"):
            lease, number = struct.unpack(">QI", key[16:])
            line = checked(value)
            yield "logs", [str(uuid.UUID(bytes=key[:16])), lease, number], {
                "step_index": line[1], "attempt": line[2], "time_ms": line[3], "level": LEVELS[line[4]],
                "text": line[5],
            }


def content(value):
    """A row's map, which from format 2 on stands in an array before its checksum."""
    return value[0] if isinstance(value, list) else value


def checked(value):
    """A row's value. From format 2 on it comes with its checksum: an array of two."""
    if value[0] != 0x82:
        return cbor2.loads(value)
    body, (whole, checksum) = value[1:-5], cbor2.loads(value)
    if checksum != struct.pack(">I", crc32c(body)):
        raise Damaged("a checksum does not match")
    return whole


def crc32c(data):
    rest = 0xFFFFFFFF
    for byte in data:
        rest = rest >> 8 ^ CRC32C[(rest ^ byte) & 0xFF]
    return rest ^ 0xFFFFFFFF


def crc32c_of_byte(rest):
    for _ in range(8):
        rest = rest >> 1 ^ 0x82F63B78 if rest & 1 else rest >> 1
    return rest


CRC32C = [crc32c_of_byte(byte) for byte in range(256)]


def seq(key):
    return struct.unpack(">Q", key)[0]


def written(milliseconds):
    moment = datetime(1970, 1, 1) + timedelta(milliseconds=milliseconds)
    return moment.isoformat(timespec="milliseconds") + "Z"


def plain(value):
    return value.hex() if isinstance(value, bytes) else value


def data(kind, raw, steps):
    """An event's data with names in place of numbers, as `stepwell events` shows it."""
    result = {}
    for key, value in raw.items():
        name = DATA.get(key)
        if name is None:
            continue  # Of a later version: it may be passed over.
        if name in ("result", "metadata", "checkpoint", "input"):
            result[name] = json.loads(value)
        elif name == "reason":
            result[name] = REASONS[kind][value]
        elif name == "note":
            result["reason"] = value
        elif name == "worker_kind":
            result[name] = WORKER_KINDS[value]
        elif name == "scope":
            result[name] = SCOPES[value]
        elif name == "handlers":
            result[name] = [{"name": name, "version": version} for name, version in value]
        elif name == "labels":
            result[name] = dict(value)
        elif name in ("focus", "forked_from"):
            result[name] = str(uuid.UUID(bytes=value))
        else:
            result[name] = plain(value)
        if name == "step_index":
            result["step"] = steps[value]
        if name == "step_indexes":
            result["steps"] = [steps[step] for step in value]
    return result


def main(arguments):
    store = Store(arguments[0])
    store.check()
    if "--tables" in arguments:
        for table, key, value in store.tables():
            print(json.dumps({"table": table, "key": key, "value": value}))
    else:
        for event in store.events():
            print(json.dumps(event))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except Damaged as damage:
        sys.exit(f"error: {damage}")
