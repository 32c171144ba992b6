"""Tasker's import paths on Stepwell's worker: handlers written for Tasker run with no line changed."""

from typing import NoReturn

from stepwell.client import TaskerClient

from .batch_processing import Batchable
from .errors import (
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
from .step_handler import StepHandler
from .step_handler.functional import (
    BatchConfig,
    Decision,
    api_handler,
    batch_analyzer,
    batch_worker,
    decision_handler,
    depends_on,
    inputs,
    step_handler,
)
from .step_handler.mixins import APIMixin, ApiResponse, DecisionMixin
from .types import ErrorType, StepContext, StepHandlerResult

__all__ = [
    "APIMixin", "ApiResponse", "AuthenticationError", "AuthorizationError", "BatchConfig", "Batchable",
    "BusinessLogicError", "ConfigurationError", "Decision", "DecisionMixin", "ErrorType", "NetworkError",
    "NotFoundError", "PermanentError", "RateLimitError", "ResourceContentionError", "RetryableError",
    "ServiceUnavailableError", "StepContext", "StepHandler", "StepHandlerResult", "TaskerClient", "TaskerError",
    "TimeoutError", "ValidationError", "api_handler", "batch_analyzer", "batch_worker", "decision_handler",
    "depends_on", "inputs", "is_retryable", "step_handler",
]


def __getattr__(name: str) -> NoReturn:
    if name.startswith("_"):
        raise AttributeError(name)
    raise ImportError(
        f"tasker_core.{name} is not among what Stepwell has of Tasker: handlers, their errors and results, and the client."
        " Workers start with 'python3 -m stepwell worker HANDLERS'"
    )
