"""A scripted life of a store: six tasks that succeed, are retried, run out of time, are cancelled and resolved by hand.

It is driven as a person would: by commands, each of which is given again when it was killed.
"""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path
from typing import Any, Dict, List, NamedTuple, Optional

HERE = Path(__file__).resolve().parent
LEAVE = 'leave() { echo "$1 $STEPWELL_TASK_ID $STEPWELL_STEP $STEPWELL_ATTEMPT $STEPWELL_IDEMPOTENCY_KEY" >> "$EFFECTS"; }\n'
WORKER = shlex.join([sys.executable, "-I", "-S", str(HERE / "worker.py")])


def step(name: str, script: str, *after: str, attempts: int = 3, **more: Any) -> Dict[str, Any]:
    """A step that leaves its traces around a shell's script."""
    command = ["sh", "-c", f"{LEAVE}leave start\n{script}\nleave end"]
    retry = {"max_attempts": attempts, "backoff": "none"}
    return {"name": name, "handler": {"command": command}, "dependencies": list(after), "retry": retry, **more}


FIRST_FAILS = '[ "$STEPWELL_ATTEMPT" -gt 1 ] || exit 1; echo 3'
FIRST_HANGS = '[ "$STEPWELL_ATTEMPT" -gt 1 ] || exec sleep 600; echo 1'
TASKS: Dict[str, List[Dict[str, Any]]] = {
    # Two steps side by side, one of them with a result that needs pages of its own, the other tried twice.
    "whole": [
        step("begin", "echo 1"), step("large", "printf '\"%09000d\"' 0", "begin"),
        step("retried", FIRST_FAILS, "begin"), step("join", "echo 4", "large", "retried"),
    ],
    "mended": [
        step("fetch", "echo 1"), step("load", "test -e ready || exit 1; echo 2", "fetch", attempts=2),
        step("tell", "echo 3", "load"),
    ],
    "slow": [
        step("late", FIRST_HANGS, attempts=8, timeout_seconds=0.1),
        step("then", "echo 2", "late"),
    ],
    "checkpointed": [
        {"name": "save", "handler": {"callable": "faults.checkpointed"}, "retry": {"max_attempts": 4, "backoff": "none"}},
        step("after", "echo 1", "save"),
    ],
    "cancelled": [step("hopeless", "exit 65"), step("never", "echo 1", "hopeless")],
    "resolved": [step("broken", "exit 65"), step("rest", "echo 2", "broken")],
}


class Stage(NamedTuple):
    """One thing that a person wants of a task, and what they type until they have it."""

    key: str
    # The state that is wanted.
    wanted: str
    # What is typed when the task is blocked.
    when_blocked: Optional[List[str]] = None
    makes_ready: bool = False

    def next_words(self, state: Optional[str], task: str) -> Optional[List[str]]:
        """The next command, or None when the task is as it should be."""
        if state == self.wanted:
            return None
        worker = ["--worker", WORKER] if self.key == "checkpointed" else []
        if state == "blocked_by_failures" and self.when_blocked:
            return [self.when_blocked[0], task, *self.when_blocked[1:]]
        if state is not None and self.when_blocked:
            return ["resume", task]
        return ["run", f"{self.key}.json", "--key", self.key, *worker]


STAGES = [
    Stage("whole", "complete"),
    Stage("mended", "blocked_by_failures"),
    Stage("mended", "complete", ["retry"], makes_ready=True),
    # On a busy machine even the quick attempts may run out of time.
    Stage("slow", "complete", ["retry"]),
    Stage("checkpointed", "complete"),
    Stage("cancelled", "blocked_by_failures"),
    Stage("cancelled", "cancelled", ["cancel"]),
    Stage("resolved", "blocked_by_failures"),
    Stage("resolved", "complete", ["resolve", "broken", "--result", '"by hand"']),
]

# The results in the log when all is done, by task and step.
RESULTS = {
    "whole": {"begin": 1, "large": "0" * 9000, "retried": 3, "join": 4},
    "mended": {"fetch": 1, "load": 2, "tell": 3},
    "slow": {"late": 1, "then": 2},
    "checkpointed": {"save": 2, "after": 1},
    "cancelled": {},
    "resolved": {"rest": 2},
}


def write_templates(folder: Path) -> None:
    """JSON, which is YAML too."""
    for name, steps in TASKS.items():
        template = {"name": name, "namespace_name": "faults", "version": "1", "steps": steps}
        (folder / f"{name}.json").write_text(json.dumps(template), encoding="utf-8")
