"""The last message of an attempt: its result, or why there is none."""

from __future__ import annotations

import json
import math
from typing import Any, Mapping, Optional

from .payload import NotJSON, encode, encode_leniently, text_bytes
from .result import StepHandlerResult

_MESSAGE_MAX = 1 << 16  # characters of a failure's message
_BACKTRACE_MAX = 1 << 18
_WAIT_MAX = 1 << 53  # milliseconds; every reader of JSON has whole numbers up to here


def ending(lease: int, result: StepHandlerResult, limits: Mapping[str, int]) -> bytes:
    """The `result` or `failure` that ends an attempt; what does not fit becomes a failure."""
    if not result.is_success:
        return _failure(lease, result)
    try:
        body = encode(result.result, "result")
        line = b'{"type":"result","lease":%d,"result":%s' % (lease, body)
        if result.metadata:
            if not isinstance(result.metadata, dict):
                raise NotJSON(f"metadata is a {type(result.metadata).__name__}, not a dict")
            line += b',"metadata":' + encode(result.metadata, "metadata")
    except NotJSON as fault:
        return refusal(lease, "result_not_json", str(fault))
    for size, name in ((len(body), "result_bytes_max"), (len(line) + 2, "line_bytes_max")):
        if size > limits[name]:
            text = f"the result is {size} bytes; the limit is {limits[name]} ({name})"
            return refusal(lease, "result_too_large", text)
    return line + b"}"


def refusal(lease: int, error_type: str, text: str) -> bytes:
    """A `failure` that the worker itself finds; no further attempt can help."""
    return _failure(lease, StepHandlerResult.failure(text, error_type, retryable=False))


def _failure(lease: int, result: StepHandlerResult) -> bytes:
    parts = [
        b'{"type":"failure","lease":%d' % lease,
        b'"message":' + text_bytes(str(result.error_message or "failed")[:_MESSAGE_MAX]),
        b'"error_type":' + text_bytes(str(result.error_type or "handler_error")),
        b'"retryable":' + (b"true" if result.retryable else b"false"),
    ]
    if result.error_code is not None:
        parts.append(b'"error_code":' + text_bytes(str(result.error_code)))
    wait = _milliseconds(result.retry_after)
    if wait is not None:
        parts.append(b'"retry_after_ms":%d' % wait)
    if result.backtrace:
        parts.append(b'"backtrace":' + text_bytes(result.backtrace[-_BACKTRACE_MAX:]))
    if result.metadata:
        metadata = {str(key): _shown(value) for key, value in result.metadata.items()}
        parts.append(b'"metadata":' + encode(metadata, "metadata"))
    return b",".join(parts) + b"}"


def _milliseconds(seconds: Any) -> Optional[int]:
    """A wait as the protocol wants it; None for what is no number of seconds."""
    try:
        return min(max(0, math.ceil(float(seconds) * 1000)), _WAIT_MAX)
    except (TypeError, ValueError, OverflowError):
        return None


def _shown(value: Any) -> Any:
    """`value` if it is short JSON, else words for it: a failure's metadata only informs people."""
    text = encode_leniently(value)
    return json.loads(text) if len(text) <= _MESSAGE_MAX else f"{len(text)} bytes"
