"""The real binary on stores of its own, with everything that it starts ended and removed after each test.

    STEPWELL_BIN=.build/release/stepwell PYTHONPATH=Sources/Workers/python \\
        python3 -m unittest discover -s Tests/EndToEnd -p 'test_*.py'
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest
import uuid
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, List, Optional, Sequence, TypeVar

REPOSITORY = Path(__file__).resolve().parents[2]
PIPELINE = REPOSITORY / "docs" / "examples" / "analytics_pipeline"
SDK = REPOSITORY / "Sources" / "Workers" / "python"
WORKER = shlex.join([sys.executable, "-m", "stepwell", "worker", str(PIPELINE / "handlers.py")])
EXTRACTS = ["extract_sales_data", "extract_inventory_data", "extract_customer_data"]
TRANSFORMS = ["transform_sales", "transform_inventory", "transform_customers"]
STEPS = [*EXTRACTS, *TRANSFORMS, "aggregate_metrics", "generate_insights"]

# Seconds. No test waits so long unless something is broken.
SAFETY_NET = 60

Event = Dict[str, Any]
T = TypeVar("T")


def wait_until(condition: Callable[[], T], what: str, timeout: float = SAFETY_NET) -> T:
    """Looks again and again until `condition` gives something true, and returns that."""
    deadline = time.monotonic() + timeout
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s in vain until {what}")
        time.sleep(0.005)


class Running:
    """A command that was started. What it writes goes to files, so that it never waits for a reader;
    a reader may see the first bytes of a character alone."""

    def __init__(
        self, test: "EndToEndTest", words: List[str], environment: Dict[str, str], folder: Path,
        pass_fds: Sequence[int] = (),
    ) -> None:
        name = uuid.uuid4().hex
        self.words = words
        self._files = [folder / f"{name}.out", folder / f"{name}.err"]
        with open(self._files[0], "wb") as out, open(self._files[1], "wb") as err:
            self._process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=out, stderr=err, env=environment,
                cwd=folder, start_new_session=True, pass_fds=pass_fds,
            )
        self.pid = self._process.pid
        test.addCleanup(self.kill)

    @property
    def stdout(self) -> str:
        return self._files[0].read_text(encoding="utf-8", errors="replace")

    @property
    def stderr(self) -> str:
        return self._files[1].read_text(encoding="utf-8", errors="replace")

    @property
    def code(self) -> Optional[int]:
        """How it ended; None while it runs. The negative number of the signal that ended it."""
        return self._process.poll()

    def wait(self, timeout: float = SAFETY_NET) -> int:
        try:
            return self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"still runs after {timeout} s: {self}") from None

    def runs_for(self, seconds: float) -> bool:
        """Lets it run so long. Whether it still runs then."""
        try:
            self._process.wait(seconds)
            return False
        except subprocess.TimeoutExpired:
            return True

    def signal(self, number: signal.Signals) -> None:
        self._process.send_signal(number)

    def kill(self) -> None:
        """kill -9 of this process alone: what it has started runs on."""
        self._process.kill()
        self._process.wait()

    def __str__(self) -> str:
        return f"{shlex.join(self.words)}\nstdout: {self.stdout[-4000:]}\nstderr: {self.stderr[-4000:]}"


class Commands:
    """The binary as somebody uses it in a folder. `environment` is that of every command, and so of every handler."""

    test: "EndToEndTest"
    folder: Path
    environment: Dict[str, str]

    def words(self, *words: str) -> List[str]:
        """A whole command line."""
        return [str(self.test.binary), *words]

    def variables(self, **environment: str) -> Dict[str, str]:
        """The environment of a command."""
        return {**self.test.environment, **self.environment, **environment}

    def start(self, *words: str, **environment: str) -> Running:
        """Starts a command such as `start("run", template, "--key", "k")`."""
        return Running(self.test, self.words(*words), self.variables(**environment), self.folder)

    def run(
        self, *words: str, code: Optional[int] = 0, timeout: float = SAFETY_NET, **environment: str
    ) -> Running:
        """Runs a command to its end, which must have the given code; None allows any."""
        command = self.start(*words, **environment)
        ended = command.wait(timeout)
        if code is not None and ended != code:
            raise AssertionError(f"ended with {ended} and not with {code}: {command}")
        return command

    def json(self, *words: str, code: Optional[int] = 0, **environment: str) -> Any:
        return json.loads(self.run(*words, "-o", "json", code=code, **environment).stdout)

    def jsonl(self, *words: str, code: Optional[int] = 0, **environment: str) -> List[Any]:
        return [json.loads(line) for line in self.lines(*words, code=code, **environment)]

    def lines(self, *words: str, code: Optional[int] = 0, **environment: str) -> List[str]:
        return self.run(*words, "-o", "jsonl", code=code, **environment).stdout.splitlines()


class Stepwell(Commands):
    """The binary on one store."""

    def __init__(
        self, test: "EndToEndTest", store: Optional[Path] = None, **environment: str
    ) -> None:
        self.test = test
        self.folder = test.new_folder()
        self.store = store or self.folder / "store"
        self.counter = Footprints(self.folder / "footprints")
        self.environment = {"STEP_COUNTER_FILE": str(self.counter.path), **environment}

    def words(self, *words: str) -> List[str]:
        return [*super().words(*words), "--store", str(self.store)]

    # The analytics pipeline

    @staticmethod
    def pipeline(key: Optional[str] = None, data: str = "fixed", *more: str) -> List[str]:
        """The words that run the pipeline."""
        return [
            "run", str(PIPELINE / "analytics_pipeline.yaml"), "--environment", "fast", "--worker", WORKER,
            "--input", json.dumps({"data": data}), *(["--key", key] if key else []), *more,
        ]

    # Questions

    def exists(self) -> bool:
        """Whether there is a store. A process may be killed before it has made one, but leaves no half of one."""
        listing = self.run("list", code=None)
        if listing.code not in (0, 3):
            raise AssertionError(f"the store cannot be read: {listing}")
        return listing.code == 0

    def events(self, type: Optional[str] = None, step: Optional[str] = None) -> List[Event]:
        """The events of the whole log, or those of one type, of one step; none without a store."""
        return [
            event for event in (self.jsonl("events") if self.exists() else [])
            if type in (None, event["type"]) and step in (None, event["data"].get("step"))
        ]

    def steps_with(self, type: str) -> "Counter[str]":
        """How many events of that type each step has."""
        return Counter(event["data"]["step"] for event in self.events(type))

    def tasks(self) -> List[Dict[str, Any]]:
        return self.json("list")

    def only_task(self) -> str:
        """The id of the store's only task."""
        ids = [task["task_id"] for task in self.tasks()]
        if len(ids) != 1:
            raise AssertionError(f"the store has {len(ids)} tasks and not one")
        return ids[0]

    def results(self) -> Dict[str, str]:
        """The result of each step as the very bytes that the log prints."""
        found = {}
        for line in self.lines("events"):
            event = json.loads(line)
            if event["type"] == "attempt.succeeded":
                start = line.index('"result":', line.index('"data":')) + len('"result":')
                _, end = json.JSONDecoder().raw_decode(line, start)
                found[event["data"]["step"]] = line[start:end]
        return found


class Footprints:
    """What handlers leave in the step counter file: `start STEP ATTEMPT` and `end STEP ATTEMPT`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> List[str]:
        try:
            return self.path.read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []

    def starts(self) -> "Counter[str]":
        """How often each step began."""
        return self._count("start")

    def ends(self) -> "Counter[str]":
        return self._count("end")

    def running(self) -> List[str]:
        """The steps that began and did not end."""
        return list((self.starts() - self.ends()).elements())

    def _count(self, what: str) -> "Counter[str]":
        words = [line.split() for line in self.lines()]
        return Counter(step for kind, step, _ in words if kind == what)


class EndToEndTest(unittest.TestCase):
    """A test that leaves no process and no file behind."""

    maxDiff = 4000

    def setUp(self) -> None:
        path = os.environ.get("STEPWELL_BIN")
        if not path:
            self.fail("STEPWELL_BIN must name the stepwell binary to test, such as .build/release/stepwell")
        self.binary = Path(path).resolve()
        if not os.access(self.binary, os.X_OK):
            self.fail(f"STEPWELL_BIN names '{path}', which is no program")
        # Every process that a test starts inherits it, and so can be found again.
        self.mark = f"STEPWELL_TEST={uuid.uuid4().hex}"
        inherited = {name: value for name, value in os.environ.items() if not name.startswith("STEP")}
        self.environment = {
            **inherited, "STEPWELL_TEST": self.mark.partition("=")[2], "PYTHONPATH": str(SDK),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        self.addCleanup(self.end_processes)

    def new_folder(self) -> Path:
        folder = Path(tempfile.mkdtemp(prefix="stepwell-test-"))
        self.addCleanup(shutil.rmtree, folder, ignore_errors=True)
        # Cleanups go backwards: what still writes there ends first.
        self.addCleanup(self.end_processes)
        return folder

    def small_disk(self, size: str) -> Path:
        """A folder that is a disk of so many bytes, such as `4m`. Without the right to mount one the test is skipped."""
        folder = self.new_folder()
        try:
            mount = subprocess.run(
                ["mount", "-t", "tmpfs", "-o", f"size={size}", "stepwell-test", str(folder)], capture_output=True,
                text=True, check=False)
            reason = mount.stderr.strip() if mount.returncode else ""
        except OSError as error:
            reason = str(error)
        if reason:
            print(f"\nNOT TESTED: {self.id()}: no small disk to fill: {reason}", file=sys.stderr)
            self.skipTest(f"no small disk to fill: {reason}")
        self.addCleanup(subprocess.run, ["umount", "--lazy", str(folder)], check=True)
        # Before that, whoever uses it ends.
        self.addCleanup(self.end_processes)
        return folder

    def processes(self) -> List[int]:
        """What this test has started and what those have started, as far as it still runs."""
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and entry.name != str(os.getpid()):
                try:
                    if self.mark.encode() in (entry / "environ").read_bytes().split(b"\0"):
                        found.append(int(entry.name))
                except OSError:
                    pass  # It has ended, or is somebody else's.
        return found

    def end_processes(self) -> None:
        def none_left() -> bool:
            left = self.processes()
            for number in left:
                try:
                    os.kill(number, signal.SIGKILL)
                except ProcessLookupError:
                    pass
            return not left

        wait_until(none_left, "the processes of the test have ended")

    def check_history(self, stepwell: Stepwell) -> None:
        """Each step has one accepted result, and the log explains every other time that a step began."""
        events = [event for event in stepwell.events() if "step" in event["data"]]
        seen = Counter((event["type"], event["data"]["step"]) for event in events)
        for step in sorted({step for _, step in seen}):
            self.assertEqual(seen["step.completed", step], 1, f"{step} is complete once")
            self.assertEqual(seen["attempt.succeeded", step], 1, f"{step} has one accepted result")
            self.assertEqual(
                seen["attempt.started", step],
                1 + sum(seen[f"attempt.{end}", step] for end in ("lost", "failed", "timed_out", "stopped")),
                f"every attempt of {step} has an end")
        started = Counter(
            (event["data"]["step"], event["data"]["attempt"]) for event in events
            if event["type"] == "attempt.started")
        begun = Counter(
            (step, int(attempt)) for what, step, attempt in map(str.split, stepwell.counter.lines())
            if what == "start")
        self.assertEqual(begun - started, Counter(), "no handler began that the log knows nothing of")

    def write(self, name: str, text: str) -> str:
        """Writes a file into a folder of its own; returns its path."""
        path = self.new_folder() / name
        path.write_text(textwrap.dedent(text), encoding="utf-8")
        return str(path)

    def write_template(self, *steps: Dict[str, Any], name: str = "test", **more: Any) -> str:
        """Writes a template of these steps, as JSON, which is YAML too; returns its path."""
        template = {"name": name, "namespace_name": "tests", "version": "1", **more, "steps": list(steps)}
        return self.write(f"{name}.yaml", json.dumps(template))

    @contextmanager
    def inventory_service(
        self, fail_first: int = 0, down: bool = False, port: int = 0
    ) -> Iterator["InventoryService"]:
        service = InventoryService(self, fail_first, down, port)
        try:
            yield service
        finally:
            service.stop()


def command_step(name: str, *command: str, **more: Any) -> Dict[str, Any]:
    """A step for `write_template` that runs a program."""
    return {"name": name, "handler": {"command": list(command)}, **more}


def shell_step(name: str, script: str, **more: Any) -> Dict[str, Any]:
    """A step for `write_template` that runs a script of sh."""
    return command_step(name, "sh", "-c", script, **more)


class InventoryService:
    """The example's inventory service, listening. It ends with the test, or before with `stop`."""

    def __init__(self, test: EndToEndTest, fail_first: int = 0, down: bool = False, port: int = 0) -> None:
        folder = test.new_folder()
        port_file = folder / "port"
        words = [
            sys.executable, str(PIPELINE / "inventory_service.py"), "--port", str(port),
            "--port-file", str(port_file), "--fail-first", str(fail_first), *(["--down"] if down else []),
        ]
        self._process = Running(test, words, test.environment, folder)
        self.pid = self._process.pid
        wait_until(lambda: port_file.exists() or self._process.code is not None, "the service listens")
        if not port_file.exists():
            raise AssertionError(f"the service ended: {self._process}")
        self.port = int(port_file.read_text())
        self.url = f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self._process.kill()
