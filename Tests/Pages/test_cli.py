"""docs/cli.md describes every command and option that the sources have, and every exit code."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
CLI = ROOT / "Sources" / "CLI"


def source(path):
    return (CLI / path).read_text(encoding="utf-8")


def commands():
    """Each command's name, and the text of its type."""
    for path in sorted((CLI / "Commands").glob("*.swift")):
        for text in re.split(r"\n(?=struct )", path.read_text(encoding="utf-8")):
            name = re.search(r'CommandHelp\(\s*name: "([-\w]+)"', text)
            if name:
                yield name[1], text


def section(heading):
    return PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]


def options(text):
    return set(re.findall(r'Option\(\s*name: "(-[-\w]+)"', text))


class CommandLine(unittest.TestCase):
    def test_every_command_has_its_section(self):
        names = {name for name, _ in commands()}
        self.assertGreater(len(names), 10)
        sections = set(re.findall(r"^## ([-\w]+)$", PAGE, re.MULTILINE)) - {"Output", "Cron"}
        self.assertEqual(sections, names)

    def test_every_option_of_a_command_has_its_row(self):
        shared = {
            f".{name}": option
            for name, option in re.findall(
                r'static let (\w+) = Option\(\s*name: "(-[-\w]+)"', source("Arguments/Option.swift")
            )
        }
        text = source("Commands/Drive.swift")
        words = re.search(r"options: \[Option\] = \[(.*)\]", text)[1]
        drive = options(text) | {shared[word] for word in re.findall(r"\.\w+", words)}
        for name, text in commands():
            listed = re.search(r"options:\s*(.*?),?\s*examples:", text, re.DOTALL)
            words = listed[1] if listed else ""
            wanted = options(text) | {shared[word] for word in re.findall(r"\.\w+", words) if word in shared}
            if "Drive.options" in words:
                wanted |= drive
            rows = [line for line in section(name).splitlines() if line.startswith("| `-")]
            written = {
                option for row in rows for option in re.findall(r"`(-[-\w]+)", re.split(r"(?<!\\)\|", row)[1])
            }
            self.assertEqual(written, wanted, name)

    def test_every_exit_code_has_its_row(self):
        known = re.findall(r"case \w+ = (\d+)", source("ExitCode.swift"))
        self.assertEqual(re.findall(r"^\| (\d+) \|", section("Exit codes"), re.MULTILINE), known)

    def test_every_member_of_a_report_is_named(self):
        text = (ROOT / "Sources/History/TaskReport+JSON.swift").read_text(encoding="utf-8")
        names = set(re.findall(r'(?:member|name|init)\("(\w+)"', text))
        self.assertGreater(len(names), 15)
        for name in names:
            self.assertIn(f"`{name}`", section("run"))

    def test_every_member_of_json_lists_is_named(self):
        for name in ("list", "logs", "validate"):
            text = dict(commands())[name]
            elsewhere = {"list": "TaskSummary+JSON.swift", "logs": "Text/LogLineText.swift"}
            path = ROOT / "Sources/History" / elsewhere.get(name, "")
            found = path.read_text(encoding="utf-8") if name in elsewhere else source("Commands/ValidateCommand.swift")
            text += re.search(r"extension [\s\S]*", found)[0]
            for member in re.findall(r'"(\w+)": (?:\.|\w+\.map)', text):
                self.assertIn(f"`{member}`", section(name), name)


if __name__ == "__main__":
    unittest.main()
