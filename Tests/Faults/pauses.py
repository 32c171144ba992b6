"""Time that does not pass as it should: processes that stand still, and clocks that are set."""

from __future__ import annotations

import os
import random
from pathlib import Path
from signal import SIGCONT, SIGSTOP
from typing import Dict, List, Optional

import invariants
from faulty_disk import library
from scene import Scene
from support import Running, wait_until
from workload import FIRST_FAILS, FIRST_HANGS, WORKER, step

TIMEOUT = 0.3
HELD = {"name": "held", "handler": {"callable": "faults.held"}, "timeout_seconds": TIMEOUT,
        "retry": {"max_attempts": 3, "backoff": "none"}}
RETRY = {"max_attempts": 3, "backoff": "linear", "initial_delay": TIMEOUT}
YEAR = 365 * 24 * 3600


class Pause(Scene):
    """Each method is one trial, and gives what is wrong."""

    def _run(self, *steps: Dict[str, object], worker: bool = False, **environment: str) -> Running:
        self.template = self.write_template(*steps)  # type: ignore[arg-type]
        self.words = ["run", self.template, "--key", "k", *(["--worker", WORKER] if worker else [])]
        return self.stepwell.start(*self.words, **environment)

    def _wait_for(self, what: str, type: str, run: Running) -> None:
        wait_until(lambda: self.stepwell.events(type) or run.code is not None, what)

    def _end(self, run: Running, wanted: Optional[List[str]] = None) -> List[str]:
        if run.wait() != 0:
            return [f"ended with {run.code}: {run}"]
        found = []
        events = self.stepwell.events()
        types = [event["type"] for event in events]
        found += [f"there is no {type} in the log: {types}" for type in wanted or [] if type not in types]
        return found + self.broken(events) + self.incomplete(events)

    def stop_worker(self, chance: random.Random) -> List[str]:
        """A worker stands still until its attempt is given up, and then says what came of it."""
        try:
            self.begin()
            run = self._run(HELD, step("after", "echo 2", "held"), worker=True)
            wait_until(lambda: invariants.read_effects(self.effects) or run.code is not None, "the handler begins")
            [worker] = [number for number in self.processes() if self._is_worker(number)]
            os.kill(worker, SIGSTOP)
            self._wait_for("the attempt is given up", "attempt.timed_out", run)
            (self.stepwell.folder / "go").touch()
            run.runs_for(chance.uniform(0, 0.2))
            os.kill(worker, SIGCONT)
            return self._end(run, ["attempt.timed_out", "result.rejected"])
        finally:
            self.doCleanups()

    @staticmethod
    def _is_worker(number: int) -> bool:
        return b"worker.py" in Path(f"/proc/{number}/cmdline").read_bytes().split(b"\0")[-2].rsplit(b"/")[-1]

    def stop_engine(self, chance: random.Random) -> List[str]:
        """The engine stands still for longer than a timeout; what came in meanwhile is judged in one order."""
        try:
            self.begin()
            work = "sleep 0.1" if chance.random() < 0.5 else f"[ $STEPWELL_ATTEMPT -gt 1 ] || sleep {TIMEOUT * 2}"
            run = self._run(step("first", f"{work}; echo 1", timeout_seconds=TIMEOUT), step("after", "echo 2", "first"))
            wait_until(lambda: invariants.read_effects(self.effects) or run.code is not None, "the step begins")
            run.signal(SIGSTOP)
            run.runs_for(TIMEOUT + chance.uniform(0.1, 0.5))
            run.signal(SIGCONT)
            return self._end(run)
        finally:
            self.doCleanups()

    def set_clock(self, chance: random.Random) -> List[str]:
        """The clock jumps while an engine runs, and again before the next one. Both wait for a retry and a timeout after it."""
        try:
            self.begin()
            clock = self.stepwell.folder / "clock"
            _set(clock, 0)
            environment = {"LD_PRELOAD": str(library("clock.c")), "CLOCK_FILE": str(clock)}
            gate = "until test -e go; do sleep 0.01; done; echo 1"
            run = self._run(
                step("first", gate), step("retried", FIRST_FAILS, "first", retry=RETRY),
                step("slow", FIRST_HANGS, "first", attempts=8, timeout_seconds=TIMEOUT),
                step("after", "echo 4", "retried", "slow"), **environment)
            self._wait_for("the step begins", "attempt.started", run)
            jumps = [chance.choice([-YEAR, -3600, -1, 1, 3600, YEAR, 10 * YEAR]) for _ in range(2)]
            _set(clock, jumps[0])
            (self.stepwell.folder / "go").touch()
            # Held up by the clock, it would not end while anybody waits.
            waits = ["retry.due", "attempt.timed_out"]
            found = self._end(run, [*waits, "clock.clamped"] if jumps[0] <= -3600 else waits)
            _set(clock, jumps[1])
            again = self.stepwell.run("run", self.template, "--key", "another", code=None, **environment)
            found += self._end(again)
            return [f"{violation} [the clock was set by {jumps} s]" for violation in found]
        finally:
            self.doCleanups()


def _set(clock: Path, seconds: int) -> None:
    """In place: whoever uses the clock has the file open."""
    with open(clock, "r+" if clock.exists() else "w", encoding="ascii") as file:
        file.write(f"{seconds:+12d}")
