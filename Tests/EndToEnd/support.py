"""The real binary on a store of its own, and the example's pipeline with its service."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EXAMPLE = ROOT / "docs/examples/analytics_pipeline"
PIPELINE = EXAMPLE / "analytics_pipeline.yaml"
#: Long enough for a busy machine; a test that gets this far has failed.
PATIENCE = 60


def binary():
    path = os.environ.get("STEPWELL_BIN")
    if not path:
        raise RuntimeError("STEPWELL_BIN must name the binary that is to be tested; tools/test does")
    return path


def wait_until(condition, what):
    """The first true value of `condition`, asked again and again; an error names `what` after a while."""
    deadline = time.monotonic() + PATIENCE
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited in vain: {what}")
        time.sleep(0.01)


class Done:
    """How a command ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]

    def __repr__(self):
        return f"exit {self.code}\n{self.out[-3000:]}\n{self.err[-3000:]}"


class EndToEnd(unittest.TestCase):
    """A test with a folder, a store in it, and nothing left running at its end."""

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="stepwell-e2e-"))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.environment = {
            **os.environ,
            "STEPWELL_STORE": str(self.folder / "store"),
            "PYTHONPATH": str(ROOT / "Sources/Workers/python"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        for name in ("STEP_COUNTER_FILE", "STEP_DELAY_MS", "INVENTORY_URL", "NO_COLOR"):
            self.environment.pop(name, None)

    # Commands.

    def start(self, *words, **options):
        """Starts a command in a session of its own, so that nothing it leaves behind survives the test."""
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        process = subprocess.Popen(
            [binary(), *map(str, words)], cwd=self.folder, env=self.environment, start_new_session=True, **options
        )
        self.addCleanup(self._end, process)
        return process

    def _end(self, process):
        if process.poll() is None:
            process.kill()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()
        process.wait()

    def finish(self, process, timeout=PATIENCE):
        out, err = process.communicate(timeout=timeout)
        return Done(process.returncode, out.decode(), err.decode())

    def stepwell(self, *words, timeout=PATIENCE):
        return self.finish(self.start(*words), timeout)

    def succeed(self, *words, timeout=PATIENCE):
        done = self.stepwell(*words, timeout=timeout)
        self.assertEqual(done.code, 0, done)
        return done

    # What the store knows.

    def events(self, *words):
        done = self.stepwell("events", *words, "-o", "jsonl")
        return done.lines if done.code == 0 else []

    def tasks(self):
        return self.succeed("list", "-o", "json").json

    # Files.

    def write(self, name, text):
        path = self.folder / name
        path.write_text(text)
        return path

    def template(self, steps, name="test", **more):
        """A template of a list of steps; JSON is YAML."""
        document = {"name": name, "namespace_name": "tests", "version": "1", **more, "steps": steps}
        return self.write(f"{name}.yaml", json.dumps(document, ensure_ascii=False))

    def handlers(self, text, name="handlers.py"):
        """Python handlers, and the command of a worker that offers them."""
        path = self.write(name, text)
        return f"{sys.executable} -m stepwell worker {path}"


class PipelineTest(EndToEnd):
    """A test that runs the analytics pipeline of the examples."""

    worker = f"{sys.executable} -m stepwell worker {EXAMPLE / 'handlers.py'}"

    def setUp(self):
        super().setUp()
        self.counter = self.folder / "steps"
        self.environment["STEP_COUNTER_FILE"] = str(self.counter)
        self.services = 0

    def service(self, *options):
        """Starts the inventory service; what runs later asks this one."""
        self.services += 1
        port_file = self.folder / f"port{self.services}"
        process = subprocess.Popen(
            [sys.executable, EXAMPLE / "inventory_service.py", "--port", "0", "--port-file", port_file, *options],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        port = wait_until(lambda: port_file.exists() and port_file.read_text().strip(), "the service's port")
        self.environment["INVENTORY_URL"] = f"http://127.0.0.1:{port}"
        return process

    def pipeline(self, *words):
        return ("run", PIPELINE, "--environment", "fast", "--worker", self.worker, *words)

    def counted(self, kind):
        """How often each step has begun (`start`) or has had its result (`end`)."""
        counts = {}
        for line in self.counter.read_text().splitlines() if self.counter.exists() else []:
            word, step, _ = line.split()
            if word == kind:
                counts[step] = counts.get(step, 0) + 1
        return counts


def results(report):
    """The results of a report's steps, byte for byte."""
    return {name: step.get("result") for name, step in report["steps"].items()}


def without_records(results):
    return {name: {key: value for key, value in result.items() if key != "records"} for name, result in results.items()}
