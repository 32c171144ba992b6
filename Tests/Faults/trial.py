"""One life of a store under faults: the workload, driven to its end, and then every invariant."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from signal import SIGKILL
from typing import Any, Dict, List, NamedTuple, Optional, Sequence

import invariants
from faulty_disk import Counts, Fault, FaultyDisk
from invariants import Event
from scene import Scene
from support import Running
from workload import RESULTS, STAGES, Stage, write_templates

# A fault strikes once, and recovery needs one command more.
LIVES_MAX = 6
SHOWN = re.compile(r"^#(\d+)  \S+  (\S+)  ([a-z_]+\.[a-z_]+)(?: |$)", re.MULTILINE)


class Base(NamedTuple):
    """A store as it was before one stage of a workload that nothing disturbed: where trials of that stage begin."""

    stage: int
    folder: Path
    # What had been seen by then.
    seen: Dict[int, Event]
    # How many calls to the disk the stage made.
    calls: int


class Trial(Scene):
    """`try_faults` gives what is wrong."""

    def try_faults(self, base: Base, *faults: Fault) -> List[str]:
        """Runs one stage. The first fault strikes; after it the next one, whose call is counted from there."""
        try:
            self._begin(base.folder, faults)
            self.seen = dict(base.seen)
            self._settle(STAGES[base.stage])
            self.hits = self.disk.counts.hits
            return self.violations or self._check()
        finally:
            self.doCleanups()

    def record(self, folder: Path) -> List[Base]:
        """Runs the whole workload on a sound disk, and keeps what it finds before each stage."""
        try:
            self._begin(None, ())
            bases = []
            for number, stage in enumerate(STAGES):
                kept, before = folder / str(number), self.disk.counts.calls
                shutil.copytree(self.stepwell.folder, kept, ignore=shutil.ignore_patterns("*.out", "*.err", "disk.state"))
                seen = dict(self.seen)
                self._settle(stage)
                bases.append(Base(number, kept, seen, self.disk.counts.calls - before))
            found = self.violations or self._check()
            if found:
                raise AssertionError(f"the workload fails on a sound disk: {found}")
            return bases
        finally:
            self.doCleanups()

    def _begin(self, folder: Optional[Path], faults: Sequence[Fault]) -> None:
        self.begin(folder)
        self.disk = FaultyDisk(self.stepwell.folder, self.stepwell.store / "data.mdb")
        write_templates(self.stepwell.folder)
        self.faults = list(faults)
        self.violations: List[str] = []
        # How each command ended, for whoever looks for a violation's cause.
        self.ends: List[str] = []

    # Driving

    def _settle(self, stage: Stage) -> None:
        if stage.makes_ready:
            (self.stepwell.folder / "ready").touch()
        for _ in range(LIVES_MAX):
            task = self._look().get(stage.key, {})
            words = stage.next_words(task.get("state"), task.get("task_id", ""))
            if words is None:
                return
            self._command(words)
            if self.violations:
                return
        self.violations.append(f"the task '{stage.key}' does not become {stage.wanted}: {self._look().get(stage.key)}")

    def _look(self) -> Dict[str, Any]:
        """The tasks of the store by their keys, read on a sound disk."""
        listing = self.stepwell.run("list", "-o", "json", code=None)
        if listing.code == 3:
            return {}
        if listing.code != 0:
            self.violations.append(f"the store cannot be read: {listing}")
            return {}
        return {task["key"]: task for task in json.loads(listing.stdout)}

    def _command(self, words: List[str]) -> None:
        fault = self.faults[0] if self.faults else Fault()
        hits = self.disk.counts.hits
        command = self.stepwell.run(*words, code=None, **self.disk.variables(fault))
        self._take_lines(command)
        was_hit = self.disk.counts.hits > hits
        self.ends.append(f"{' '.join(words[:2])}: {command.code}" + (f", {fault}" if was_hit else ""))
        if was_hit:
            self._after_hit(fault, command)
        elif command.code not in (0, 1, 5) or "error:" in command.stderr:
            self.violations.append(f"a command that nothing disturbed has failed: {command}")

    def _after_hit(self, fault: Fault, command: Running) -> None:
        self.faults.pop(0)
        if self.faults:
            # On from here.
            following = self.faults[0]
            self.faults[0] = following._replace(at=self.disk.counts.calls + following.at)
        problem = how_ended(fault, command, self.disk.counts)
        if problem:
            self.violations.append(f"{problem}: {command}")
        if fault.kind in ("before", "after"):
            self._take_snapshot()

    # What anybody sees

    def _take_lines(self, command: Running) -> None:
        """The lines that a command has written are a promise: they come after the commit."""
        for number, _, type in SHOWN.findall(command.stderr):
            self.seen.setdefault(int(number), {"type": type})

    def _take_snapshot(self) -> None:
        """What a reader sees right after a kill."""
        for event in self.stepwell.events():
            self.seen[event["seq"]] = event

    # The end

    def _check(self) -> List[str]:
        events = self.stepwell.events()
        found = self.broken(events)
        keys = {event["task_id"]: event["data"]["key"] for event in events if event["type"] == "task.submitted"}
        results: Dict[str, Dict[str, Any]] = {key: {} for key in keys.values()}
        for event in events:
            if event["type"] == "attempt.succeeded":
                results[keys[event["task_id"]]][event["data"]["step"]] = event["data"]["result"]
        if len(keys) != len(results):
            found.append("a key has two tasks")
        states = invariants.states(events)
        for task, key in keys.items():
            of_task = RESULTS[key] if states[task] == "complete" else {name: RESULTS[key].get(name) for name in results[key]}
            if results[key] != of_task:
                found.append(f"the results of '{key}' are not those of a life without faults: {str(results[key])[:500]}")
        return found


def how_ended(fault: Fault, command: Running, counts: Counts) -> Optional[str]:
    """What is wrong with the end of the command that a fault has struck."""
    if fault.kind in ("before", "after", "power"):
        return None if command.code == -SIGKILL else "it was not killed"
    has_failed = command.code == 1 and re.search(r"\[(store_io|disk_full)\]", command.stderr) is not None
    if fault.kind == "eio" and counts.hits > counts.length_hits:
        if not has_failed:
            return "an input/output error was not told"
        return "it went on after an input/output error" if counts.commits_after else None
    has_gone_on = command.code in (0, 1, 5) and "error:" not in command.stderr
    return None if has_failed or has_gone_on else "it neither went on nor told of the disk"
