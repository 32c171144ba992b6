"""Money and ratios in whole numbers, so that every language gets the same last digit."""

from __future__ import annotations

import re
from typing import Union

Number = Union[int, float]


def cents(text: str) -> int:
    """Cents of a price as the CSV export writes it: `99.99` is 9999."""
    if not re.fullmatch(r"[0-9]+\.[0-9]{2}", text):
        raise ValueError(f"{text!r} is not an amount such as 12.50")
    return int(text.replace(".", ""))


def to_cents(amount: Number) -> int:
    """Cents of a JSON number that has at most two decimals."""
    return round(amount * 100)


def from_cents(amount: int) -> float:
    """The JSON number for an amount of cents."""
    return amount / 100


def divide(dividend: int, divisor: int) -> int:
    """The nearest whole number, halves up; 0 when the divisor is 0. For numbers from 0 up."""
    return (2 * dividend + divisor) // (2 * divisor) if divisor else 0


def written(amount: int) -> str:
    """An amount of cents for people: 384968 is `3849.68`."""
    return f"{amount // 100}.{amount % 100:02d}"
