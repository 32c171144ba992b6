"""Writes the table of docs/reliability.md from the kinds of faults and the figures of a soak.

usage: figures.py SOAK.json…
"""

from __future__ import annotations

import json
import sys
from functools import reduce
from pathlib import Path
from typing import Any, Dict, List

from kinds import KINDS, Kind

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- figures: written by Tests/Faults/figures.py -->", "<!-- end of figures -->"


def in_test(kind: Kind) -> str:
    return f"{kind.runs}" if kind.runs else ("every call" if kind.is_swept else "–")


def table(figures: Dict[str, Any]) -> List[str]:
    """One row for each kind."""
    lines = [
        "| fault | how | what is expected | runs in `tools/test` | runs in the soak | faults in them | violations |",
        "|---|---|---|---:|---:|---:|---:|",
    ]
    faults = figures["faults"]
    for kind in KINDS:
        trials, struck = faults["trials"].get(kind.name, 0), faults["figures"].get(kind.name, 0)
        # A violation names its seed, and that its kind.
        violations = sum(f"/{kind.name}/" in violation for violation in faults["violations"])
        lines.append(
            f"| {kind.name} | {kind.how} | {kind.expected} | {in_test(kind)} | {trials:,} | {struck:,} | {violations} |")
    return [*lines, "", sentence("On the real program", sum(faults["figures"].values()), "faults", faults)]


def simulated(figures: Dict[str, Any]) -> List[str]:
    """What the simulated lives have gone through."""
    simulation = figures["simulation"]
    counts = dict(simulation["figures"])
    lives = counts.pop("scenarios")
    lines = [sentence("In the simulation", lives, "lives", simulation), "", "| in them | number |", "|---|---:|"]
    return [*lines, *(f"| {name.replace('_', ' ')} | {count:,} |" for name, count in counts.items())]


def sentence(where: str, count: int, what: str, part: Dict[str, Any]) -> str:
    minutes, violations = round(part["seconds"] / 60), len(part["violations"])
    return f"{where}: {count:,} {what} in {minutes:,} minutes on two cores, and **{violations} violations**."


def added(one: Any, other: Any) -> Any:
    """The figures of two soaks, added up."""
    if isinstance(one, dict):
        return {name: added(one[name], other[name]) if name in one and name in other else one.get(name, other.get(name))
                for name in [*one, *(name for name in other if name not in one)]}
    return one + other


def main() -> None:
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    figures = reduce(added, (json.loads(Path(path).read_text(encoding="utf-8")) for path in sys.argv[1:]))
    missing = {"faults", "simulation"} - figures.keys()
    if missing:
        sys.exit(f"error: there are no figures of {' and '.join(sorted(missing))}")
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text("\n".join([before + BEGIN, "", *table(figures), "", *simulated(figures), "", END]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
