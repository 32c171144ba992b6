"""`stepwell validate`: every fault at its place, whatever is given to it, and what `run` makes of a faulty template."""

import json
import os

from sandbox import Sandbox, command

BROKEN = """\
name: nightly
namespace_name: tests
version: 1
steps:
  - name: fetch
    handler: { callable: shop.fetch }
    dependancies: [load]
    timeout_seconds: 3s
  - name: load
    handler: { command: echo }
    dependencies: [fetsh, load]
    retry: { max_attempts: 101, backoff: exponentiel }
"""

FAULTS = [
    ("7:5", "unknown_key", "'dependencies'"),
    ("8:22", "wrong_type", "3s"),
    ("10:25", "wrong_type", "'command'"),
    ("11:20", "unknown_step", "'fetch'"),
    ("11:27", "self_dependency", "'load'"),
    ("12:28", "out_of_range", "101"),
    ("12:42", "unknown_value", "'exponential'"),
]

DECISION = """\
name: nightly
namespace_name: tests
version: 1
steps:
  - name: choose
    type: decision
    handler: { command: ["true"] }
"""

# Ten lines that stand for twenty to the power of ten values.
BOMB = b"a: &a [x]\n" + b"".join(
    b"%c: &%c [%s]\n" % (letter, letter, b", ".join([b"*%c" % (letter - 1)] * 20)) for letter in b"bcdefghijk"
)


class Validate(Sandbox):
    def faults(self, *files, code=2):
        return self.json("validate", *files, code=code)

    def test_every_fault_is_told_at_once_with_its_place_and_cure(self):
        self.put("bad.yaml", BROKEN)
        text = self.stepwell("validate", "bad.yaml", code=2).stdout
        for place, code, word in FAULTS:
            with self.subTest(place):
                told = text.partition(f"bad.yaml:{place}: error: ")[2].partition("bad.yaml:")[0]
                self.assertIn(f"[{code}]", told)
                self.assertIn(word, told)
        self.assertEqual(text.count(": error: "), len(FAULTS))
        self.assertTrue(text.endswith("bad.yaml: 7 errors\n"))

    def test_json_tells_the_same(self):
        self.put("bad.yaml", BROKEN)
        faults = self.faults("bad.yaml")
        self.assertEqual([(f"{f['line']}:{f['column']}", f["code"]) for f in faults], [f[:2] for f in FAULTS])
        self.assertEqual({f["file"] for f in faults}, {"bad.yaml"})
        self.assertEqual({f["severity"] for f in faults}, {"error"})
        lines = self.stepwell("validate", "bad.yaml", "-o", "jsonl", code=2).stdout.splitlines()
        self.assertEqual([json.loads(line) for line in lines], faults)

    def test_what_is_no_template_is_refused_at_its_place(self):
        for name, content, place, code in (
            ("empty", b"", (1, 1), "empty_document"),
            ("blank", b"\n\n# nothing\n", None, "empty_document"),
            ("tab", b"name: a\n\tsteps: 1\n", (2, 1), "yaml_tab"),
            ("open", b"name: [a, b\n", None, "yaml_syntax"),
            ("colons", b"name: a: b\n", (1, 8), "yaml_syntax"),
            ("list", b"- a\n", (1, 1), "wrong_type"),
            ("two", b"name: a\n---\nname: b\n", None, "several_documents"),
            ("latin", b"name: caf\xe9\n", None, "not_utf8"),
            ("binary", bytes(range(256)) * 20, None, "not_utf8"),
            ("control", b"name: \x01\n", None, "control_character"),
            ("huge", b"#" * (2 << 20), None, "document_too_large"),
            ("bomb", BOMB, None, "expands_too_far"),
            ("deep", b"a: " + b"[" * 5000, None, "too_deep"),
        ):
            with self.subTest(name):
                (self.folder / name).write_bytes(content)
                faults = self.faults(name)
                self.assertIn(code, [f["code"] for f in faults])
                if place:
                    self.assertEqual((faults[0]["line"], faults[0]["column"]), place)
                # `run` says the same, and makes no store.
                self.assertIn(f"[{code}]", self.stepwell("run", name, code=2).stderr)
        self.assertFalse((self.folder / ".stepwell").exists())

    def test_files_from_other_systems_are_read(self):
        text = json.dumps(json.loads((self.folder / self.template(command("a", "true"))).read_text()), indent=1)
        for name, content in (
            ("bom", b"\xef\xbb\xbf" + text.encode()), ("crlf", DECISION.replace("\n", "\r\n").encode()),
        ):
            with self.subTest(name):
                (self.folder / name).write_bytes(content)
                self.stepwell("validate", name)

    def test_a_file_that_cannot_be_read_does_not_hide_the_others(self):
        self.put("bad.yaml", BROKEN)
        self.template(command("a", "true"), file="good.yaml")
        os.mkdir(self.folder / "folder.yaml")
        done = self.stepwell("validate", "missing.yaml", "good.yaml", "folder.yaml", "bad.yaml", code=2)
        self.assertIn("good.yaml: valid: tests/t 1, 1 step\n", done.stdout)
        self.assertIn("bad.yaml: 7 errors\n", done.stdout)
        self.assertIn("'missing.yaml': No such file", done.stderr)
        self.assertIn("'folder.yaml': Is a directory", done.stderr)
        self.stepwell("validate", "good.yaml", "missing.yaml", code=2)
        self.assertEqual(self.json("validate", "good.yaml", "good.yaml"), [])

    def test_standard_input_can_be_validated(self):
        done = self.stepwell("validate", "-", stdin=BROKEN, code=2)
        self.assertIn("-:7:5: error:", done.stdout)

    def test_warnings_do_not_fail(self):
        self.put("t.yaml", DECISION)
        done = self.stepwell("validate", "t.yaml")
        self.assertIn("t.yaml:6:11: warning: not supported yet: type: decision [not_supported_yet]", done.stdout)
        self.assertIn("t.yaml: valid: tests/nightly 1, 1 step\n", done.stdout)
        self.assertEqual([f["severity"] for f in self.faults("t.yaml", code=0)], ["warning"])

    def test_a_task_of_what_is_not_supported_yet_is_refused(self):
        self.put("t.yaml", DECISION)
        done = self.stepwell("run", "t.yaml", code=2)
        self.assertIn("not supported yet: type: decision (step 'choose', line 6) [unsupported]", done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertFalse((self.folder / ".stepwell").exists())

    def test_an_environment_is_checked_and_applied(self):
        self.template(
            command("a", "false"),
            environments={"patient": {"steps": [{"name": "ALL", "retry": {"max_attempts": 2, "backoff": "none"}}]}},
        )
        self.stepwell("validate", "t.yaml", "--environment", "patient")
        self.assertIn("[unknown_environment]", self.stepwell("validate", "t.yaml", "--environment", "x", code=2).stdout)
        self.assertEqual(self.run_task("--environment", "patient", code=1)["steps"]["a"]["attempts"], 2)
