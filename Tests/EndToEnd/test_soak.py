"""tools/soak: it resumes, begins anew with another program, and survives a broken file."""

import json
import os
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BIN = Path(os.environ["STEPWELL_BIN"]).resolve()


class Soak(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.progress = self.folder / "soak" / "simulation-progress.json"

    def soak(self, seeds, binary=BIN, status=0):
        run = subprocess.run(
            [ROOT / "tools" / "soak", "--only", "simulation", "--seeds", str(seeds), "--directory", self.folder / "soak"],
            env=dict(os.environ, STEPWELL_BIN=str(binary)), capture_output=True, text=True, timeout=300,
        )
        self.assertEqual(run.returncode, status, run.stdout + run.stderr)
        return run

    def result(self):
        return json.loads((self.folder / "soak" / "soak.json").read_text())["simulation"]

    def test_it_goes_on_where_it_was(self):
        self.soak(200)
        first = self.result()
        self.assertEqual(first["figures"]["scenarios"], 200)
        self.assertEqual(first["violations"], [])
        kept = self.progress.read_text()
        self.soak(200)
        self.assertEqual(self.progress.read_text(), kept)
        self.assertEqual(self.result()["figures"], first["figures"])
        # What was cut short is lived through as a whole, and counted once.
        self.soak(300)
        self.assertEqual(self.result()["figures"]["scenarios"], 300)

    def test_another_program_begins_anew(self):
        self.soak(100)
        other = self.folder / "stepwell"
        shutil.copy(BIN, other)
        with other.open("ab") as file:
            file.write(b"\0")
        self.assertIn("begins anew", self.soak(50, other).stderr)
        self.assertEqual(self.result()["figures"]["scenarios"], 50)

    def test_a_file_that_cannot_be_read_is_begun_anew(self):
        self.progress.parent.mkdir()
        self.progress.write_text("{", encoding="utf-8")
        self.assertIn("begun anew", self.soak(50).stderr)

    def test_what_is_found_ends_it(self):
        broken = self.folder / "broken"
        broken.write_text("#!/bin/sh\necho 'seed 7 breaks'\nexit 10\n", encoding="utf-8")
        broken.chmod(0o755)
        self.assertIn("seed 7 breaks", self.soak(50, broken, status=1).stdout)
        self.assertEqual(len(self.result()["violations"]), 1)
        # The block is lived through again by the next call.
        self.soak(50, broken, status=1)

    def test_a_program_that_cannot_simulate_is_an_error(self):
        broken = self.folder / "broken"
        broken.write_text("#!/bin/sh\necho no >&2\nexit 2\n", encoding="utf-8")
        broken.chmod(0o755)
        self.assertIn("ended with 2", self.soak(50, broken, status=1).stderr)


if __name__ == "__main__":
    unittest.main()
