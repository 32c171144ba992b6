"""tools/fuzz for a few seconds: the server bears requests that are almost right."""

import json
import subprocess
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


class Fuzz(unittest.TestCase):
    def test_the_server_bears_requests_that_are_almost_right(self):
        run = subprocess.run(
            [ROOT / "tools" / "fuzz", "--seconds", "10", "--count", "1000000000"], capture_output=True, text=True, timeout=120)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)
        figures = json.loads(run.stdout)
        self.assertEqual(figures["found"], [])
        self.assertGreater(figures["answers"], 1000)
        self.assertGreater(figures["checks"], 5)
        self.assertTrue({"200", "201", "400", "404"} <= set(figures["statuses"]), figures["statuses"])


if __name__ == "__main__":
    unittest.main()
