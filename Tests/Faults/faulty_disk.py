"""A disk that fails on purpose: compiles disk.c, and says to it what to do to which call."""

from __future__ import annotations

import functools
import struct
import subprocess
import tempfile
from pathlib import Path
from typing import Dict, NamedTuple

HERE = Path(__file__).resolve().parent


class Fault(NamedTuple):
    """What is done to the call `at`, counted from 1; disk.c knows the kinds."""

    kind: str = "none"
    at: int = 0
    times: int = 1
    seed: int = 0
    on: str = "any"

    def __str__(self) -> str:
        return f"{self.kind} at call {self.at}" + (f" to {self.at + self.times - 1}" if self.times > 1 else "") + (
            f", seed {self.seed}" if self.kind == "power" else "")


class Counts(NamedTuple):
    """The `struct state` of disk.c."""

    calls: int
    hits: int
    length_hits: int
    commits_after: int
    is_named: int
    durable_length: int


class FaultyDisk:
    """The disk below one store's data.mdb. Its counts go on over all processes that it lies below."""

    def __init__(self, folder: Path, data: Path) -> None:
        self._data = data
        self._state = folder / "disk.state"
        is_there = data.exists()
        counts = Counts(0, 0, 0, 0, int(is_there), data.stat().st_size if is_there else 0)
        self._state.write_bytes(struct.pack("6Q", *counts))

    def variables(self, fault: Fault) -> Dict[str, str]:
        """The environment of a process that has its store on this disk."""
        return {
            "LD_PRELOAD": str(library()), "FAULT_FILE": str(self._data), "FAULT_STATE": str(self._state),
            "FAULT_KIND": fault.kind, "FAULT_AT": str(fault.at), "FAULT_TIMES": str(fault.times),
            "FAULT_SEED": str(fault.seed), "FAULT_ON": fault.on,
        }

    @property
    def counts(self) -> Counts:
        return Counts(*struct.unpack("6Q", self._state.read_bytes()))


@functools.lru_cache(maxsize=None)
def _folder() -> "tempfile.TemporaryDirectory[str]":
    return tempfile.TemporaryDirectory(prefix="stepwell-faulty-disk-")


@functools.lru_cache(maxsize=None)
def library(source: str = "disk.c") -> Path:
    """A library of this folder, compiled. It goes with this process."""
    path = Path(_folder().name) / f"{source}.so"
    subprocess.run(
        ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o", str(path), str(HERE / source), "-ldl",
         "-lpthread"],
        check=True)
    return path
