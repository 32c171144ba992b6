"""The first SIGTERM or SIGINT stops a run in good order, whichever thread the system hands it to."""

import json
import os
import signal
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

BINARY = os.environ.get("STEPWELL_BIN")

TEMPLATE = """
name: slow
namespace_name: tests
version: 1
steps:
  - name: wait
    handler: { command: [sleep, "600"] }
"""


@unittest.skipUnless(BINARY, "STEPWELL_BIN names no binary")
class FirstSignal(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.folder = Path(directory.name)
        (self.folder / "slow.yaml").write_text(TEMPLATE)

    def event_types(self):
        done = subprocess.run([BINARY, "events", "-o", "jsonl"], cwd=self.folder, capture_output=True, text=True)
        return [json.loads(line)["type"] for line in done.stdout.splitlines()]

    def interrupt(self, number):
        run = subprocess.Popen(
            [BINARY, "run", "slow.yaml", "--grace", "0"], cwd=self.folder, stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.addCleanup(run.wait)
        self.addCleanup(run.kill)
        deadline = time.monotonic() + 60
        while "attempt.started" not in self.event_types():
            self.assertLess(time.monotonic(), deadline, "the run has not started its step")
        run.send_signal(number)
        return run.wait(timeout=60)

    def test_the_first_sigterm_stops_in_good_order(self):
        self.assertEqual(self.interrupt(signal.SIGTERM), 130)
        self.assertEqual(self.event_types()[-1], "engine.stopped")
        self.assertIn("engine.draining", self.event_types())

    def test_the_first_sigint_stops_in_good_order(self):
        self.assertEqual(self.interrupt(signal.SIGINT), 130)
        self.assertEqual(self.event_types()[-1], "engine.stopped")


if __name__ == "__main__":
    unittest.main()
