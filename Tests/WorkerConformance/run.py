#!/usr/bin/env python3
"""Holds worker SDKs to the protocol: plays every transcript against the SDK's conformance worker."""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import unittest
from pathlib import Path
from typing import Any, Dict, List, Optional

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(HERE))

from carrier import Broken  # noqa: E402 - found by the path above
from transcript import CARRIERS, FOLDER, Transcript  # noqa: E402

TABLE = HERE / "sdks.json"


class Case(unittest.TestCase):
    """One transcript, played over one carrier by one SDK's worker."""

    def __init__(self, sdk: str, entry: Dict[str, Any], carrier: str, transcript: Transcript) -> None:
        super().__init__("play")
        self.sdk, self.entry, self.carrier, self.transcript = sdk, entry, carrier, transcript

    def __str__(self) -> str:
        return f"{self.sdk} {self.carrier} {self.transcript.name}"

    def shortDescription(self) -> str:
        return self.transcript.about

    def play(self) -> None:
        lack = self.entry.get("lacks", {}).get(self.transcript.needs)
        try:
            self.transcript.run(self.carrier, self.entry["command"], self.entry.get("env", {}), ROOT)
        except Broken as broken:
            fault = str(broken)
        else:
            fault = ""
        if fault and lack is None:
            raise AssertionError(fault)
        if lack is not None and not fault:
            raise AssertionError(f"sdks.json says that the SDK lacks {self.transcript.needs}, but it does not")


def suite(sdks: List[str], carriers: List[str], words: List[str]) -> unittest.TestSuite:
    """All cases; raises `SystemExit` with words when the table or a worker is not as it must be."""
    table = json.loads(TABLE.read_text(encoding="utf-8"))
    transcripts = [Transcript(file) for file in sorted(FOLDER.glob("*.json"))]
    chosen = [t for t in transcripts if not words or any(word in t.name for word in words)]
    if not chosen:
        sys.exit(f"error: no transcript has {' or '.join(words)} in its name")
    cases = unittest.TestSuite()
    for sdk in sdks or list(table):
        if sdk not in table:
            sys.exit(f"error: no SDK {sdk} in {TABLE.name}; there are: {', '.join(table)}")
        _check(sdk, table[sdk], {transcript.needs for transcript in transcripts})
        for carrier in carriers or table[sdk]["carriers"]:
            cases.addTests(Case(sdk, table[sdk], carrier, t) for t in chosen if t.is_for(carrier))
    return cases


def _check(sdk: str, entry: Dict[str, Any], needs: "set[str]") -> None:
    for path in entry["files"]:
        if not (ROOT / path).is_file():
            sys.exit(f"error: the SDK {sdk} is not there: no file {path}; {entry['build']}")
    program = entry["command"][0]
    if shutil.which(program, path=None) is None and not (ROOT / program).is_file():
        sys.exit(f"error: no program {program} for the SDK {sdk}; {entry['build']}")
    for lack in entry.get("lacks", {}):
        if lack not in needs:
            sys.exit(f"error: {sdk} lacks {lack}, which no transcript needs")


def main(arguments: Optional[List[str]] = None) -> int:
    """Play what was asked for; 0 when every worker kept to every transcript."""
    parser = argparse.ArgumentParser(
        description=__doc__, epilog="example: python3 Tests/WorkerConformance/run.py --sdk python --carrier http"
    )
    parser.add_argument("words", nargs="*", metavar="WORD", help="only transcripts with a WORD in their names")
    parser.add_argument("--sdk", action="append", default=[], help="may be repeated; default: all of sdks.json")
    parser.add_argument("--carrier", action="append", default=[], choices=CARRIERS, help="may be repeated; default: all of the SDK's")
    parser.add_argument("-v", "--verbose", action="store_true", help="a line for every transcript")
    options = parser.parse_args(arguments)
    cases = suite(options.sdk, options.carrier, options.words)
    if not cases.countTestCases():
        sys.exit("error: none of these transcripts is for this carrier")
    outcome = unittest.TextTestRunner(verbosity=2 if options.verbose else 1).run(cases)
    return 0 if outcome.wasSuccessful() else 1


if __name__ == "__main__":
    sys.exit(main())
