"""A run that nobody watches tells every transition of its task, one line each: what cron puts into a mail."""

import os
import subprocess
import tempfile
import unittest
from pathlib import Path

BINARY = os.environ.get("STEPWELL_BIN")

TEMPLATE = """
name: quick
namespace_name: tests
version: 1
steps:
  - name: only
    handler: { command: ["true"] }
"""


@unittest.skipUnless(BINARY, "STEPWELL_BIN names no binary")
class ProgressLines(unittest.TestCase):
    def test_no_transition_is_left_out(self):
        # The engine is at work before the task is known to whoever prints, so once is not enough.
        for attempt in range(20):
            with tempfile.TemporaryDirectory() as folder:
                (Path(folder) / "quick.yaml").write_text(TEMPLATE)
                done = subprocess.run(
                    [BINARY, "run", "quick.yaml"], cwd=folder, capture_output=True, text=True, timeout=60
                )
                self.assertEqual(done.returncode, 0, done.stderr)
                types = [line.split()[3] for line in done.stderr.splitlines()]
                self.assertEqual(types, ["task.submitted", "attempt.started", "step.completed", "task.completed"])


if __name__ == "__main__":
    unittest.main()
