"""`python -m stepwell replay`: one recorded attempt again, in this process, where a debugger works."""

from __future__ import annotations

import json
import logging
import pdb
import sys
from typing import Any, Iterator, List, Mapping, Tuple

from .bundle import ReplayError
from .context import StepContext
from .handler import Handler
from .payload import NotJSON, encode
from .result import StepHandlerResult
from .running import as_result, settle
from .testing import FakeEngine

_CHANGES_MAX = 50
_WHOLE = "(all of it)"


def replay(
    document: Mapping[str, Any], handlers: Mapping[str, Handler], post_mortem: bool = False
) -> bool:
    """Run the attempt, print how it ended, and say whether it ended as it was recorded."""
    if "handler" not in document:
        raise ReplayError(f"{document['step']!r} is a command; 'stepwell replay-step' runs it again")
    name = document["handler"]
    if name not in handlers:
        known = ", ".join(sorted(handlers))
        raise ReplayError(f"no handler {name!r}; there are: {known}")
    print(f"running {document['step']}, attempt {document['attempt']}", file=sys.stderr)
    for pointer in document.get("redacted", []):
        print(f"  redacted: {pointer}", file=sys.stderr)
    logging.basicConfig(stream=sys.stderr, format="  %(message)s", level=logging.INFO)
    result = _run(handlers[name], _context(document), document["method"], post_mortem)
    recorded = document["recorded"]
    same, lines = _compare(result, recorded)
    if result.is_success:
        print("succeeded:", encode(result.result, "result").decode("utf-8"))
    else:
        print(result.backtrace or f"failed: {result.error_type}: {result.error_message}")
    print("\n".join(lines))
    return same


class _Engine(FakeEngine):
    def save_checkpoint(self, data: Any) -> None:
        super().save_checkpoint(data)
        print("  checkpoint:", encode(data, "checkpoint").decode("utf-8"), file=sys.stderr)


def _context(document: Mapping[str, Any]) -> StepContext:
    # A debugger takes its time: there is no deadline.
    ancestors = document["ancestors"]
    message = {**document, "deadline": None, "fetchable": list(ancestors)}
    return StepContext(message, _Engine(ancestors))


def _run(handler: Handler, context: StepContext, method: str, post_mortem: bool) -> StepHandlerResult:
    try:
        result = as_result(settle(handler.invoke(context, method)))
        if result.is_success:
            result.result = json.loads(encode(result.result, "result"))
        return result
    except NotJSON as fault:
        return StepHandlerResult.failure(str(fault), "result_not_json", retryable=False)
    except Exception as error:  # not the end of a debugger, nor Ctrl-C
        if post_mortem:
            pdb.post_mortem(error.__traceback__)
        return StepHandlerResult.from_exception(error)


def _compare(result: StepHandlerResult, recorded: Mapping[str, Any]) -> Tuple[bool, List[str]]:
    outcome = recorded["outcome"]
    if outcome == "succeeded" and result.is_success:
        changes = list(_changes(recorded["result"], result.result, ""))
        lines = [f"  {change}" for change in changes[:_CHANGES_MAX]]
        if len(changes) > _CHANGES_MAX:
            lines.append(f"  and {len(changes) - _CHANGES_MAX} more")
        return not changes, ["recorded: succeeded", *lines] if changes else ["as recorded"]
    if outcome == "failed" and not result.is_success:
        error = recorded["error"]
        before = (error["message"], error["error_type"], error.get("error_code"), error["retryable"])
        after = (result.error_message, result.error_type, result.error_code, result.retryable)
        if before == after:
            return True, ["as recorded"]
    if outcome == "failed":
        error = recorded["error"]
        return False, [f"recorded: failed: {error['error_type']}: {error['message']}"]
    if outcome in ("lost", "cancelled", "running"):
        return result.is_success, [f"recorded: {outcome}; nothing to compare"]
    return False, [f"recorded: {outcome}"]


def _changes(before: Any, after: Any, pointer: str) -> Iterator[str]:
    """The places at which two JSON values differ, as JSON Pointers with both values."""
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            place = f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"
            if name in before and name in after:
                yield from _changes(before[name], after[name], place)
            else:
                yield _told(place, before.get(name, _absent), after.get(name, _absent))
    elif isinstance(before, list) and isinstance(after, list):
        for index in range(max(len(before), len(after))):
            one = before[index] if index < len(before) else _absent
            other = after[index] if index < len(after) else _absent
            yield from _changes(one, other, f"{pointer}/{index}")
    elif isinstance(before, bool) is not isinstance(after, bool) or before != after:
        yield _told(pointer, before, after)


_absent = object()


def _told(pointer: str, before: Any, after: Any) -> str:
    def text(value: Any) -> str:
        if value is _absent:
            return "nothing"
        shown = encode(value, "value").decode("utf-8")
        return shown if len(shown) <= 120 else shown[:119] + "…"

    return f"{pointer or _WHOLE}: {text(before)} → {text(after)}"
