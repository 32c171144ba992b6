"""Faults of the real program for as long as there is time: all kinds in turn, each trial with a seed of its own.

usage: soak.py [--minutes N] [--json FILE] [--only WORD]

Goes on where the last call with the same file and the same binary was. Ends with 1 if anything was found.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import time
from pathlib import Path
from typing import Any, Dict, List

import kinds
from kinds import KINDS, Ground, Kind

# Seconds that a kind has before it is the next one's turn.
TURN = 20


class Figures:
    """What was done and found, in a file that is replaced as a whole."""

    def __init__(self, path: Path) -> None:
        self.path = path
        binary = hashlib.sha256(Path(os.environ["STEPWELL_BIN"]).read_bytes()).hexdigest()
        self.state: Dict[str, Any] = {"binary": binary, "seconds": 0.0, "kinds": {}, "violations": []}
        if path.exists():
            kept = json.loads(path.read_text(encoding="utf-8"))
            if kept["binary"] == binary:
                self.state = kept

    def of(self, kind: Kind) -> Dict[str, int]:
        """`next` is the number of the next trial; only those count in which a fault has struck."""
        fresh = {"next": 0, "trials": 0, "faults": 0, "violations": 0}
        return self.state["kinds"].setdefault(kind.name, fresh)  # type: ignore[no-any-return]

    def save(self) -> None:
        fresh = self.path.with_suffix(".new")
        fresh.write_text(json.dumps(self.state, indent=1) + "\n", encoding="utf-8")
        fresh.replace(self.path)


def turn(kind: Kind, ground: Ground, figures: Figures) -> None:
    """Trials of one kind, a few at a time so that an interruption costs little."""
    end = time.monotonic() + TURN
    mine = figures.of(kind)
    while True:
        begin = time.monotonic()
        count = os.cpu_count() or 2
        tally = kinds.seeded(kind, ground, 0, count, mine["next"])
        mine["next"] += count
        mine["trials"] += tally.trials
        mine["faults"] += tally.faults
        mine["violations"] += len(tally.violations)
        figures.state["violations"] += tally.violations
        figures.state["seconds"] = round(figures.state["seconds"] + time.monotonic() - begin, 1)
        figures.save()
        for violation in tally.violations:
            print(violation, file=sys.stderr)
        if time.monotonic() > end:
            return


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=30, help="how long (30)")
    parser.add_argument("--json", type=Path, default=Path("faults.json"), help="for figures and progress")
    parser.add_argument("--only", default="", help="kinds whose name has this word")
    arguments = parser.parse_args()
    chosen: List[Kind] = [kind for kind in KINDS if arguments.only in kind.name]
    figures = Figures(arguments.json)
    end = time.monotonic() + arguments.minutes * 60
    ground = Ground()
    try:
        while time.monotonic() < end:
            for kind in sorted(chosen, key=lambda kind: figures.of(kind)["trials"]):
                if time.monotonic() < end:
                    turn(kind, ground, figures)
    finally:
        ground.end()
    return 1 if figures.state["violations"] else 0


if __name__ == "__main__":
    sys.exit(main())
