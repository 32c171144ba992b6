"""A disk that is full, and a disk that has room again. Needs the right to mount a small file system."""

import os
import signal
import subprocess
import time
import unittest

from support import EndToEnd, wait_until

#: Room for the store, and for little more.
DISK = "4m"
HANDLERS = """
from stepwell import step_handler
import os, time

@step_handler("big")
def big(context):
    with open(os.environ["COUNTER"], "a") as counter:
        counter.write(context.step_name + "\\n")
    return {"text": "x" * 400_000}
"""


class DiskFull(EndToEnd):
    def setUp(self):
        super().setUp()
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        mount = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", self.disk], capture_output=True, text=True)
        if mount.returncode != 0:
            self.skipTest(f"NOT TESTED: a full disk, since no tmpfs can be mounted here: {mount.stderr.strip()}")
        # Cleanups run in reverse: the engine ends first, then the disk goes.
        self.addCleanup(subprocess.run, ["umount", "--lazy", self.disk], check=True)
        self.environment["STEPWELL_STORE"] = str(self.disk / "store")
        self.counter = self.folder / "counter"
        self.environment["COUNTER"] = str(self.counter)
        self.worker = self.handlers(HANDLERS)
        chain = [
            {"name": f"s{number}", "handler": {"callable": "big"}, "dependencies": [f"s{number - 1}"] if number else []}
            for number in range(12)
        ]
        self.path = self.template(chain)

    def free(self, size):
        subprocess.run(["mount", "-o", f"remount,size={size}", self.disk], check=True)

    def start_and_fill(self):
        """A run that has met the full disk, and its standard error."""
        log = open(self.folder / "stderr", "w+b")
        self.addCleanup(log.close)
        run = self.start("run", self.path, "--key", "k", "--worker", self.worker, stdout=subprocess.DEVNULL, stderr=log)
        wait_until(lambda: "is full" in self.stderr() or run.poll() is not None, "a full disk")
        self.assertIn("is full", self.stderr())
        return run

    def stderr(self):
        return (self.folder / "stderr").read_text()

    def check_complete(self):
        done = self.succeed("run", self.path, "--key", "k", "--worker", self.worker, "-o", "json")
        self.assertEqual(done.json["state"], "complete")
        for step in done.json["steps"].values():
            self.assertEqual(len(step["result"]["text"]), 400_000)
        return done.json

    def test_the_engine_waits_for_room_and_loses_nothing(self):
        run = self.start_and_fill()
        self.assertIn("nothing was written", self.stderr())
        # What is written stays readable meanwhile.
        self.assertEqual(self.tasks()[0]["state"], "in_progress")
        self.free("64m")
        self.assertEqual(run.wait(timeout=60), 0, self.stderr())
        self.assertIn("going on", self.stderr())
        self.check_complete()
        names = self.counter.read_text().split()
        self.assertEqual(names, [f"s{number}" for number in range(12)], "a step ran twice")

    def test_kill_while_the_disk_is_full(self):
        run = self.start_and_fill()
        run.kill()
        run.wait()
        before = self.events()
        # Still full: the next engine may find room for its start, and waits as the first one did, or it says that there is none.
        again = self.start_and_fill()
        self.assertEqual(self.events()[: len(before)], before)
        self.free("64m")
        again.wait(timeout=60)
        self.assertIn(again.returncode, (0, 1), self.stderr())
        self.check_complete()
        names = self.counter.read_text().split()
        completed = [event for event in self.events() if event["type"] == "step.completed"]
        self.assertEqual(len(completed), 12)
        # Two engines were killed or ended while the result of one step waited for room.
        self.assertLessEqual(len(names), 14, "a step whose result was on disk ran again")

    def test_sigterm_while_the_disk_is_full(self):
        run = self.start_and_fill()
        run.send_signal(signal.SIGTERM)
        start = time.monotonic()
        self.assertEqual(run.wait(timeout=60), 130, self.stderr())
        self.assertLess(time.monotonic() - start, 30)
        self.free("64m")
        self.check_complete()

    def test_a_disk_that_is_full_from_the_start(self):
        filler = self.disk / "filler"
        with open(filler, "wb") as file:
            try:
                while True:
                    os.write(file.fileno(), bytes(4096))
            except OSError:
                pass
        done = self.stepwell("run", self.path, "--key", "k", "--worker", self.worker)
        self.assertEqual(done.code, 1, done)
        self.assertIn("disk_full", done.err)
        filler.unlink()
        self.free("64m")
        self.check_complete()


if __name__ == "__main__":
    unittest.main()
