"""One store in a folder of its own, and what must hold of it at the end."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Dict, List, Optional

import invariants
from invariants import Event
from support import EndToEndTest, Stepwell


class Scene(EndToEndTest):
    """Not a test by itself: what is derived from it gives what is wrong, and leaves no process and no file."""

    stepwell: Stepwell
    effects: Path
    # Events that somebody has seen, in part or whole, by number.
    seen: Dict[int, Event]

    def runTest(self) -> None:
        """What unittest asks of a test that is made by hand."""

    def begin(self, folder: Optional[Path] = None) -> None:
        """What comes first when it is not unittest that runs it."""
        self.setUp()
        self.open_scene(folder)

    def open_scene(self, folder: Optional[Path] = None) -> None:
        """An empty folder, or a copy of that one."""
        self.stepwell = Stepwell(self)
        if folder:
            shutil.copytree(folder, self.stepwell.folder, dirs_exist_ok=True)
        self.effects = self.stepwell.folder / "effects"
        self.stepwell.environment["EFFECTS"] = str(self.effects)
        self.seen = {}

    def broken(self, events: List[Event]) -> List[str]:
        """The violations of everything that holds whatever has happened."""
        verified = self.stepwell.run("verify", code=None)
        found = [] if verified.code == 0 else [f"the store cannot be verified: {verified}"]
        found += invariants.of_log(self.stepwell.store, events)
        found += invariants.seen(events, self.seen)
        return found + invariants.effects(events, invariants.read_effects(self.effects))

    def incomplete(self, events: List[Event]) -> List[str]:
        """Tasks that have not come to their end."""
        states = invariants.states(events)
        return [f"{task} is {state}" for task, state in states.items() if state not in invariants.CLOSED]
