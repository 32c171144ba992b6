"""JSON as the protocol wants it: UTF-8, no NaN, and an error that names the place of a fault."""

from __future__ import annotations

import json
import math
from typing import Any, Optional, Union

_encoder = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


#: How deep a value of a handler may be nested; what is deeper the engine could not read in a message.
LEVELS_MAX = 500


class NotJSON(ValueError):
    """A value that JSON cannot express; the message says which and where."""


def encode(value: Any, place: str) -> bytes:
    """`value` as JSON text. `place` is what the value is called in an error, such as `result`."""
    try:
        text = _encoder.encode(value)
        if text.count("[") + text.count("{") > LEVELS_MAX and _is_too_deep(value):
            raise NotJSON(f"{place} is nested deeper than {LEVELS_MAX} levels")
        return text.encode("utf-8")
    except NotJSON:
        raise
    except (TypeError, ValueError, RecursionError) as error:
        raise NotJSON(_fault(value, place) or f"{place} is not JSON: {error}") from None


def parse(text: Union[str, bytes]) -> Any:
    """The value of JSON text. A whole number with more digits than Python reads is infinite, as `1e400` is."""
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        raise
    except ValueError:
        return json.loads(text, parse_int=_whole_number)


def _whole_number(text: str) -> Union[int, float]:
    try:
        return int(text)
    except ValueError:
        return float(text)


def _is_too_deep(value: Any) -> bool:
    level = [value]
    for _ in range(LEVELS_MAX):
        members = (item.values() if isinstance(item, dict) else item for item in level)
        level = [one for some in members for one in some if isinstance(one, (dict, list, tuple))]
        if not level:
            return False
    return True


def encode_leniently(value: Any) -> bytes:
    """For what only informs people: whatever JSON cannot express becomes its `repr`."""
    try:
        return encode(value, "value")
    except NotJSON:
        return json.dumps(repr(value)).encode("ascii")


def text_bytes(text: str) -> bytes:
    """A JSON string of any text, also of text with lone surrogates."""
    try:
        return _encoder.encode(text).encode("utf-8")
    except UnicodeEncodeError:
        return _encoder.encode(text.encode("utf-8", "backslashreplace").decode("utf-8")).encode()


def _fault(value: Any, place: str) -> Optional[str]:
    """Where and why `value` is not JSON. Runs only when encoding has failed."""
    try:
        return _search(value, place, set())
    except RecursionError:
        return f"{place} is nested too deeply"


def _search(value: Any, place: str, above: "set[int]") -> Optional[str]:
    if value is None or isinstance(value, (bool, int)):
        return None
    if isinstance(value, float):
        return None if math.isfinite(value) else f"{place} is {value}, which JSON does not have"
    if isinstance(value, str):
        return None if _is_unicode(value) else f"{place} is not valid Unicode text"
    if not isinstance(value, (dict, list, tuple)):
        return f"{place} is a {type(value).__name__}, which is not a JSON value"
    if id(value) in above:
        return f"{place} contains itself"
    above.add(id(value))
    if isinstance(value, dict):
        for key, item in value.items():
            if not isinstance(key, (str, int, float, type(None))):
                return f"{place} has the key {key!r}, a {type(key).__name__}; keys are strings"
            fault = _search(key, f"a key of {place}", above) or _search(
                item, place + _member(key), above
            )
            if fault:
                return fault
    else:
        for index, item in enumerate(value):
            fault = _search(item, f"{place}[{index}]", above)
            if fault:
                return fault
    above.discard(id(value))
    return None


def _member(key: Any) -> str:
    if isinstance(key, str) and key.isidentifier():
        return f".{key}"
    return f"[{json.dumps(key)}]"


def _is_unicode(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True
