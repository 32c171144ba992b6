"""The kinds of faults, each with one trial of it that a seed decides. Tests run a few of each, soak.py as many as there is time."""

from __future__ import annotations

import os
import random
import tempfile
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Callable, Dict, Iterable, List, NamedTuple

import damage
from damage import Damage, DamageTrial
from faulty_disk import Fault
from load import Load
from pauses import Pause
from trial import Base, Trial


class Outcome(NamedTuple):
    """What one trial has shown."""

    # How many faults have struck; a trial may miss.
    faults: int
    violations: List[str]


class Ground:
    """What trials begin from: the stores of a life without faults. It goes with this process."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="stepwell-faults-")
        self.bases = Trial().record(Path(self._folder.name))
        self._lock = threading.Lock()

    def load(self, length: int) -> Path:
        """A store with fifty open tasks of so many steps in each of three lanes."""
        path = Path(self._folder.name) / f"load-{length}"
        with self._lock:
            if not path.exists():
                Load().prepare(path, length)
        return path

    def end(self) -> None:
        self._folder.cleanup()


def strike(base: Base, *faults: Fault) -> Outcome:
    """One trial of faults of the disk."""
    trial = Trial()
    found = trial.try_faults(base, *faults)
    where = f"stage {base.stage}, {', then '.join(map(str, faults))}, {trial.ends}"
    return Outcome(trial.hits, [f"{violation} [{where}]" for violation in found])


def of_disk(*kinds: str, times: int = 1) -> Callable[[Ground, random.Random], Outcome]:
    """Trials in which the disk does this to any call, and after it, if there are more kinds, that."""

    def trial(ground: Ground, chance: random.Random) -> Outcome:
        base = chance.choice(ground.bases)
        # What follows strikes in the next engine's recovery, which makes about a dozen calls.
        places = [chance.randint(1, base.calls), *(chance.randint(1, 12) for _ in kinds[1:])]
        return strike(base, *(Fault(kind, at, times, chance.getrandbits(32)) for kind, at in zip(kinds, places)))

    return trial


def of_bytes(harm: Damage) -> Callable[[Ground, random.Random], Outcome]:
    """Trials in which the file is not what was written."""
    return lambda ground, chance: Outcome(1, DamageTrial().try_damage(chance.choice(ground.bases[1:]), harm, chance))


def of_time(name: str) -> Callable[[Ground, random.Random], Outcome]:
    """Trials of pauses and clocks."""
    return lambda ground, chance: Outcome(1, getattr(Pause(), name)(chance))


def under_load(kills: int, length: int) -> Callable[[Ground, random.Random], Outcome]:
    """Kills at random moments while fifty tasks run."""

    def trial(ground: Ground, chance: random.Random) -> Outcome:
        return Outcome(kills, Load().try_kills(ground.load(length), kills, chance))

    return trial


def without_lock_file(ground: Ground, chance: random.Random) -> Outcome:
    return Outcome(1, Load().lose_lock_files(ground.load(30), chance))


class Kind(NamedTuple):
    name: str
    # How it is injected, and what is expected, for docs/reliability.md.
    how: str
    expected: str
    trial: Callable[[Ground, random.Random], Outcome]
    # How many trials the tests run.
    runs: int
    # The tests strike every call that the workload makes instead.
    is_swept: bool = False


WHOLE = "the next command goes on; every invariant holds"
TOLD = "every command answers as before or says that the store is damaged, none dies by a signal; `verify` tells it or it is harmless"
KINDS = [
    Kind("kill", "kill -9 from within a call, before or after it", WHOLE, of_disk("before"), 0, True),
    Kind("kill after the call", "kill -9 when the call is done and the engine does not know it", WHOLE, of_disk("after"), 60),
    Kind("kill in the recovery", "a second kill within the first calls of the next engine", WHOLE, of_disk("before", "before"), 60),
    Kind(
        "power", "at a call, the unsynced writes are lost, kept, reordered by page or torn by sector of 512 bytes", WHOLE,
        of_disk("power"), 0, True),
    Kind("power, twice", "and once more within the first calls of the next engine", WHOLE, of_disk("power", "power"), 60),
    Kind("kill, then power", "a kill, and the power fails in the next engine", WHOLE, of_disk("before", "power"), 30),
    Kind(
        "EIO", "a write or sync fails once; a sync that fails has lost its writes",
        "the engine stops with `store_io`, commits nothing more, ends with 1; " + WHOLE, of_disk("eio"), 120),
    Kind(
        "disk full", "a write in part, then ENOSPC for five calls",
        "the engine waits and goes on, or ends with 1 and says why; " + WHOLE, of_disk("full", times=6), 24),
    Kind("short write", "a write in part, though there is space", "as with EIO, or done again; " + WHOLE, of_disk("short"), 40),
    Kind(
        "kill under load", "50 tasks at once, 25 kills at random moments, and somebody who follows the log",
        WHOLE + "; who follows has seen every event", under_load(25, 30), 2),
    Kind(
        "kill under load, long", "50 tasks at once, 200 kills at random moments", "the same", under_load(200, 240), 0),
    Kind(
        "lock file deleted", "`lock.mdb` again and again, while 50 tasks run and others read",
        "readers answer with what is so, or say that the store is damaged; every invariant holds", without_lock_file, 2),
    Kind("bit flip", "one bit of the file, anywhere", TOLD, of_bytes(damage.flip_bit), 60),
    Kind("bad sectors", "sectors hold zeros, ones or noise", TOLD, of_bytes(damage.overwrite), 40),
    Kind("misdirected write", "a page in the place of another", TOLD, of_bytes(damage.misdirect), 40),
    Kind("lost end", "the file is cut anywhere", TOLD, of_bytes(damage.truncate), 40),
    Kind("zeros", "the whole file is zeros", TOLD, of_bytes(damage.zero), 2),
    Kind(
        "worker stands still", "SIGSTOP until its attempt has run out of time, then SIGCONT",
        "the late result is recorded as rejected; the next attempt's counts", of_time("stop_worker"), 4),
    Kind("engine stands still", "SIGSTOP for longer than a timeout", WHOLE, of_time("stop_engine"), 6),
    Kind(
        "clock set", "by a second to ten years, forward or back, while it runs and between runs",
        "time in the log never goes back; nothing fires twice; retries and timeouts come due in seconds", of_time("set_clock"), 8),
]


class Tally(NamedTuple):
    """What trials of one kind have shown; only those count in which a fault has struck."""

    trials: int
    faults: int
    violations: List[str]


def run_all(trials: Iterable[Callable[[], Outcome]]) -> Tally:
    """Runs trials side by side, one a core."""
    with ThreadPoolExecutor(os.cpu_count() or 2) as pool:
        outcomes = list(pool.map(lambda trial: trial(), trials))
    return Tally(
        sum(outcome.faults > 0 for outcome in outcomes), sum(outcome.faults for outcome in outcomes),
        [violation for outcome in outcomes for violation in outcome.violations])


def seeded(kind: Kind, ground: Ground, seed: int, count: int, first: int = 0) -> Tally:
    """So many trials of a kind; each has a seed of its own, which the violation names."""

    def trial(number: int) -> Outcome:
        name = f"{seed}/{kind.name}/{number}"
        try:
            outcome = kind.trial(ground, random.Random(name))
        except AssertionError as error:
            outcome = Outcome(0, [str(error)])
        return outcome._replace(violations=[f"{violation} (seed {name})" for violation in outcome.violations])

    return run_all([lambda number=number: trial(number) for number in range(first, first + count)])  # type: ignore[misc]
