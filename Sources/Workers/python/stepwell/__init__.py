"""Stepwell's Python worker: write handlers, and let `python -m stepwell worker` run them."""

from .context import StepContext
from .errors import (
    AuthenticationError,
    AuthorizationError,
    BusinessLogicError,
    Cancelled,
    ConfigurationError,
    NetworkError,
    NotFoundError,
    PermanentError,
    RateLimitError,
    ResourceContentionError,
    RetryableError,
    ServiceUnavailableError,
    StepwellError,
    TaskerError,
    TimeoutError,
    ValidationError,
    is_retryable,
)
from .functional import depends_on, inputs, step_handler
from .handler import StepHandler
from .result import ErrorType, StepHandlerResult

__version__ = "0.1.0"

__all__ = [
    "AuthenticationError",
    "AuthorizationError",
    "BusinessLogicError",
    "Cancelled",
    "ConfigurationError",
    "ErrorType",
    "NetworkError",
    "NotFoundError",
    "PermanentError",
    "RateLimitError",
    "ResourceContentionError",
    "RetryableError",
    "ServiceUnavailableError",
    "StepContext",
    "StepHandler",
    "StepHandlerResult",
    "StepwellError",
    "TaskerError",
    "TimeoutError",
    "ValidationError",
    "depends_on",
    "inputs",
    "is_retryable",
    "step_handler",
]
