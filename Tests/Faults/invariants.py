"""What must hold of a store whatever has happened to it: each function gives the violations that it finds, as sentences."""

from __future__ import annotations

import sys
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any, Dict, Iterable, List, NamedTuple, Set, Tuple

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE.parent / "EndToEnd"), str(HERE.parent / "LogReader")]

try:
    import read_log
except ImportError:
    print("WARNING: without the packages lmdb and cbor2 stores are checked by 'stepwell verify' alone", file=sys.stderr)
    read_log = None  # type: ignore[assignment]

Event = Dict[str, Any]

# The states by the event that leads there; a task is closed in the last two.
TASK_STATES = {
    "task.submitted": "in_progress", "task.waiting": "waiting_for_retry", "task.blocked": "blocked_by_failures",
    "operator.retried": "in_progress", "operator.resolved": "in_progress", "operator.paused": "paused",
    "operator.resumed": "in_progress", "task.completed": "complete",
    "task.cancelled": "cancelled",
}
CLOSED = ("complete", "cancelled")
ENDS = (
    "attempt.succeeded", "attempt.failed", "attempt.timed_out", "attempt.lost", "attempt.stopped", "result.rejected")


class Effect(NamedTuple):
    """A line that a step has left in the file of effects."""

    what: str
    task: str
    step: str
    attempt: int
    key: str
    note: str = ""


def read_effects(path: Path) -> List[Effect]:
    """The whole lines; a step that was killed may have written a part of one."""
    lines = path.read_text(encoding="utf-8").split("\n")[:-1] if path.exists() else []
    words = [line.split(" ", 5) for line in lines]
    return [Effect(*word[:3], int(word[3]), *word[4:]) for word in words]  # type: ignore[arg-type]


def order(events: List[Event]) -> List[str]:
    """Numbers without a gap, times that never decrease, and every task's events linked one to the next."""
    found = []
    time = 0
    last: Dict[str, Tuple[int, int]] = {}
    for number, event in enumerate(events, 1):
        if event["seq"] != number:
            return [f"event {number} is missing: {event['seq']} stands there"]
        if event["time_ms"] < time:
            found.append(f"the time of event {number} is before that of the event before it")
        time = event["time_ms"]
        if event["cause"] is not None and event["cause"] >= number:
            found.append(f"event {number} is caused by the later {event['cause']}")
        task = event["task_id"]
        if task is not None:
            count, before = last.get(task, (0, None))
            if (event["task_seq"], event["prev"]) != (count + 1, before):
                found.append(f"event {number} is not linked to event {before} of its task")
            last[task] = (count + 1, number)
    return found


def attempts(events: List[Event]) -> List[str]:
    """One accepted result for each step since its last reset, nothing started after it, every attempt with one end."""
    found = []
    accepted: Set[Tuple[str, str]] = set()
    complete: Set[Tuple[str, str]] = set()
    running: Dict[int, str] = {}
    for event in events:
        type, data = event["type"], event["data"]
        step = (event["task_id"], data.get("step"))
        if type == "step.reset":
            accepted.discard(step)
        elif type == "attempt.started":
            if step in complete or step in accepted:
                found.append(f"{step[1]} starts again at event {event['seq']}, after it was complete")
            running[event["seq"]] = step[1]
        elif type == "step.completed":
            complete.add(step)
        elif type in ENDS:
            was = running.pop(data["lease"], None)
            # The news of an attempt that was given up comes later.
            if type not in ("result.rejected", "attempt.stopped") and was != step[1]:
                found.append(f"event {event['seq']} ends an attempt that does not run")
            if type == "attempt.succeeded":
                if step in accepted:
                    found.append(f"{step[1]} has a second accepted result at event {event['seq']}")
                accepted.add(step)
    return found


def punctual(events: List[Event]) -> List[str]:
    """No attempt runs out of time before its deadline, and no retry comes before it is due."""
    found = []
    deadlines: Dict[int, int] = {}
    due: Dict[Tuple[str, str], int] = {}
    for event in events:
        type, data, now = event["type"], event["data"], event["time_ms"]
        step = (event["task_id"], data.get("step"))
        if type == "attempt.started" and "deadline_ms" in data:
            deadlines[event["seq"]] = data["deadline_ms"]
        elif type == "retry.scheduled":
            due[step] = data["due_ms"]
        elif type == "attempt.timed_out" and now < deadlines[data["lease"]]:
            found.append(f"{step[1]} runs out of time at event {event['seq']}, before its deadline")
        elif type == "retry.due" and now < due[step]:
            found.append(f"{step[1]} is retried at event {event['seq']}, before it is due")
    return found


def effects(events: List[Event], performed: Iterable[Effect]) -> List[str]:
    """What steps have done is what the log says: no start that it knows nothing of, and none twice for one lease."""
    found = []
    started = Counter(
        (event["task_id"], event["data"]["step"], event["data"]["attempt"]) for event in events
        if event["type"] == "attempt.started")
    begun: "Counter[Tuple[str, str, int]]" = Counter()
    keys: Dict[str, Tuple[str, str]] = {}
    saved: Dict[Tuple[str, str], List[str]] = defaultdict(list)
    for effect in performed:
        step = (effect.task, effect.step)
        if keys.setdefault(effect.key, step) != step:
            found.append(f"{effect.step} has the idempotency key of {keys[effect.key][1]}")
        if effect.what == "start":
            begun[(*step, effect.attempt)] += 1
        elif effect.what == "saved":
            saved[step].append(effect.note)
        elif effect.what == "given" and saved[step] and effect.note < saved[step][-1]:
            found.append(f"{effect.step} got the checkpoint {effect.note} after {saved[step][-1]} had been saved")
    if len({key for key in keys}) != len(set(keys.values())):
        found.append("the idempotency key of a step has changed between its attempts")
    for (_, step, attempt), count in (begun - started).items():
        found.append(f"attempt {attempt} of {step} began {count} times more often than the log says")
    return found


def seen(events: List[Event], lines: Dict[int, Event]) -> List[str]:
    """What anybody has seen of the log is still there."""
    return [
        f"event {number} was seen as {event['type']}, and is "
        + (events[number - 1]["type"] if number <= len(events) else "missing")
        for number, event in sorted(lines.items())
        if number > len(events) or any(events[number - 1][name] != value for name, value in event.items())
    ]


def states(events: List[Event]) -> Dict[str, str]:
    """The state of each task by its events."""
    result = {}
    for event in events:
        if event["type"] in TASK_STATES:
            result[event["task_id"]] = TASK_STATES[event["type"]]
    return result


def chain_and_indexes(store: Path, events: List[Event]) -> List[str]:
    """What a reader of another make sees: every hash holds, the events are the same, and the indexes follow from them."""
    if read_log is None:
        return []
    reader = read_log.Store(str(store))
    try:
        reader.check()
        theirs = list(reader.events())
        tables: Dict[str, List[Tuple[Any, Any]]] = defaultdict(list)
        for table, key, value in reader.tables():
            tables[table].append((key, value))
    except Exception as error:
        return [f"the reader of the log says: {type(error).__name__}: {error}"]
    finally:
        reader.transaction.abort()
        reader.environment.close()
    found = []
    names = ("seq", "type", "task_id", "task_seq", "prev", "time_ms", "cause", "data")
    if [[event[name] for name in names] for event in theirs] != [[event[name] for name in names] for event in events]:
        found.append("the reader of the log sees other events than the command line")
    known = states(events)
    of_task: Dict[str, List[Event]] = defaultdict(list)
    for event in events:
        if event["task_id"]:
            of_task[event["task_id"]].append(event)
    if dict(tables["tasks"]).keys() != of_task.keys():
        found.append("the table of tasks does not have the tasks of the events")
    for task, row in tables["tasks"]:
        mine = of_task[task]
        if (row["first"], row["last"], row["events"]) != (mine[0]["seq"], mine[-1]["seq"], len(mine)):
            found.append(f"the summary of {task} does not fit its events")
        if (row["state"] in CLOSED or known[task] in CLOSED) and row["state"] != known[task]:
            found.append(f"the summary of {task} says {row['state']}, its events {known[task]}")
        done = {event["data"]["step"] for event in mine if event["type"] in ("step.completed", "step.resolved")}
        if row["steps_done"] != len(done):
            found.append(f"the summary of {task} counts {row['steps_done']} steps as done, its events {len(done)}")
    rows = dict(tables["tasks"])
    if [task for task, _ in tables["open"]] != sorted(task for task, row in rows.items() if row["state"] not in CLOSED):
        found.append("the index of open tasks does not fit the tasks")
    expected = sorted([row["namespace"], row["name"], row["state"], row["submitted_ms"], task] for task, row in rows.items())
    if sorted([*group, task] for group, task in tables["by_state"]) != expected:
        found.append("the index by state does not fit the tasks")
    with_key = {task for task, row in rows.items() if row.get("key")}
    if not {task for _, task in tables["keys"]} <= with_key:
        found.append("the index of keys does not fit the tasks")
    return found


def of_log(store: Path, events: List[Event]) -> List[str]:
    """All that holds of a store alone."""
    return order(events) or attempts(events) + punctual(events) + chain_and_indexes(store, events)
