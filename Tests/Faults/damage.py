"""Bytes of a store that are not what was written: each damage must be told, or be without any effect."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any, Callable, Dict, List, Optional

from scene import Scene
from support import Running
from trial import Base
from workload import STAGES

# How a command may end: done, failed and said why, nothing there, the log is damaged. Never by a signal.
ENDS = (0, 1, 3, 4, 9)
Damage = Callable[[Path, random.Random], str]


class DamageTrial(Scene):
    """`try_damage` gives what is wrong."""

    def try_damage(self, base: Base, damage: Damage, chance: random.Random) -> List[str]:
        """Damages a store; then everything that reads it answers as before or says that it cannot, and so does an engine."""
        try:
            self.begin(base.folder)
            self.found: List[str] = []
            sound = self._answers()
            if any(answer is None for answer in sound.values()):
                return ["the store was damaged before"]
            tasks = {task["key"]: task for task in self.stepwell.json("list")}
            what = damage(self.stepwell.store / "data.mdb", chance)
            self._read(sound)
            self._run(base, tasks)
            return [f"{violation} [stage {base.stage}, {what}]" for violation in self.found]
        finally:
            self.doCleanups()

    def _command(self, *words: str) -> Running:
        command = self.stepwell.run(*words, code=None)
        if command.code not in (*ENDS, 5):
            self.found.append(f"'{' '.join(words)}' ended with {command.code}: {command.stderr[-500:]}")
        elif command.code != 0 and "error: " not in command.stderr and words[0] not in ("run", "retry", "cancel", "resume"):
            self.found.append(f"'{' '.join(words)}' ended with {command.code} and said nothing")
        return command

    def _answers(self) -> Dict[str, Optional[str]]:
        """What reading commands say; None for one that says that it cannot."""
        commands = [["events", "-o", "jsonl"], ["list", "-o", "json"]]
        keys = [stage.key for stage in STAGES]
        listing = self._command("list", "-o", "jsonl")
        for line in listing.stdout.splitlines() if listing.code == 0 else []:
            task: Any = json.loads(line)
            if task["key"] in keys:
                commands += [["show", task["task_id"], "-o", "json"], ["logs", task["task_id"], "-o", "json"]]
        answers: Dict[str, Optional[str]] = {}
        for words in commands:
            command = self._command(*words)
            answers[" ".join(words)] = command.stdout if command.code == 0 else None
        return answers

    def _read(self, sound: Dict[str, Optional[str]]) -> None:
        answers = self._answers()
        verified = self._command("verify").code
        different = [words for words, text in sound.items() if answers.get(words) not in (text, None)]
        missing = [words for words in sound if words not in answers]
        if verified == 0 and (different or missing):
            self.found.append(f"the store is verified, and answers otherwise: {(different + missing)[:3]}")
        self.is_sound = verified == 0

    def _run(self, base: Base, tasks: Dict[str, Any]) -> None:
        """The next command of the workload, as if nobody had looked."""
        stage = STAGES[base.stage]
        task = tasks.get(stage.key, {})
        words = stage.next_words(task.get("state"), task.get("task_id", ""))
        assert words is not None
        command = self._command(*words)
        if self.is_sound and (command.code not in (0, 1, 5) or "error: " in command.stderr):
            self.found.append(f"the store is verified, and an engine fails: {command}")
        # What the engine has made of it is sound, or is known not to be.
        verified = self._command("verify").code
        if self.is_sound and verified != 0:
            self.found.append(f"the store was verified, and is damaged after an engine has written: {verified}")


def flip_bit(data: Path, chance: random.Random) -> str:
    """One bit, anywhere in the file."""
    place, bit = chance.randrange(data.stat().st_size), chance.randrange(8)
    with open(data, "r+b", buffering=0) as file:
        file.seek(place)
        byte = file.read(1)[0]
        file.seek(place)
        file.write(bytes([byte ^ 1 << bit]))
    return f"bit {bit} of byte {place} (page {place // 4096}, {place % 4096})"


def overwrite(data: Path, chance: random.Random) -> str:
    """A few sectors hold zeros, or what somebody else wrote."""
    sectors = data.stat().st_size // 512
    first = chance.randrange(sectors)
    count = min(chance.choice([1, 1, 2, 8]), sectors - first)
    fill = chance.choice([bytes(512), b"\xff" * 512, chance.randbytes(512)])
    with open(data, "r+b", buffering=0) as file:
        file.seek(first * 512)
        file.write(fill * count)
    return f"{count} sectors from {first} hold {fill[:4].hex()}…"


def misdirect(data: Path, chance: random.Random) -> str:
    """A page was written to another page's place."""
    pages = data.stat().st_size // 4096
    source, target = chance.randrange(pages), chance.randrange(pages)
    with open(data, "r+b", buffering=0) as file:
        file.seek(source * 4096)
        page = file.read(4096)
        file.seek(target * 4096)
        file.write(page)
    return f"page {source} in the place of {target}"


def truncate(data: Path, chance: random.Random) -> str:
    """The file has lost its end."""
    length = chance.choice([chance.randrange(data.stat().st_size), chance.randrange(data.stat().st_size) // 4096 * 4096])
    with open(data, "r+b", buffering=0) as file:
        file.truncate(length)
    return f"cut to {length} bytes"


def zero(data: Path, chance: random.Random) -> str:
    """As long as before, and nothing but zeros."""
    length = data.stat().st_size
    data.write_bytes(bytes(length))
    return f"{length} zeros"
