"""What a handler raises when it cannot do its work.

Every class says whether another attempt can help (`retryable`) and which `error_type` the failure
gets. An exception of any other class counts as retryable: see `is_retryable`.
"""

from __future__ import annotations

from typing import Any, Dict, Optional


class StepwellError(Exception):
    """Base of all errors that a handler raises on purpose."""

    retryable: bool = True
    error_type: str = "handler_error"

    def __init__(
        self,
        message: str = "",
        *,
        retryable: Optional[bool] = None,
        metadata: Optional[Dict[str, Any]] = None,
        error_code: Optional[str] = None,
        retry_after: Optional[float] = None,
        context: Optional[Dict[str, Any]] = None,
    ) -> None:
        """`retry_after` is in seconds; `context` is further metadata."""
        super().__init__(message)
        self.message = message
        if retryable is not None:
            self.retryable = retryable
        self.metadata: Dict[str, Any] = {**(metadata or {}), **(context or {})}
        self.error_code = error_code
        self.retry_after = retry_after


#: The name that authors of Tasker handlers know.
TaskerError = StepwellError


class RetryableError(StepwellError):
    """It may work next time; `retry_after` asks for a wait of so many seconds before."""

    retryable = True
    error_type = "retryable_error"


class TimeoutError(RetryableError):  # noqa: A001 - the field's word
    """Something that the handler waited for took too long."""

    error_type = "timeout"


class NetworkError(RetryableError):
    """A connection could not be made, or broke."""


class RateLimitError(RetryableError):
    """A service asks for fewer requests."""


class ServiceUnavailableError(RetryableError):
    """A service is down or overloaded."""


class ResourceContentionError(RetryableError):
    """Somebody else holds a lock or a row that the handler needs."""


class PermanentError(StepwellError):
    """No further attempt can help."""

    retryable = False
    error_type = "permanent_error"


class ValidationError(PermanentError):
    """Input or an upstream result does not have the expected shape."""

    error_type = "validation_error"


class NotFoundError(PermanentError):
    """Something that must exist does not."""


class AuthenticationError(PermanentError):
    """Credentials were refused."""


class AuthorizationError(PermanentError):
    """Credentials are good, but not for this."""


class ConfigurationError(PermanentError):
    """The step or its surroundings are set up wrongly."""


class BusinessLogicError(PermanentError):
    """A rule of the business forbids it."""


class Cancelled(BaseException):
    """Raised inside a handler whose attempt was cancelled.

    Not an `Exception`, so that `except Exception` does not swallow it. Use `finally` to clean up.
    """


def is_retryable(error: BaseException) -> bool:
    """Whether another attempt may follow: errors of this module say so, all others may."""
    return error.retryable if isinstance(error, StepwellError) else True
