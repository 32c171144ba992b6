"""Runs in files, and stores made of a part of a log: export, import, rewind."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from typing import Any, Dict, List

from sandbox import Sandbox, shell


def parse(text: str) -> List[Dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


class Bundles(Sandbox):
    def export(self, *words: Any, code: int = 0) -> str:
        return self.stepwell("export", *words, code=code).stdout

    def run_two(self) -> List[str]:
        """Two tasks; gives their ids."""
        self.put("result.json", '{"token": "geheim", "n": 1.50}')
        self.template(shell("a", "echo zeile >&2; cat result.json"), shell("b", "exit 1", ["a"]), name="ночь")
        first = self.run_task("--key", "k", "--input", '{"käse": "geheim"}', code=1)
        return [first["task_id"], self.run_task("--key", "l", code=1)["task_id"]]

    def test_a_run_is_the_same_on_the_other_side(self):
        first, second = self.run_two()
        done = self.stepwell("export", first)
        self.put("run.stepwell", done.stdout)
        [imported] = self.json("import", "run.stepwell", "--store", "other")
        self.assertEqual((imported["task_id"], imported["already_there"]), (first, False))
        self.assertIn(imported["state_hash"], done.stderr)
        for words in [["show", first], ["logs", first], ["events", first]]:
            self.assertEqual(self.json(*words, "--store", "other"), self.json(*words), words)
        self.put("second.stepwell", self.export(second))
        self.stepwell("import", "-", "--store", "other", stdin=self.export(second))
        self.assertEqual(self.json("list", "--store", "other"), self.json("list"))
        self.assertTrue(self.json("import", "second.stepwell", "--store", "other")[0]["already_there"])
        events = [event["seq"] for event in self.events("--store", "other")]
        self.assertEqual(events, [event["seq"] for event in self.events() if event["task_id"]])

    def test_a_file_is_held_against_the_hash_that_was_noted(self):
        first, _ = self.run_two()
        done = self.stepwell("export", first)
        noted = re.search(r"^sha256 ([0-9a-f]{64})$", done.stderr, re.M)[1]
        self.assertEqual(noted, hashlib.sha256(done.stdout.encode()).hexdigest())
        state = re.search(r"state ([0-9a-f]{64}), \d+ events", done.stderr)[1]
        self.put("run", done.stdout)
        for hash, code, text in [
            ("0" * 64, 9, "[other_bundle]"), (state, 9, "does not bind its input and results"), ("7", 2, "64 hexadecimal digits"),
        ]:
            self.assertIn(text, self.stepwell("import", "run", "--store", "new", "--against", hash, code=code).stderr)
            self.assertFalse((self.folder / "new").exists())
        done = self.stepwell("import", "run", "--store", "new", "--against", noted)
        self.assertRegex(done.stdout, rf"^imported {first}  blocked_by_failures  state {state}, \d+ events$")
        self.assertEqual(done.stderr, "1 log line: as the file has them, since no hash of the log binds them\n")
        # Of the log a part is here: verify says so, and does not cry that history was replaced.
        head = json.loads(self.stepwell("audit", "head", "-o", "json").stdout)["hash"]
        for hash, text in [
            (head, "the imported file says that the log ended with that hash"), (state, "is the hash of the state of task"),
            ("0" * 64, "this store holds only a part of the log"),
        ]:
            self.assertIn(text, self.stepwell("verify", "--store", "new", "--against", hash, code=9).stderr)
        self.assertIn("were not imported, as is normal", self.stepwell("verify", "--store", "new").stdout)

    def test_the_json_of_an_event_counts_as_little_as_a_forged_one(self):
        first, _ = self.run_two()
        lines = self.export(first).splitlines()[:-1]
        text = "\n".join(lines).replace('"attempt.failed","task_id"', '"attempt.timed_out","task_id"', 1) + "\n"
        end = {"end": {"lines": len(lines), "sha256": hashlib.sha256(text.encode()).hexdigest()}}
        self.put("run", text + json.dumps(end) + "\n")
        said = self.stepwell("import", "run", "--store", "new", code=9).stderr
        self.assertRegex(said, r"line \d+: event #\d+ tells something else in JSON than in CBOR, at 'type' \[bundle_corrupt\]")

    def test_in_a_store_of_imports_nothing_is_advised_that_cannot_be_done_there(self):
        first, _ = self.run_two()
        self.put("run", self.export(first))
        self.stepwell("import", "run", "--store", "new")
        self.assertIn("blocked: in the store that it is from, mend", self.stepwell("show", first, "--store", "new").stdout)
        self.assertIn("in the store that it is from: when the cause", self.stepwell("explain", first, "--store", "new").stdout)
        self.assertIn("engine: not known; its own events", self.stepwell("state", "--store", "new").stdout)
        self.assertIn("the store that they were exported from", self.stepwell("retry", first, "--store", "new", code=4).stderr)

    def test_any_program_can_read_and_prove_it(self):
        first, _ = self.run_two()
        text = self.export(first)
        lines = parse(text)
        head, template = lines[0], lines[1]
        self.assertEqual((head["stepwell"], head["version"], head["task_id"]), ("run", 1, first))
        self.assertEqual(hashlib.sha256(base64.b64decode(template["cbor"])).hexdigest(), template["template"])
        self.assertEqual(list(template["content"]["steps"]), ["a", "b"])
        before = text[: text.rindex('{"end"')].encode()
        self.assertEqual(lines[-1]["end"], {"lines": len(lines) - 1, "sha256": hashlib.sha256(before).hexdigest()})
        events = {line["event"]["seq"]: base64.b64decode(line["cbor"]) for line in lines if "event" in line}
        self.assertEqual(
            [line["event"] for line in lines if "event" in line], self.events(first))
        for commit in (line["commit"] for line in lines if "commit" in line):
            chain, number = bytes.fromhex(commit["previous"]), commit["first"]
            for run in commit["runs"]:
                own = [events.get(seq) for seq in range(number, number + run["events"])]
                chain += bytes.fromhex(run["hash"]) if "hash" in run else hashlib.sha256(b"".join(own)).digest()
                number += run["events"]
            self.assertEqual(hashlib.sha256(chain).hexdigest(), commit["hash"])
            self.assertEqual(number, commit["last"] + 1)

    def test_redacted_values_do_not_leave(self):
        first, _ = self.run_two()
        text = self.export(first, "--redact", "/token", "--redact", "/käse")
        self.assertNotIn("geheim", text)
        for line in parse(text):
            self.assertNotIn(b"geheim", base64.b64decode(line.get("cbor", "")))
        self.put("run", text)
        self.stepwell("import", "run", "--store", "other")
        report = self.json("show", first, "--store", "other")
        self.assertEqual(report["input"], {"käse": "[redacted]"})
        self.assertEqual(report["steps"]["a"]["result"], {"token": "[redacted]", "n": 1.5})
        missed = self.stepwell("export", first, "--redact", "/tokem", code=2)
        self.assertEqual(missed.stdout, "")
        self.assertIn("[nothing_redacted]", missed.stderr)

    def test_no_engine_runs_on_an_imported_store(self):
        first, _ = self.run_two()
        self.put("run", self.export(first))
        self.stepwell("import", "run", "--store", "other")
        for words in [["run", "t.yaml"], ["resume"], ["retry", first], ["cancel", first]]:
            self.assertIn("[store_imported]", self.stepwell(*words, "--store", "other", code=4).stderr)

    def test_what_is_no_sound_file_makes_nothing(self):
        first, _ = self.run_two()
        text = self.export(first)
        cases = {
            "not_a_bundle": ("nothing\n", 2), "bundle_truncated": (text[:-20], 9),
            "bundle_corrupt": (text.replace('"lines":', '"lines":1'), 9),
            "bundle_version": (text.replace('"version":1', '"version":99', 1), 4),
        }
        for error, (content, code) in cases.items():
            with self.subTest(error):
                self.put("run", content)
                self.assertIn(f"[{error}]", self.stepwell("import", "run", "--store", "new", code=code).stderr)
                self.assertFalse((self.folder / "new").exists())
        self.stepwell("import", "missing", "--store", "new", code=2)
        self.put("run", text)
        self.stepwell("backup", "copy")
        # A store of its own takes in only what it has lost.
        self.stepwell("run", "t.yaml", "--store", "another", code=1)
        self.assertIn("[foreign_bundle]", self.stepwell("import", "run", "--store", "another", code=4).stderr)
        self.assertTrue(self.json("import", "run")[0]["already_there"])
        self.assertIn("[unknown_task]", self.stepwell("export", "ffff", code=3).stderr)


class Rewind(Sandbox):
    def setUp(self):
        super().setUp()
        self.template(shell("a", "echo 1"), shell("b", "echo 2", ["a"]))
        self.task = self.run_task("--key", "k")["task_id"]

    def test_a_store_of_an_earlier_moment_goes_on_from_there(self):
        [started] = [event for event in self.events() if event["type"] == "attempt.started" and event["data"]["step"] == "b"]
        before = self.events()
        done = self.json("rewind", "--to", started["seq"], "then")
        self.assertEqual((done["head"], done["tasks_open"]), (started["seq"], 1))
        self.assertEqual(self.events("--store", "then"), before[: started["seq"]])
        self.assertEqual(self.events(), before)
        report = self.json("resume", "--store", "then")
        self.assertEqual((report["state"], report["steps"]["b"]["lost"]), ("complete", 1))
        self.assertEqual(report["steps"]["a"]["attempts"], 1)

    def test_a_time_stands_for_the_last_event_until_then(self):
        last = self.events()[-1]
        self.template(shell("slow", "sleep 0.01; echo 3"), file="later.yaml")
        self.run_task(file="later.yaml")
        self.assertGreater(self.events()[-1]["seq"], last["seq"])
        done = self.json("rewind", "--to", last["time"], "then")
        self.assertGreaterEqual(done["head"], last["seq"])
        self.assertLessEqual(done["head_time"], last["time"])

    def test_mistakes(self):
        for words, code, error in [
            (["then"], 2, "usage"), (["--to", "x", "then"], 2, "usage"), (["--to", 9999, "then"], 2, "usage"),
            (["--to", "2001-01-01T00:00:00Z", "then"], 2, "usage"), (["--to", 3, ".stepwell"], 4, "not_empty"),
            (["--to", 3, "then", "--store", "missing"], 3, "store_not_found"),
        ]:
            with self.subTest(words):
                self.assertIn(f"[{error}]", self.stepwell("rewind", *words, code=code).stderr)
                self.assertFalse((self.folder / "then").exists())
