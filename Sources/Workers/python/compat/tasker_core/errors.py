"""`tasker_core.errors`."""

from stepwell import (
    AuthenticationError,
    AuthorizationError,
    BusinessLogicError,
    ConfigurationError,
    NetworkError,
    NotFoundError,
    PermanentError,
    RateLimitError,
    ResourceContentionError,
    RetryableError,
    ServiceUnavailableError,
    TaskerError,
    TimeoutError,
    ValidationError,
    is_retryable,
)

__all__ = [
    "AuthenticationError", "AuthorizationError", "BusinessLogicError", "ConfigurationError", "NetworkError",
    "NotFoundError", "NotSupportedError", "PermanentError", "RateLimitError", "ResourceContentionError",
    "RetryableError", "ServiceUnavailableError", "TaskerError", "TimeoutError", "ValidationError", "is_retryable",
]


class NotSupportedError(PermanentError):
    """A handler uses something of Tasker that Stepwell does not have yet."""

    error_type = "not_supported"

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; Stepwell does not have it yet (docs/template-reference.md, 'Not supported yet')")
