"""Fifty tasks at once, an engine that is killed at any moment, and somebody who looks on."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import List

from invariants import Event
from scene import Scene
from support import Running, wait_until
from workload import FIRST_FAILS, step

TASKS = 50
LANES = 3
# Seconds; no engine lives longer, and most lives are short, so that recovery is struck too.
LIFE_MAX = 0.4
READERS = [["events", "-o", "jsonl"], ["list", "-o", "json", "--limit", "100"], ["verify"], ["stats"]]


def steps(length: int) -> List[dict]:  # type: ignore[type-arg]
    """Three chains side by side, and one step that waits for all."""
    result = [
        step(f"{lane}-{place}", FIRST_FAILS if place == 1 else "echo 1", *([f"{lane}-{place - 1}"] if place else []))
        for lane in range(LANES) for place in range(length)
    ]
    return [*result, step("join", "echo 9", *(f"{lane}-{length - 1}" for lane in range(LANES)))]


class Load(Scene):
    """`prepare` makes the store, `try_kills` gives what is wrong."""

    def prepare(self, into: Path, length: int) -> None:
        """Fifty open tasks, each left by an engine that was killed when it had taken it."""
        try:
            self.begin()
            template = self.write_template(*steps(length))
            for number in range(TASKS):
                run = self.stepwell.start("run", template, "--key", str(number))
                wait_until(lambda: "task.submitted" in run.stderr or run.code is not None, "the task is taken")
                if run.code is not None:
                    raise AssertionError(f"ended by itself: {run}")
                run.kill()
            self.assertEqual(len(self.stepwell.events("task.submitted")), TASKS)
            self.end_processes()
            for file in self.stepwell.folder.glob("*.*"):
                file.unlink()
            self.stepwell.folder.rename(into)
        finally:
            self.doCleanups()

    def try_kills(self, base: Path, kills: int, chance: random.Random) -> List[str]:
        """Drives all tasks at once, kills the engine so many times, and lets it end."""
        try:
            self.begin(base)
            watcher = self.stepwell.start("events", "--follow", "-o", "jsonl")
            for killed in range(kills):
                engine = self.stepwell.start("resume", "-o", "json")
                if not engine.runs_for(LIFE_MAX * chance.random() ** 2):
                    return [f"after {killed} of {kills} kills an engine ended by itself: {engine}"]
                engine.kill()
            last = self.stepwell.run("resume", "-o", "json", code=None, timeout=300)
            found = [] if last.code == 0 else [f"the last engine ended with {last.code}: {last}"]
            events = self.stepwell.events()
            found += self._watched(watcher, events)
            return found + self.broken(events) + self.incomplete(events)
        finally:
            self.doCleanups()

    def lose_lock_files(self, base: Path, chance: random.Random) -> List[str]:
        """LMDB's lock file is deleted again and again while an engine writes and others read."""
        try:
            self.begin(base)
            engine = self.stepwell.start("resume", "-o", "json")
            found: List[str] = []
            while engine.runs_for(LIFE_MAX * chance.random() ** 2):
                (self.stepwell.store / "lock.mdb").unlink(missing_ok=True)
                reader = self.stepwell.run(*chance.choice(READERS), code=None)
                # It may say that the store is damaged, but is not to make anything up.
                if reader.code not in (0, 9) and "[pages_changed]" not in reader.stderr:
                    found.append(f"a reader without a lock file ended with {reader.code}: {reader}")
                elif reader.code == 0 and reader.words[1] == "events":
                    self.seen.update((event["seq"], event) for event in map(json.loads, reader.stdout.splitlines()))
            if engine.code != 0:
                found.append(f"the engine ended with {engine.code}: {engine}")
            events = self.stepwell.events()
            return found + self.broken(events) + self.incomplete(events)
        finally:
            self.doCleanups()

    def _watched(self, watcher: Running, events: List[Event]) -> List[str]:
        """What the watcher has shown, all of it and in order."""
        wait_until(
            lambda: watcher.code is not None or watcher.stdout.count("\n") >= len(events), "the watcher has caught up")
        if watcher.code is not None:
            return [f"who looks on ended with {watcher.code}: {watcher.stderr[-500:]}"]
        shown = [json.loads(line) for line in watcher.stdout.splitlines()]
        return [] if shown == events else ["who looked on has seen other events than the log has"]
