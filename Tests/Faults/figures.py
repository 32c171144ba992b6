"""Writes the table of docs/reliability.md from the kinds of faults and the figures of a soak run.

usage: figures.py FIGURES.json
"""

from __future__ import annotations

import json
import sys
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
        "| fault | how | what is expected | runs in `tools/test` | runs in the soak | violations |",
        "|---|---|---|---:|---:|---:|",
    ]
    for kind in KINDS:
        soak = figures["kinds"].get(kind.name, {"runs": 0, "violations": 0})
        lines.append(
            f"| {kind.name} | {kind.how} | {kind.expected} | {in_test(kind)} | {soak['runs']:,} | {soak['violations']} |")
    runs = sum(kind["runs"] for kind in figures["kinds"].values())
    minutes = round(figures["seconds"] / 60)
    return [*lines, "", f"The soak: {runs:,} faults in {minutes:,} minutes of trials on two cores."]


def main() -> None:
    figures = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    text = PAGE.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    after = rest.split(END)[1]
    PAGE.write_text("\n".join([before + BEGIN, "", *table(figures), "", END]) + after, encoding="utf-8")


if __name__ == "__main__":
    main()
