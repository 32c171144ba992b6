"""docs/testing.md names every bug put in on purpose, and every invariant."""

import re
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = (ROOT / "docs" / "testing.md").read_text(encoding="utf-8")


def first_cells(text):
    for line in text.splitlines():
        if line.startswith("| `"):
            yield from re.findall(r"`([\w-]+)`", line.split("|")[1])


class Testing(unittest.TestCase):
    def test_every_bug_has_its_row(self):
        table = PAGE.split("<!-- mutants -->")[1].split("<!-- end of mutants -->")[0]
        rows = dict(re.findall(r"(?m)^\| `([\w-]+)` \| (.*?) \| `[\w-]+` \| \d+ \|$", table))
        bugs = {
            path.stem: path.read_text(encoding="utf-8").split("\n", 1)[0]
            for path in (ROOT / "Tests" / "Mutants").glob("*.mutant")
        }
        self.assertGreater(len(bugs), 15)
        self.assertEqual(rows, bugs)

    def test_every_invariant_has_its_row(self):
        written = set(first_cells(PAGE.split("### What is watched")[1].split("### What is not")[0]))
        known = set()
        for path in (ROOT / "Sources" / "Simulation").rglob("*.swift"):
            text = path.read_text(encoding="utf-8")
            known |= set(re.findall(r'static let name = "([\w-]+)"', text))
            known |= set(re.findall(r'invariant: "([\w-]+)"', text))
            known |= set(re.findall(r'(?:\bfail|guarded)\("([\w-]+)"', text))
        self.assertGreater(len(known), 20)
        # Told by the log itself, below the tables.
        self.assertEqual(written, known - {"log"})


if __name__ == "__main__":
    unittest.main()
