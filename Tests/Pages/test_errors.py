"""docs/errors.md lists the codes that the sources know, each with the exit code that the command line gives it."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "errors.md").read_text(encoding="utf-8")
WORD = r'"([a-z]+(?:_[a-z]+)*)"'


def sources():
    for path in sorted((ROOT / "Sources").rglob("*.swift")):
        yield path.read_text(encoding="utf-8")


def block(text, start):
    """From the brace at or after `start` to its counterpart."""
    start = text.index("{", start)
    depth = 0
    for place in range(start, len(text)):
        depth += {"{": 1, "}": -1}.get(text[place], 0)
        if depth == 0:
            return text[start:place]
    raise AssertionError("a brace without its counterpart")


def known_codes():
    """The words in every `var code: String { … }`, and those that a FileError is made with."""
    codes = set()
    for text in sources():
        for property in re.finditer(r"var code: String \{", text):
            codes |= set(re.findall(WORD, block(text, property.start())))
        codes |= set(re.findall(r"FileError\([^)]*code: " + WORD, text))
        for call in re.findall(r"throw \.last\(path, [^)]*\)", text):
            # One of the two words of `condition ? "a" : "b"`, or the only one.
            codes |= set(re.findall(WORD, call))
    return codes


def spawn_codes():
    """Those of a program that cannot be started, which are error types and never a command's end."""
    text = (ROOT / "Sources/Engine/Processes/SpawnError.swift").read_text(encoding="utf-8")
    return set(re.findall(WORD, block(text, text.index("var code: String {"))))


def exit_codes():
    """Each code with the number that `ExitCode` gives it."""
    text = (ROOT / "Sources/CLI/ExitCode.swift").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"case (\w+) = (\d+)", text))
    result = {}
    switch = text[text.index("switch error.code"):]
    for words, name in re.findall(r"case ([^:]*):\s*\.(\w+)", switch):
        result.update({word: numbers[name] for word in re.findall(WORD, words)})
    return result, numbers["failure"]


def rows(heading):
    section = PAGE.split(f"\n## {heading}\n")[1].split("\n## ")[0]
    for line in section.splitlines():
        if line.startswith("| `"):
            yield [cell.strip() for cell in line.strip("|").split("|")]


class Errors(unittest.TestCase):
    def test_every_code_has_one_row(self):
        written = [row[0].strip("`") for row in rows("Codes")]
        self.assertEqual(len(written), len(set(written)))
        self.assertGreater(len(written), 30)
        self.assertEqual(set(written), known_codes() - spawn_codes())

    def test_every_row_has_the_exit_code_of_its_code(self):
        known, other = exit_codes()
        for code, exit_code, *_ in rows("Codes"):
            if exit_code != "–":
                self.assertEqual(exit_code, known.get(code.strip("`"), other), code)

    def test_every_code_with_an_exit_code_of_its_own_is_known(self):
        known, _ = exit_codes()
        self.assertLessEqual(set(known), known_codes())

    def test_every_error_type_of_the_engine_has_a_row(self):
        written = {word for row in rows("Error types") for word in re.findall(r"`(\w+)`", row[0])}
        known = spawn_codes()
        for text in sources():
            known |= set(re.findall(r"errorType: " + WORD, text))
        self.assertGreater(len(known), 10)
        self.assertLessEqual(known, written)


if __name__ == "__main__":
    unittest.main()
