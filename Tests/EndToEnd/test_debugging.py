"""docs/debugging.md shows what Stepwell prints. `python3 test_debugging.py --write`, with STEPWELL_BIN set, renews the page."""

import os
import re
import shlex
import signal
import subprocess
import sys
import unittest

from sandbox import Sandbox
from support import PIPELINE, REPOSITORY, SAFETY_NET, WORKER, wait_until

PAGE = REPOSITORY / "docs" / "debugging.md"
BLOCK = re.compile(r"(?<=^```console\n).*?(?=^```$)", re.M | re.S)
# Longer than the waits between attempts in the environment 'fast': what comes due, comes due while another step runs.
STEP_MILLISECONDS = "400"


class Debugging(Sandbox):
    def setUp(self):
        super().setUp()
        (self.folder / "docs").symlink_to(REPOSITORY / "docs")
        self.environment.update(STEPWELL_STORE="store", USER="ada", STEP_COUNTER_FILE="steps")
        self.environment.pop("SUDO_USER", None)

    def pipeline(self, key):
        """Starts the pipeline with one worker, whose handlers run one after the other."""
        worker = shlex.join([*shlex.split(WORKER)[:4], "--concurrency", "1", str(PIPELINE / "handlers.py")])
        return self.start(
            "run", str(PIPELINE / "analytics_pipeline.yaml"), "--key", key, "--environment", "fast", "--worker", worker,
            "--input", '{"data": "fixed"}')

    def two_nights(self):
        """A run that fails, is killed while transform_inventory runs, and goes on; and one without trouble."""
        self.environment["STEP_DELAY_MS"] = STEP_MILLISECONDS
        first = self.pipeline("monday")
        steps = self.folder / "steps"
        wait_until(
            lambda: steps.exists() and "start transform_inventory" in steps.read_text() or first.code is not None,
            "transform_inventory runs")
        os.kill(first.pid, signal.SIGKILL)
        self.assertEqual(first.wait(), -signal.SIGKILL)
        for key in ("monday", "tuesday"):
            self.assertEqual(self.pipeline(key).wait(), 0)
        del self.environment["STEP_DELAY_MS"]

    def typed(self, block, prelude):
        """Runs the commands of a block; gives the block with what they print, and the variables that they set."""
        lines = []
        for command in re.findall(r"^\$ (.*)$", block, re.M):
            lines.append(f"$ {command}")
            if re.match(r"\w+=", command):
                prelude = f"{prelude}{command}\n"
                continue
            done = subprocess.run(
                ["bash", "-c", prelude + command], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=SAFETY_NET)
            lines += done.stdout.splitlines()
        return "\n".join(lines) + "\n", prelude

    def printed(self):
        """The page as its commands print it now."""
        self.two_nights()
        prelude = ""

        def renew(match):
            nonlocal prelude
            text, prelude = self.typed(match[0], prelude)
            return text

        return BLOCK.sub(renew, PAGE.read_text(encoding="utf-8"))

    def test_the_page_shows_what_is_printed(self):
        with self.inventory_service(fail_first=2) as service:
            self.environment["INVENTORY_URL"] = service.url
            self.assertEqual(self.unchanging(self.printed()), self.unchanging(PAGE.read_text(encoding="utf-8")))

    @staticmethod
    def unchanging(text):
        """The text without what differs from run to run: ids, times, durations, ports."""
        text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
        text = re.sub(r"\b\d\d:\d\d:\d\d(\.\d{3})?\b", "TIME", text)
        text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?\b", "ID", text)
        text = re.sub(r"\b[0-9a-f]{64}\b", "HASH", text)
        # How many turns a night takes depends on the machine.
        text = re.sub(r"\b\d+ commits\b", "COMMITS", text)
        text = re.sub(r"urn:stepwell:store:\w+", "STORE", text)
        text = re.sub(r"127\.0\.0\.1:\d+", "SERVICE", text)
        text = re.sub(r"\b[\d.]+ (ms|s)\b", "DURATION", text)
        # Columns are as wide as what stands in them.
        return re.sub(r" {2,}", "  ", text)


def write():
    """Renews the page."""
    test = Debugging("test_the_page_shows_what_is_printed")
    test.setUp()
    try:
        with test.inventory_service(fail_first=2, port=8642) as service:
            test.environment["INVENTORY_URL"] = service.url
            PAGE.write_text(test.printed(), encoding="utf-8")
    finally:
        test.doCleanups()


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        unittest.main()
