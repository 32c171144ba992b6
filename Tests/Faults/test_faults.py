"""The real engine under every kind of fault: each call to the disk struck, and a few trials of everything else.

STEPWELL_SEED=N repeats an earlier run; the seed is printed with what fails.
"""

from __future__ import annotations

import os
import random
import unittest
from typing import List

import figures
import kinds
from faulty_disk import Fault
from kinds import KINDS, Ground, Tally


class Faults(unittest.TestCase):
    ground: Ground

    @classmethod
    def setUpClass(cls) -> None:
        cls.seed = int(os.environ.get("STEPWELL_SEED") or random.SystemRandom().randrange(1 << 32))
        cls.ground = Ground()
        cls.addClassCleanup(cls.ground.end)

    def check(self, tally: Tally, least: int) -> None:
        self.assertEqual(tally.violations[:3], [], f"{len(tally.violations)} violations in {tally.trials} trials")
        self.assertGreaterEqual(tally.trials, least, "the faults have missed what they are for")

    def sweep(self, kind: str) -> Tally:
        """Strikes every call that each stage makes, and one that it does not make."""
        trials = [
            lambda base=base, at=at: kinds.strike(base, Fault(kind, at, seed=self.seed + at))
            for base in self.ground.bases for at in range(1, base.calls + 1)
        ]
        return kinds.run_all(trials)  # type: ignore[arg-type]

    def test_a_kill_before_every_write_and_every_sync(self) -> None:
        self.check(self.sweep("before"), self.calls() * 8 // 10)

    def test_a_loss_of_power_at_every_write_and_every_sync(self) -> None:
        self.check(self.sweep("power"), self.calls() * 8 // 10)

    def calls(self) -> int:
        # Commits gather more or less, so that a few calls at a stage's end are not made each time.
        return sum(base.calls for base in self.ground.bases)

    def test_every_other_kind(self) -> None:
        for kind in KINDS:
            if kind.runs:
                with self.subTest(kind=kind.name):
                    self.check(kinds.seeded(kind, self.ground, self.seed, kind.runs), kind.runs // 2)

    def test_the_page_describes_every_kind(self) -> None:
        page = figures.PAGE.read_text(encoding="utf-8")
        for kind in KINDS:
            self.assertIn(f"| {kind.name} | {kind.how} | {kind.expected} | {figures.in_test(kind)} |", page)

    def test_a_fault_that_is_not_noticed_would_be_seen(self) -> None:
        """The check itself: a store whose last commit is taken back afterwards must be found."""
        base = self.ground.bases[-1]
        seen = dict(base.seen)
        seen[max(seen) + 1000] = {"type": "task.submitted"}
        found: List[str] = kinds.Trial().try_faults(base._replace(seen=seen))
        self.assertEqual(len(found), 1)
        self.assertIn("was seen as task.submitted, and is missing", found[0])


if __name__ == "__main__":
    unittest.main()
