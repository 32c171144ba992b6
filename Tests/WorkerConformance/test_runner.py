"""The runner itself: a worker that misbehaves must fail, a table that is wrong must be told."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import tempfile
import unittest
from pathlib import Path
from typing import Any, Dict, List, Optional
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

import run  # noqa: E402 - found by the path above
from carrier import Broken  # noqa: E402
from patterns import Values, parse, write  # noqa: E402
from transcript import FOLDER, Transcript  # noqa: E402

LINES = """
import json, sys
def say(**message): print(json.dumps(message), flush=True)
def read(): return json.loads(sys.stdin.readline())
hello = dict(type="hello", protocol=1, handlers=[{"name": "echo"}], concurrency=4)
"""

HTTP = """
import json, os, sys, urllib.request
def ask(path, body):
    request = urllib.request.Request(os.environ["STEPWELL_URL"] + path, json.dumps(body).encode(), {"Content-Type": "application/json"})
    return json.load(urllib.request.urlopen(request))
me = "/v1/workers/" + ask("/v1/workers", dict(type="hello", protocol=1, handlers=[{"name": "echo"}]))["worker_id"]
def poll(after): return ask(me + "/poll", dict(after=after, wait_ms=20000))
def deliver(number, *messages): return ask(me + "/messages", dict(number=number, messages=messages))
"""

ATTEMPT = {"send": {"type": "attempt", "lease": 1, "handler": "echo"}}
RESULT = {"expect": {"type": "result", "lease": 1, "result": 1}}


class Runner(unittest.TestCase):
    def play(self, source: str, script: List[Dict[str, Any]], carrier: str = "stdio", **more: Any) -> None:
        with tempfile.TemporaryDirectory() as folder:
            worker = Path(folder) / "worker.py"
            worker.write_text((LINES if carrier == "stdio" else HTTP) + source, encoding="utf-8")
            file = Path(folder) / "transcript.json"
            file.write_text(json.dumps({"about": "a test", "script": script, **more}), encoding="utf-8")
            Transcript(file).run(carrier, [sys.executable, str(worker)], {}, HERE)

    def broken(self, words: str, source: str, script: List[Dict[str, Any]], carrier: str = "stdio", **more: Any) -> None:
        with self.assertRaisesRegex(Broken, words):
            self.play(source, script, carrier, **more)

    def test_a_good_worker_passes(self) -> None:
        end = {"expect": {"type": "drained"}}
        script = [ATTEMPT, RESULT, {"send": {"type": "drain"}}, end, {"exit": 0}]
        self.play(
            "say(**hello); read(); lease = read()['lease']; say(type='result', lease=lease, result=1); read(); say(type='drained')",
            script,
        )
        self.play(
            "deliver(1, dict(type='result', lease=poll(0)['messages'][0]['lease'], result=1)); poll(1); deliver(2, dict(type='drained'))",
            script, "http",
        )

    def test_lines_that_the_protocol_forbids(self) -> None:
        for words, said in (
            ("not a line of JSON", "print('hello')"),
            ("it is not an object", "print('[1]')"),
            ("its type is 'weather'", "say(type='weather')"),
            ("result is missing", "say(type='result', lease=1)"),
            ("lease is a str", "say(type='result', lease='1', result=1)"),
            ("lease is a bool", "say(type='result', lease=True, result=1)"),
            ("no attempt had the lease 2", "say(type='result', lease=2, result=1)"),
            ("nobody asked the attempt to stop", "say(type='stopped', lease=1)"),
            ("has ended already", "say(type='result', lease=1, result=1); say(type='log', lease=1, text='x')"),
            ("message is missing", "say(type='failure', lease=1, message=None)"),
        ):
            source = f"say(**hello); read(); read(); {said}; sys.stdout.flush(); sys.stdin.read()"
            self.broken(words, source, [ATTEMPT, RESULT, {"expect": {"type": "drained"}}])

    def test_words_and_ends_that_were_not_expected(self) -> None:
        source = "say(**hello); read(); lease = read()['lease']; say(type='result', lease=lease, result=2); "
        self.broken("/result is 2, not 1", source, [ATTEMPT, RESULT])
        more = [ATTEMPT, {"expect": {"type": "result", "result": {"$integer": True}}}]
        self.broken("status is 3, not 0", source + "sys.exit(3)", [*more, {"exit": 0}])
        self.broken('it also said {"type": "drained"}', source + "say(type='drained')", [*more, {"exit": 0}])
        self.broken("(?s)the worker has gone.*oh no", source + "sys.exit('oh no')", [*more, RESULT])
        self.broken("the worker has gone", "", [], hello={"$has": {"type": "hello"}})
        self.broken("/protocol is 1, not 2", "say(**hello)", [], hello={"$has": {"protocol": 2}})

    def test_requests_that_the_protocol_forbids(self) -> None:
        result = "dict(type='result', lease=1, result=1)"
        for words, source in (
            ("delivery 2 after 0", f"poll(0); deliver(2, {result})"),
            ("another form", f"poll(0); deliver(1, {result}); deliver(1)"),
            ("a poll after 5", "poll(5)"),
            ("wait_ms 99999", "ask(me + '/poll', dict(wait_ms=99999))"),
            ("a delivery", "ask(me + '/messages', dict(number=1))"),
            ("no attempt had the lease 9", "poll(0); deliver(1, dict(type='result', lease=9, result=1))"),
        ):
            source = f"try:\n    {source}\nexcept OSError: pass\nsys.stdin.read()"
            self.broken(words, source, [ATTEMPT, RESULT, {"expect": {"type": "drained"}}], "http")

    def test_a_fault_that_the_worker_never_meets_is_told(self) -> None:
        self.broken("made no request for", "sys.stdin.read()", [], "http", faults=[{"on": "deliver", "status": 503}])

    def test_impatience_is_told(self) -> None:
        source = """
try: poll(0)
except OSError: pass
poll(0); sys.stdin.read()
"""
        self.broken("Retry-After", source, [{"expect": {"type": "drained"}}], "http", faults=[{"on": "poll", "status": 503, "retry_after": 30}])

    def test_a_transcript_that_is_misspelt_is_refused(self) -> None:
        with self.assertRaisesRegex(ValueError, "unknown member expekt"):
            self.play("", [{"expekt": {}}])
        with self.assertRaisesRegex(ValueError, "has no meaning on this carrier"):
            self.play("say(**hello); read()", [{"restart": "forgetting"}])


class Table(unittest.TestCase):
    def run_with(self, table: Dict[str, Any], *words: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "sdks.json"
            file.write_text(json.dumps(table), encoding="utf-8")
            said = io.StringIO()
            with mock.patch.object(run, "TABLE", file), contextlib.redirect_stderr(said):
                try:
                    status: Optional[object] = run.main(list(words))
                except SystemExit as end:
                    return str(end)
            return f"{status} {said.getvalue()}"

    def test_a_missing_sdk_is_an_error(self) -> None:
        entry = {"files": ["none/such"], "command": ["python3"], "build": "make it so", "carriers": ["stdio"]}
        self.assertIn("no file none/such; make it so", self.run_with({"a": entry}))
        self.assertIn("no SDK b in sdks.json; there are: a", self.run_with({"a": entry}, "--sdk", "b"))
        self.assertIn("no program none/such", self.run_with({"a": {**entry, "files": [], "command": ["none/such"]}}))
        self.assertIn("no transcript has zzz", self.run_with({"a": {**entry, "files": []}}, "zzz"))
        self.assertIn("none of these", self.run_with({"a": {**entry, "files": []}}, "garbage", "--carrier", "http"))
        self.assertIn("which no transcript needs", self.run_with({"a": {**entry, "files": [], "lacks": {"legs": ""}}}))

    def test_what_an_sdk_is_said_to_lack_it_must_lack(self) -> None:
        entry = json.loads((HERE / "sdks.json").read_text(encoding="utf-8"))["python"]
        lacking = {**entry, "lacks": {"points": "a lie"}}
        self.assertIn("but it does not", self.run_with({"python": lacking}, "numbers_point", "--carrier", "stdio"))
        self.assertTrue(self.run_with({"python": entry}, "numbers_point", "--carrier", "stdio").startswith("0 "))


class Patterns(unittest.TestCase):
    def test_numbers_keep_their_form(self) -> None:
        for text in ('{"a": [1, 1.0, 1e400, -0.0, 12345678901234567890, "1.0"]}', '["\ue000", 2.50]'):
            self.assertEqual(write(parse(text)), text)

    def fits(self, pattern: str, value: str) -> bool:
        return Values(HERE).mismatch(parse(pattern), parse(value)) is None

    def test_what_fits_and_what_does_not(self) -> None:
        for pattern, value, is_fit in (
            ("1", "1", True), ("1", "1.0", False), ("1.0", "1.00", True), ("1", "true", False), ("null", "null", True),
            ('"1.0"', "1.0", False), ("[1]", "[1, 2]", False), ('{"a": 1}', '{"a": 1, "b": 2}', False),
            ('{"$has": {"a": 1}}', '{"a": 1, "b": 2}', True), ('{"$has": {"a": {"$absent": true}}}', "{}", True),
            ('{"$has": {"a": {"$absent": true}}}', '{"a": 0}', False), ('{"$has": {"a": {"$any": true}}}', "{}", False),
            ('{"$number": "0.1"}', "1e-1", True), ('{"$number": "0.1"}', "0.2", False), ('{"$integer": true}', "1.0", False),
            ('{"$matches": "^a"}', '"ab"', True), ('{"$matches": "^a"}', "1", False),
            ('{"$one_of": [1, 2]}', "2", True), ('{"$one_of": [1, 2]}', "3", False),
            ('{"$same_members": [1, 2]}', "[2, 1]", True), ('{"$same_members": [1, 2]}', "[1, 1]", False),
            ('{"$repeat": ["ab", 2]}', '"abab"', True), ('{"$repeat": ["ab", 2]}', '"ab"', False),
        ):
            self.assertEqual(self.fits(pattern, value), is_fit, f"{pattern} {value}")


class Files(unittest.TestCase):
    def test_every_transcript_can_be_read(self) -> None:
        transcripts = [Transcript(file) for file in sorted(FOLDER.glob("*.json"))]
        self.assertGreater(len(transcripts), 70)
        self.assertEqual(len({transcript.about for transcript in transcripts}), len(transcripts))
        for transcript in transcripts:
            self.assertTrue(transcript.about.endswith("."), transcript.name)
            self.assertTrue(transcript.is_for("stdio") or transcript.is_for("http"), transcript.name)


if __name__ == "__main__":
    unittest.main()
