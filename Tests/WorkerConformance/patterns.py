"""What a transcript may say about a value: a pattern for a worker's message, a template for the engine's.

A pattern is a JSON value that must be equal, or an object with one member whose name begins with `$`;
README.md lists these. Numbers are compared by value and by form: `1.0` is not `1`.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Dict, Optional


class Float(str):
    """A number with a point or an exponent, as it was written."""


def parse(text: str) -> Any:
    """JSON whose numbers keep their form: whole ones are `int`, others `Float`."""
    return json.loads(text, parse_float=Float)


def write(value: Any) -> str:
    """JSON text of what `parse` has made."""
    marks: Dict[str, str] = {}

    def marked(item: Any) -> Any:
        if isinstance(item, Float):
            mark = f"\ue000{len(marks)}\ue001"
            marks[mark] = str(item)
            return mark
        if isinstance(item, dict):
            return {key: marked(value) for key, value in item.items()}
        return [marked(value) for value in item] if isinstance(item, list) else item

    text = json.dumps(marked(value), ensure_ascii=False)
    for mark, number in marks.items():
        text = text.replace(f'"{mark}"', number)
    return text


class Values:
    """What one run of a transcript knows: its folder, and what patterns have saved."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.saved: Dict[str, Any] = {}

    def fill(self, template: Any) -> Any:
        """The template with its `$` objects replaced."""
        operator, operand = _operator(template)
        if operator == "$saved":
            return self.saved[operand]
        if operator == "$file":
            return str(self.folder / operand)
        if operator == "$repeat":
            return operand[0] * operand[1]
        if operator:
            raise ValueError(f"{operator} has no meaning in what the engine sends")
        if isinstance(template, dict):
            return {key: self.fill(item) for key, item in template.items()}
        return [self.fill(item) for item in template] if isinstance(template, list) else template

    def mismatch(self, pattern: Any, value: Any, place: str = "") -> Optional[str]:
        """Where and how `value` differs from the pattern; None when it fits."""
        operator, operand = _operator(pattern)
        if operator:
            return self._operate(operator, operand, value, place)
        if isinstance(pattern, dict):
            if not isinstance(value, dict):
                return f"{place or 'it'} is {_shown(value)}, not an object"
            surplus = [key for key in value if key not in pattern]
            if surplus:
                return f"{place}/{surplus[0]} is {_shown(value[surplus[0]])}; nothing was expected"
            return self._members(pattern, value, place)
        if isinstance(pattern, list):
            if not isinstance(value, list) or len(value) != len(pattern):
                return f"{place} is {_shown(value)}, not a list of {len(pattern)}"
            for index, item in enumerate(pattern):
                fault = self.mismatch(item, value[index], f"{place}/{index}")
                if fault:
                    return fault
            return None
        return None if _equal(pattern, value) else f"{place} is {_shown(value)}, not {_shown(pattern)}"

    def _members(self, pattern: Dict[str, Any], value: Dict[str, Any], place: str) -> Optional[str]:
        for key, item in pattern.items():
            fault = self.mismatch(item, value.get(key, _ABSENT), f"{place}/{key}")
            if fault:
                return fault
        return None

    def _operate(self, operator: str, operand: Any, value: Any, place: str) -> Optional[str]:
        if operator == "$absent":
            is_absent = value is _ABSENT or value is None
            return None if is_absent else f"{place} is {_shown(value)}; it should be absent"
        if value is _ABSENT:
            return f"{place} is absent"
        if operator == "$has":
            if not isinstance(value, dict):
                return f"{place or 'it'} is {_shown(value)}, not an object"
            return self._members(operand, value, place)
        if operator == "$any":
            return None
        if operator == "$save":
            self.saved[operand] = value
            return None
        if operator == "$integer":
            is_whole = isinstance(value, int) and not isinstance(value, bool)
            return None if is_whole else f"{place} is {_shown(value)}, not a whole number"
        if operator == "$matches":
            fits = isinstance(value, str) and bool(re.search(operand, value, re.DOTALL))
            return None if fits else f"{place} is {_shown(value)}, which does not match {operand}"
        if operator == "$same_members":
            return self._same_members(operand, value, place)
        if operator == "$number":
            fits = isinstance(value, (int, Float)) and Decimal(value) == Decimal(operand)
            return None if fits else f"{place} is {_shown(value)}, not the number {operand}"
        if operator == "$one_of":
            faults = [self.mismatch(item, value, place) for item in operand]
            return None if None in faults else "; ".join(str(fault) for fault in faults)
        wanted = self.fill({operator: operand})
        return None if _equal(wanted, value) else f"{place} is {_shown(value)}, not {_shown(wanted)}"


    def _same_members(self, wanted: Any, value: Any, place: str) -> Optional[str]:
        if not isinstance(value, list) or len(value) != len(wanted):
            return f"{place} is {_shown(value)}, not a list of {len(wanted)}"
        for pattern in wanted:
            if all(self.mismatch(pattern, item, place) for item in value):
                return f"{place} is {_shown(value)}, without {_shown(pattern)}"
        return None


_ABSENT = object()


def _operator(value: Any) -> "tuple[str, Any]":
    if isinstance(value, dict) and len(value) == 1:
        (name, operand), = value.items()
        if name.startswith("$"):
            return name, operand
    return "", None


def _equal(pattern: Any, value: Any) -> bool:
    if isinstance(pattern, Float) and isinstance(value, Float):
        return Decimal(pattern) == Decimal(value)
    return type(pattern) is type(value) and bool(pattern == value)


def _shown(value: Any) -> str:
    text = "absent" if value is _ABSENT else write(value)
    return text if len(text) <= 300 else f"{text[:300]}… ({len(text)} characters)"
