"""`stepwell serve --config`: a file of settings, and what `--check` says of it."""

from __future__ import annotations

import re
import signal
import unittest
from typing import Dict, Tuple

from serving import CHAIN, Server, ServingTest
from support import REPOSITORY, Running, Stepwell, wait_until


class Config(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.folder = self.new_folder()
        self.file = self.folder / "stepwell.yaml"

    def run_serve(self, *words: str, code: int = 0, **environment: str) -> Running:
        command = Running(self, [str(self.binary), "serve", *words], {**self.environment, **environment}, self.folder)
        self.assertEqual(command.wait(), code, str(command))
        return command

    def refused(self, text: str) -> str:
        self.file.write_text(text)
        return self.run_serve("--config", str(self.file), code=2).stderr

    def checked(self, *words: str, **environment: str) -> Dict[str, Tuple[str, str]]:
        """The settings in effect: the value, and where it is from."""
        lines = self.run_serve("--check", *words, **environment).stdout.splitlines()
        found = {}
        for line in lines:
            match = re.fullmatch(r"(?:# )?([a-z-]+)(?:: (.*?))? *# (.*)", line)
            assert match, line
            found[match[1]] = (match[2], match[3])
        return found

    def test_a_server_runs_by_its_file(self) -> None:
        stepwell = Stepwell(self)
        self.file.write_text(f"""
# What a server needs.
store: {stepwell.store}
listen: "127.0.0.1:0"
templates: {self.templates(CHAIN)}
log-format: json
access-log: yes_is_text
""")
        self.assertIn(f"{self.file}:7:13: error: 'access-log' must be true or false", self.run_serve(
            "--config", str(self.file), code=2).stderr)
        self.file.write_text(self.file.read_text().replace("yes_is_text", "true").replace("127.0.0.1:0", "127.0.0.1:7420"))
        # Two options that the command line gives too: it wins.
        server = Server(stepwell, "--config", str(self.file), "--hold").ready()
        self.assertEqual(server.get("/templates")["templates"][0]["name"], "chain")
        self.assertIs(server.get("/health")["held"], True)
        wait_until(lambda: '"code":"request"' in server.process.stderr, "requests are told, as JSON")
        # A new text of the file means nothing to one that runs.
        self.file.write_text("listen: [")
        server.process.signal(signal.SIGHUP)
        wait_until(lambda: "templates_read" in server.process.stderr, "it has read the templates again")
        self.assertIsNone(server.process.code)
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(), 0)

    def test_workers_of_the_file_are_started_and_those_of_the_command_line_take_their_place(self) -> None:
        self.file.write_text("worker:\n  - first\n  - 'second --with \"words\"'\nstore: s\n")
        found = self.checked("--config", str(self.file))
        self.assertEqual(found["worker"], ('["first","second --with \\"words\\""]', f"{self.file}:1"))
        self.assertEqual(self.checked("--config", str(self.file), "--worker", "third")["worker"], ('["third"]', "--worker"))
        self.file.write_text("worker: only\n")
        self.assertEqual(self.checked("--config", str(self.file))["worker"][0], '["only"]')

    def test_check_tells_each_setting_and_where_it_is_from(self) -> None:
        found = self.checked()
        options = set(re.findall(r"^  --([a-z-]+)", self.run_serve("--help").stdout, re.M)) - {"config", "check", "help"}
        self.assertEqual(set(found), options, "each option has its setting")
        self.assertEqual(found["listen"], ('"127.0.0.1:7420"', "default"))
        self.assertEqual(found["store"], ('".stepwell"', "default"))
        self.assertEqual(found["tls-cert"], (None, "not set"))
        self.assertEqual(found["hold"], ("false", "default"))
        self.assertEqual(self.checked(STEPWELL_STORE="/x/y")["store"], ('"/x/y"', "STEPWELL_STORE"))
        self.file.write_text("store: from-file\ngrace: 7\n\nhold: true\ninsecure: false\nreason: 'a \"b\"'\n")
        found = self.checked("--config", str(self.file), "--grace", "8", STEPWELL_STORE="/x/y")
        self.assertEqual(found["store"], ('"from-file"', f"{self.file}:1"))
        self.assertEqual(found["grace"], ("8", "--grace"))
        self.assertEqual(found["hold"], ("true", f"{self.file}:4"))
        self.assertEqual(found["insecure"], ("false", "default"))
        self.assertEqual(found["reason"][0], '"a \\"b\\""')
        self.assertFalse((self.folder / "from-file").exists(), "nothing is touched")
        # What it prints is such a file again, with the same meaning.
        text = self.run_serve("--check", "--config", str(self.file), "--grace", "8").stdout
        self.file.write_text(text)
        again = self.checked("--config", str(self.file))
        self.assertEqual({name: value for name, (value, _) in again.items()}, {
            **{name: value for name, (value, _) in found.items()}, "store": '"from-file"'})

    def test_check_looks_at_the_files(self) -> None:
        folder = self.templates(CHAIN.replace("steps:", "stepz:"))
        refused = self.run_serve("--check", "--templates", folder, code=2)
        self.assertIn("templates: ", refused.stdout)
        self.assertIn("[invalid_template]", refused.stderr)
        self.file.write_text("no certificate\n")
        refused = self.run_serve("--check", "--tls-cert", str(self.file), "--tls-key", str(self.file), code=1)
        self.assertIn("[cannot_listen]", refused.stderr)
        self.assertIn("[insecure]", self.run_serve("--check", "--listen", "0.0.0.0:7420", code=2).stderr)
        self.assertEqual(sorted(each.name for each in self.folder.glob(".stepwell")), [])

    def test_what_is_wrong_is_told_with_its_place(self) -> None:
        for text, place, said in [
            ("grace: 10\nlisten-on: x\n", "2:1", "there is no setting 'listen-on'"),
            ("grase: 10\n", "1:1", "did you mean 'grace'?"),
            ("check: true\n", "1:1", "there is no setting 'check'"),
            ("grace: soon\n", "1:8", "'grace' must be a whole number from 0 to 86400"),
            ("grace: '10'\n", "1:8", "write it without quotes"),
            ("lease: 0\n", "1:8", "'lease' must be a whole number from 1 to 3600"),
            ("hold: 1\n", "1:7", "'hold' must be true or false"),
            ("hold: yes\n", "1:7", "write 'hold: true'"),
            ("store: [a, b]\n", "1:8", "'store' must be text, found a list"),
            ("store:\n", "1:7", "'store' must be text, found nothing"),
            ("worker: [a, 3]\n", "1:13", "'worker' must be text, found the number 3"),
            ("log-format: xml\n", "1:13", "'log-format' must be one of text, json"),
            ("listen: nowhere\n", "1:9", "'listen' must be HOST:PORT"),
            ("grace: 1\ngrace: 2\n", "2:1", "is given twice"),
            ("- store\n", "1:1", "'the settings' must be a mapping"),
            ("store: {\n", "2:1", "yaml_syntax"),
            ("store: a\n---\nstore: b\n", "2:1", "several_documents"),
        ]:
            with self.subTest(text):
                refused = self.refused(text)
                self.assertIn(f"{self.file}:{place}: error: ", refused)
                self.assertIn(said, refused)
                self.assertIn("[invalid_settings]", refused)
        # All at once.
        refused = self.refused("a: 1\nb: 2\n")
        self.assertIn(":1:1:", refused)
        self.assertIn(":2:1:", refused)
        missing = self.run_serve("--config", str(self.folder / "none"), code=2)
        self.assertIn("[unreadable_file]", missing.stderr)

    def test_the_page_shows_such_a_file(self) -> None:
        page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
        [text] = [text for text in re.findall(r"^```yaml\n(.*?)^```$", page, re.M | re.S) if text.startswith("store: ")]
        self.file.write_text(text.replace("/etc/stepwell/templates", self.templates(CHAIN)))
        found = self.checked("--config", str(self.file))
        self.assertEqual(found["grace"], ("60", f"{self.file}:6"))

    def test_an_empty_file_says_nothing(self) -> None:
        for text in ("", "# nothing\n", "---\n"):
            self.file.write_text(text)
            self.assertEqual(self.checked("--config", str(self.file))["grace"], ("10", "default"))


if __name__ == "__main__":
    unittest.main()
