"""How an attempt ends: `StepHandlerResult` and the kinds of failure."""

from __future__ import annotations

import os
import traceback
from dataclasses import dataclass, field
from enum import Enum
from types import TracebackType
from typing import Any, Dict, Optional, Union

from .errors import StepwellError

_HERE = os.path.dirname(__file__)


class ErrorType(str, Enum):
    """The failure types that all languages share. A handler may use its own strings as well."""

    PERMANENT_ERROR = "permanent_error"
    RETRYABLE_ERROR = "retryable_error"
    VALIDATION_ERROR = "validation_error"
    TIMEOUT = "timeout"
    HANDLER_ERROR = "handler_error"

    def __str__(self) -> str:
        return self.value


@dataclass
class StepHandlerResult:
    """Success with a result, or failure with a message. Make one with `success` or `failure`."""

    is_success: bool
    result: Any = None
    metadata: Dict[str, Any] = field(default_factory=dict)
    error_message: Optional[str] = None
    error_type: Optional[str] = None
    error_code: Optional[str] = None
    retryable: bool = True
    retry_after: Optional[float] = None
    backtrace: Optional[str] = None

    @classmethod
    def success(
        cls, result: Any = None, metadata: Optional[Dict[str, Any]] = None
    ) -> StepHandlerResult:
        """The step is done. `result` is any JSON value; later steps get the whole of it."""
        return cls(is_success=True, result=result, metadata=metadata or {})

    @classmethod
    def failure(
        cls,
        message: str,
        error_type: Union[str, ErrorType] = ErrorType.HANDLER_ERROR,
        retryable: bool = True,
        metadata: Optional[Dict[str, Any]] = None,
        error_code: Optional[str] = None,
        retry_after: Optional[float] = None,
    ) -> StepHandlerResult:
        """The attempt failed. `retry_after` (seconds) asks for a wait before the next attempt."""
        return cls(
            is_success=False,
            metadata=metadata or {},
            error_message=message,
            error_type=str(error_type),
            error_code=error_code,
            retryable=retryable,
            retry_after=retry_after,
        )

    @classmethod
    def from_exception(cls, error: BaseException) -> StepHandlerResult:
        """The failure that a raised exception stands for, with its traceback as `backtrace`.

        Stepwell's own errors say everything themselves. Any other exception is a retryable
        `handler_error`, whose message begins with the name of the class.
        """
        name = type(error).__name__
        if isinstance(error, StepwellError):
            failure = cls.failure(
                error.message or name,
                error.error_type,
                error.retryable,
                dict(error.metadata),
                error.error_code,
                error.retry_after,
            )
        else:
            text = str(error)
            failure = cls.failure(f"{name}: {text}" if text else name)
        failure.metadata.setdefault("exception_type", name)
        failure.backtrace = "".join(
            traceback.format_exception(type(error), error, _in_handler(error.__traceback__))
        )
        return failure


def _in_handler(trace: Optional[TracebackType]) -> Optional[TracebackType]:
    """The traceback from the first frame that is not the worker's own, if there is one."""
    inner = trace
    while inner and os.path.dirname(inner.tb_frame.f_code.co_filename) == _HERE:
        inner = inner.tb_next
    return inner or trace
