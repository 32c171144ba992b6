"""The kinds of faults, each with one trial of it that a seed decides. Tests run a few of each, soak.py as many as there is time."""

from __future__ import annotations

import os
import random
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, Iterable, List, NamedTuple, Optional, Tuple

from faulty_disk import Fault
from trial import Base, Trial

# None: the fault has not struck. Else the violations.
Outcome = Optional[List[str]]


class Ground:
    """What trials begin from: the stores of a life without faults. It goes with this process."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="stepwell-faults-")
        self.bases = Trial().record(Path(self._folder.name))

    def end(self) -> None:
        self._folder.cleanup()


def strike(base: Base, *faults: Fault) -> Outcome:
    """One trial of faults of the disk."""
    trial = Trial()
    found = trial.try_faults(base, *faults)
    where = f"stage {base.stage}, {', then '.join(map(str, faults))}, {trial.ends}"
    return [f"{violation} [{where}]" for violation in found] if trial.hits or found else None


def of_disk(*kinds: str, times: int = 1) -> Callable[[Ground, random.Random], Outcome]:
    """Trials in which the disk does this to any call, and after it, if there are more kinds, that."""

    def trial(ground: Ground, chance: random.Random) -> Outcome:
        base = chance.choice(ground.bases)
        # What follows strikes in the next engine's recovery, which makes about a dozen calls.
        places = [chance.randint(1, base.calls), *(chance.randint(1, 12) for _ in kinds[1:])]
        return strike(base, *(Fault(kind, at, times, chance.getrandbits(32)) for kind, at in zip(kinds, places)))

    return trial


class Kind(NamedTuple):
    name: str
    # How it is injected, and what is expected, for docs/reliability.md.
    how: str
    expected: str
    trial: Callable[[Ground, random.Random], Outcome]
    # How many trials the tests run.
    runs: int


WHOLE = "the next command goes on; every invariant holds"
KINDS = [
    Kind("kill", "kill -9 from within a call, before or after it", WHOLE, of_disk("before"), 0),
    Kind("kill after the call", "kill -9 when the call is done and the engine does not know it", WHOLE, of_disk("after"), 60),
    Kind("kill in the recovery", "a second kill within the first calls of the next engine", WHOLE, of_disk("before", "before"), 60),
    Kind(
        "power", "at a call, the unsynced writes are lost, kept, reordered by page or torn by sector of 512 bytes", WHOLE,
        of_disk("power"), 0),
    Kind("power, twice", "and once more within the first calls of the next engine", WHOLE, of_disk("power", "power"), 60),
    Kind("kill, then power", "a kill, and the power fails in the next engine", WHOLE, of_disk("before", "power"), 30),
    Kind(
        "EIO", "a write or sync fails once; a sync that fails has lost its writes",
        "the engine stops with `store_io`, commits nothing more, ends with 1; " + WHOLE, of_disk("eio"), 120),
    Kind(
        "disk full", "a write in part, then ENOSPC for five calls",
        "the engine waits and goes on, or ends with 1 and says why; " + WHOLE, of_disk("full", times=6), 24),
    Kind("short write", "a write in part, though there is space", "as with EIO, or done again; " + WHOLE, of_disk("short"), 40),
]


class Tally(NamedTuple):
    """What trials of one kind have shown."""

    runs: int
    violations: List[str]


def run_all(trials: Iterable[Callable[[], Outcome]]) -> Tally:
    """Runs trials side by side, one a core. A fault that has not struck does not count."""
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        struck = [outcome for outcome in pool.map(lambda trial: trial(), trials) if outcome is not None]
    return Tally(len(struck), [violation for outcome in struck for violation in outcome])


def seeded(kind: Kind, ground: Ground, seed: int, count: int, first: int = 0) -> Tally:
    """So many trials of a kind; each has a seed of its own, which the violation names."""

    def trial(number: int) -> Outcome:
        name = f"{seed}/{kind.name}/{number}"
        outcome = kind.trial(ground, random.Random(name))
        return outcome and [f"{violation} (seed {name})" for violation in outcome]

    return run_all([lambda number=number: trial(number) for number in range(first, first + count)])  # type: ignore[misc]
