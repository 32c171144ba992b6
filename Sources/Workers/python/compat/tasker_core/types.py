"""`tasker_core.types`."""

from stepwell import ErrorType, StepContext, StepHandlerResult

__all__ = ["ErrorType", "StepContext", "StepHandlerResult"]
