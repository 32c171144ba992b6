"""tools/fuzz for a few seconds: the server bears requests that are almost right; and what was sent can be sent again."""

import json
import os
import subprocess
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
FUZZ = ROOT / "tools" / "fuzz"


class Fuzz(unittest.TestCase):
    def fuzz(self, *options):
        with tempfile.TemporaryDirectory() as folder:
            run = subprocess.run(
                [FUZZ, "--keep", folder, *options], capture_output=True, text=True, timeout=600, env=dict(os.environ))
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        return json.loads(run.stdout)

    def test_the_server_bears_requests_that_are_almost_right(self):
        figures = self.fuzz("--seconds", "10", "--count", "1000000000")
        self.assertEqual(figures["found"], [])
        self.assertGreater(figures["answers"], 5000)
        self.assertGreater(figures["honest_checks"], 2)
        self.assertGreater(figures["refused_as_no_http"], 0)
        self.assertGreater(figures["worker_lives"], 0)
        self.assertTrue({"200", "201", "400", "401", "404", "405", "409", "422"} <= set(figures["statuses"]), figures["statuses"])

    def test_a_batch_can_be_sent_again_by_its_number(self):
        # Each is answered by what the server has done before, but they are as many.
        first, second = (self.fuzz("--seed", "7", "--first", "1234", "--batches", "1", "--clients", "1") for _ in range(2))
        self.assertEqual(first["batches"], 1)
        self.assertGreater(first["answers"], 50)
        self.assertEqual(first["answers"], second["answers"])


if __name__ == "__main__":
    unittest.main()
