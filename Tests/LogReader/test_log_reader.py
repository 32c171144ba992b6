"""What docs/log-format.md says is so: a reader made from that page alone sees what Stepwell sees.

Makes a store with the real binary (STEPWELL_BIN), and reads it with read_log.py under a Python that has the packages
lmdb and cbor2 (STEPWELL_VENV_PYTHON). Without these the tests are skipped, loudly.
"""

import hashlib
import json
import os
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
PAGE = ROOT / "docs" / "log-format.md"
BINARY = os.environ.get("STEPWELL_BIN")
PYTHON = os.environ.get("STEPWELL_VENV_PYTHON")

TEMPLATE = r"""
name: reader
namespace_name: tests
version: 1.0.0
description: Steps that succeed, fail, and fail for good
steps:
  - name: good
    handler:
      command: [sh, -c, 'echo "a line" >&2']
      initialization: { marker: 4711 }
  - name: flaky
    handler:
      command:
        - sh
        - -c
        - |
          [ "$STEPWELL_ATTEMPT" -gt 1 ] && exec echo '{"marker": 4711}'
          echo '{"failure": {"message": "not yet", "error_type": "early", "error_code": "E1", "retry_after_ms": 1,
                 "backtrace": "line 1", "metadata": {"a": [1, null, true]}}}'
          exit 1
      env: { LANG: C }
    retry: { max_attempts: 3, backoff: linear, initial_delay: 0.01, max_delay: 1 }
    dependencies: []
  - name: bad
    handler: { command: [sh, -c, "exit 65"] }
    dependencies: [flaky]
  - name: last
    handler: { command: [cat] }
    dependencies: [good, bad]
"""

SLOW = """
name: slow
namespace_name: tests
version: 1
priority: -7
steps:
  - name: too_long
    handler: { command: [sleep, "600"] }
    timeout_seconds: 0.2
    retry: { retryable: false }
  - name: killed
    handler: { callable: tests.killed }
    timeout_seconds: 600
"""

# Saves a checkpoint and waits to be killed; the next attempt finds the checkpoint and ends.
HANDLERS = """
import threading
from stepwell import StepHandler

class Killed(StepHandler):
    handler_name = "tests.killed"

    def call(self, context):
        if context.has_checkpoint():
            return self.success({"found": context.checkpoint}, metadata={"second": True})
        context.save_checkpoint({"at": 7})
        threading.Event().wait()
"""


def packages_are_there():
    if not PYTHON:
        return False
    return subprocess.run([PYTHON, "-c", "import lmdb, cbor2"], capture_output=True).returncode == 0


def reason_to_skip():
    if not BINARY:
        return "STEPWELL_BIN names no binary"
    if not PYTHON:
        return "STEPWELL_VENV_PYTHON names no Python"
    if not packages_are_there():
        return f"{PYTHON} has no packages lmdb and cbor2"
    return None


def crc32c(data):
    """Bit by bit, by the definition."""
    rest = 0xFFFFFFFF
    for byte in data:
        rest ^= byte
        for _ in range(8):
            rest = rest >> 1 ^ 0x82F63B78 if rest & 1 else rest >> 1
    return rest ^ 0xFFFFFFFF


class Page(unittest.TestCase):
    """The page alone."""

    def test_the_worked_commits_have_the_hashes_that_the_page_says(self):
        example = PAGE.read_text(encoding="utf-8").split("A commit. The first two rows")[1]
        rows = re.findall(r"([0-9a-f]{16})  ([0-9a-f\s]+?)(?=\n\n|\n    0{15})", example)
        (_, first), (_, second), (_, commit_1), (_, commit_2) = [
            (key, bytes.fromhex("".join(value.split()))) for key, value in rows
        ]
        chain = hashlib.sha256(bytes(32) + hashlib.sha256(first).digest()).digest()
        self.assertIn(chain, commit_1)
        self.assertIn(hashlib.sha256(chain + hashlib.sha256(second).digest()).digest(), commit_2)
        for row in first, second, commit_1, commit_2:
            self.assertEqual(row[-4:], struct.pack(">I", crc32c(row[1:-5])))
        self.assertIn(f"the first event's {len(first)} bytes;", example)


class Histories(unittest.TestCase):
    def test_the_stores_of_all_formats_are_read(self):
        reason = reason_to_skip()
        if reason:
            raise unittest.SkipTest(reason)
        folders = sorted((ROOT / "Tests" / "Histories").glob("format-*"))
        self.assertTrue(folders)
        for folder in folders:
            with self.subTest(folder.name), tempfile.TemporaryDirectory() as store:
                # Even a reader writes beside the data.
                shutil.copy(folder / "data.mdb", store)
                done = subprocess.run([PYTHON, str(HERE / "read_log.py"), store], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stderr)
                events = [json.loads(line) for line in done.stdout.splitlines()]
                expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
                self.assertEqual(len(events), expected["events"])
                self.assertEqual(sorted({event["type"] for event in events}), expected["types"])


class Reader(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = reason_to_skip()
        if reason:
            print(f"\nWARNING: the log is not read from Python: {reason}", file=sys.stderr)
            raise unittest.SkipTest(reason)
        directory = tempfile.TemporaryDirectory()
        cls.addClassCleanup(directory.cleanup)
        cls.folder = Path(directory.name)
        cls.store = cls.folder / "store"
        (cls.folder / "reader.yaml").write_text(TEMPLATE)
        (cls.folder / "slow.yaml").write_text(SLOW)
        (cls.folder / "handlers.py").write_text(HANDLERS)
        cls.make_store()
        cls.events = cls.read()
        cls.tables = cls.read("--tables")

    # MARK: The store

    @classmethod
    def command(cls, *words):
        environment = dict(
            os.environ, STEPWELL_STORE=str(cls.store), PYTHONPATH=str(ROOT / "Sources/Workers/python"), USER="ann"
        )
        return dict(args=[BINARY, *words], cwd=cls.folder, env=environment, text=True, stdin=subprocess.DEVNULL)

    @classmethod
    def stepwell(cls, *words, status=0):
        done = subprocess.run(**cls.command(*words), stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if done.returncode != status:
            raise AssertionError(f"{words} ended with {done.returncode}, not {status}\n{done.stdout}\n{done.stderr}")
        return done.stdout

    @classmethod
    def run_template(cls, *words):
        """Runs the template, which is blocked by its step `bad`."""
        return json.loads(cls.stepwell("run", "reader.yaml", *words, "-o", "json", status=1))["task_id"]

    @classmethod
    def make_store(cls):
        """A task of every fate."""
        first = cls.run_template("--key", "one", "--tag", "a", "--input", '{"ä": "\\u00df", "n": 1.50}')
        cls.stepwell("retry", first, "--step", "bad", "--reason", "once more", status=1)
        cls.stepwell("resolve", first, "bad", "--result", '{"by": "hand"}', "--reason", "was sent")
        cls.stepwell("resume", first)
        cls.stepwell("limit", "set", "handler", "none", "--concurrency", "3", "--reason", "it is narrow")
        cls.stepwell("limit", "remove", "handler", "none", "--reason", "it is wide")
        cls.stepwell("limit", "set", "namespace", "tests", "--rate", "7/min", "--burst", "3")
        cls.stepwell("limit", "set", "namespace", "tests", "--rate", "1000/s", "--burst", "2")
        second = cls.run_template("--key", "two", "--priority", "5", "--reason", "a second one")
        cls.stepwell("cancel", second, "--reason", "wrong input")
        cls.run_template("--key", "one", "--new")
        cls.kill_slow_run()
        cls.stepwell("resume", "--worker", f"{sys.executable} -m stepwell worker handlers.py", status=1)

    @classmethod
    def kill_slow_run(cls):
        """Runs the other template until its checkpoint is on disk, and then kills the engine."""
        worker = f"{sys.executable} -m stepwell worker handlers.py"
        engine = subprocess.Popen(
            **cls.command("run", "slow.yaml", "--worker", worker), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            deadline = time.monotonic() + 60
            while "attempt.checkpointed" not in cls.stepwell("events", "-o", "jsonl"):
                if time.monotonic() > deadline or engine.poll() is not None:
                    raise AssertionError("the slow run has saved no checkpoint")
        finally:
            engine.send_signal(signal.SIGKILL)
            engine.wait()

    @classmethod
    def read(cls, *words, store=None):
        done = cls.read_raw(*words, store=store)
        if done.returncode != 0:
            raise AssertionError(f"read_log.py ended with {done.returncode}: {done.stderr}")
        return [json.loads(line) for line in done.stdout.splitlines()]

    @classmethod
    def read_raw(cls, *words, store=None):
        return subprocess.run(
            [PYTHON, str(HERE / "read_log.py"), str(store or cls.store), *words],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=120,
        )

    def rows(self, table):
        return [(row["key"], row["value"]) for row in self.tables if row["table"] == table]

    def listed(self):
        return json.loads(self.stepwell("list", "-o", "json", "--limit", "1000"))

    # MARK: Events

    def test_every_event_is_what_stepwell_events_shows(self):
        shown = [json.loads(line) for line in self.stepwell("events", "-o", "jsonl").splitlines()]
        self.assertEqual(len(self.events), len(shown))
        for read, known in zip(self.events, shown):
            self.assertEqual(read, known)

    def test_the_store_holds_what_is_to_be_compared(self):
        types = {event["type"] for event in self.events}
        self.assertLessEqual(
            {
                "engine.started", "engine.stopped", "worker.joined", "task.submitted", "attempt.started",
                "attempt.succeeded", "attempt.failed", "attempt.timed_out", "attempt.stopped", "attempt.lost",
                "attempt.checkpointed", "retry.scheduled", "retry.due", "operator.retried", "operator.resolved",
                "operator.cancelled", "step.enqueued", "step.completed", "step.failed", "step.reset",
                "step.resolved", "task.waiting", "task.blocked", "task.completed", "task.cancelled",
                "limit.set", "limit.removed",
            },
            types,
        )

    def test_the_numbers_have_no_gaps_and_time_never_goes_back(self):
        self.assertEqual([event["seq"] for event in self.events], list(range(1, len(self.events) + 1)))
        times = [event["time_ms"] for event in self.events]
        self.assertEqual(times, sorted(times))

    def test_each_event_of_a_task_names_the_one_before(self):
        last = {}
        for event in self.events:
            task = event["task_id"]
            if task is None:
                self.assertEqual((event["task_seq"], event["prev"]), (0, None))
                continue
            count, prev = last.get(task, (0, None))
            self.assertEqual((event["task_seq"], event["prev"]), (count + 1, prev))
            last[task] = (count + 1, event["seq"])
        for task, row in self.rows("tasks"):
            self.assertEqual((row["events"], row["last"]), last.pop(task))
        self.assertEqual(last, {})

    def test_a_decision_names_a_fact_before_it(self):
        facts = {event["seq"] for event in self.events if event["cause"] is None}
        for event in self.events:
            if event["cause"] is not None:
                self.assertIn(event["cause"], facts)
                self.assertLess(event["cause"], event["seq"])

    def test_the_row_of_a_limit_is_what_the_starts_have_left(self):
        limit = [event for event in self.events if event["type"] == "limit.set"][-1]
        rate, per, burst = (limit["data"][key] for key in ("rate", "per_ms", "burst"))
        # The limit before it was full, and gave as many tokens as fit.
        level, time_ms, starts = burst * per, limit["time_ms"], 0
        for event in self.events:
            if event["type"] == "attempt.started" and event["seq"] > limit["seq"]:
                level = min(burst * per, level + rate * (event["time_ms"] - time_ms)) - per
                time_ms, starts = event["time_ms"], starts + 1
                self.assertGreaterEqual(level, 0)
        self.assertGreater(starts, 5)
        rows = {key: value for key, value in self.rows("meta") if key.startswith("limit:")}
        self.assertEqual(rows, {f"limit:{limit['seq']:016x}": {"1": level, "2": time_ms}})

    # MARK: The other tables

    def test_the_tasks_are_those_of_stepwell_list(self):
        listed = {task["task_id"]: task for task in self.listed()}
        read = dict(self.rows("tasks"))
        self.assertEqual(listed.keys(), read.keys())
        for task, row in read.items():
            for member in "namespace name version state priority events steps steps_done steps_failed".split():
                self.assertEqual(row[member], listed[task][member], member)
            self.assertEqual(row.get("key"), listed[task]["key"])
        self.assertEqual(
            sorted(row["state"] for row in read.values()),
            ["blocked_by_failures", "blocked_by_failures", "cancelled", "complete"],
        )

    def test_the_open_tasks_are_those_that_are_not_closed(self):
        closed = {"complete", "error", "cancelled", "resolved_manually"}
        expected = sorted(task for task, row in self.rows("tasks") if row["state"] not in closed)
        self.assertEqual([task for task, _ in self.rows("open")], expected)

    def test_every_task_stands_once_under_its_state(self):
        expected = sorted(
            ([row["namespace"], row["name"], row["state"], row["submitted_ms"]], task)
            for task, row in self.rows("tasks")
        )
        self.assertEqual(sorted(map(tuple, self.rows("by_state"))), list(map(tuple, expected)))

    def test_a_key_names_the_newest_task_that_was_submitted_with_it(self):
        newest = {}
        for event in self.events:
            data = event["data"]
            if event["type"] == "task.submitted" and "key" in data:
                parts = [part.encode() for part in (data["namespace"], data["name"], data["key"])]
                digest = hashlib.sha256(b"".join(len(part).to_bytes(4, "big") + part for part in parts))
                newest[digest.hexdigest()] = event["task_id"]
        self.assertEqual(len(newest), 2)
        self.assertEqual(dict(self.rows("keys")), newest)

    def test_every_task_has_its_template(self):
        templates = dict(self.rows("templates"))
        self.assertEqual(sorted(map(len, templates.values())), [2, 4])
        for event in self.events:
            if event["type"] == "task.submitted":
                self.assertIn(event["data"]["template"], templates)

    def test_the_log_lines_are_those_of_stepwell_logs(self):
        for task in self.listed():
            shown = json.loads(self.stepwell("logs", task["task_id"], "-o", "json"))
            read = [(key[1], value["text"]) for key, value in self.rows("logs") if key[0] == task["task_id"]]
            self.assertEqual([(line["lease"], line["text"]) for line in shown], read)

    def test_the_commits_follow_each_other_to_the_end_of_the_log(self):
        last = 0
        for number, commit in self.rows("commits"):
            self.assertEqual(commit["first"], last + 1)
            self.assertEqual(commit["time_ms"], self.events[number - 1]["time_ms"])
            last = number
        self.assertEqual(last, len(self.events))

    # MARK: Damage

    def damaged(self, name, before, after):
        """A copy of the store in which the bytes are others, wherever they stand."""
        copy = self.folder / name
        copy.mkdir()
        bytes_before = (self.store / "data.mdb").read_bytes()
        self.assertIn(before, bytes_before)
        (copy / "data.mdb").write_bytes(bytes_before.replace(before, after))
        return self.read_raw(store=copy)

    def test_one_flipped_byte_in_an_event_breaks_the_chain(self):
        done = self.damaged("flipped", b"wrong input", b"wrong inpuu")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        place = next(event["seq"] for event in self.events if event["type"] == "operator.cancelled")
        ends = [number for number, _ in self.rows("commits")]
        last = next(number for number in ends if number >= place)
        self.assertIn(f"the hash chain is broken at the commit that ends with event {last}", done.stderr)

    def test_a_changed_template_does_not_match_its_digest(self):
        done = self.damaged("template", b'{"marker":4711}', b'{"marker":4712}')
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("does not match its digest", done.stderr)

    def test_an_unharmed_copy_is_read(self):
        done = self.damaged("unharmed", b"wrong input", b"wrong input")
        self.assertEqual(done.returncode, 0, done.stderr)


if __name__ == "__main__":
    unittest.main()
