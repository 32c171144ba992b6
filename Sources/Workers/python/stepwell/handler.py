"""The class form of a handler, and what the worker needs to know of any handler."""

from __future__ import annotations

import inspect
from typing import Any, Awaitable, Dict, Optional, Type, Union

from .context import StepContext
from .errors import PermanentError
from .result import ErrorType, StepHandlerResult


class StepHandler:
    """Subclass it, name it, and write `call`, plain or `async`.

    A new object is made for each attempt, so attributes of `self` are never shared. Other public
    methods with the same signature can be named by `handler.method` in the template.
    """

    handler_name: str = ""
    handler_version: str = "1.0.0"

    def call(
        self, context: StepContext
    ) -> Union[StepHandlerResult, Awaitable[StepHandlerResult]]:
        """Do the step's work and say how it ended."""
        raise NotImplementedError

    def success(
        self, result: Any = None, metadata: Optional[Dict[str, Any]] = None
    ) -> StepHandlerResult:
        """Short for `StepHandlerResult.success`."""
        return StepHandlerResult.success(result, metadata)

    def failure(
        self,
        message: str,
        error_type: Union[str, ErrorType] = ErrorType.HANDLER_ERROR,
        retryable: bool = True,
        metadata: Optional[Dict[str, Any]] = None,
        error_code: Optional[str] = None,
        retry_after: Optional[float] = None,
    ) -> StepHandlerResult:
        """Short for `StepHandlerResult.failure`."""
        return StepHandlerResult.failure(
            message, error_type, retryable, metadata, error_code, retry_after
        )


class Handler:
    """One entry of the worker's table: a name, a version, and how to run it."""

    def __init__(self, name: str, version: str, place: str) -> None:
        self.name = name
        self.version = version
        self.place = place

    def invoke(self, context: StepContext, method: str) -> Any:
        """Run one attempt; the value may still have to be awaited."""
        raise NotImplementedError

    def is_async(self, method: str) -> bool:
        """Whether `method` is an `async` one."""
        raise NotImplementedError


class ClassHandler(Handler):
    """Runs a `StepHandler` subclass."""

    def __init__(self, cls: Type[StepHandler]) -> None:
        super().__init__(cls.handler_name, cls.handler_version, place_of(cls))
        self.cls = cls

    def invoke(self, context: StepContext, method: str) -> Any:
        # Only what the subclass wrote is a method for templates: not `success`, not `__init__`.
        function = getattr(self.cls, method, None)
        inherited = getattr(StepHandler, method, None)
        if method.startswith("_") or not callable(function) or function is inherited:
            raise PermanentError(f"handler {self.name} has no method {method!r}")
        return getattr(self.cls(), method)(context)

    def is_async(self, method: str) -> bool:
        return inspect.iscoroutinefunction(getattr(self.cls, method, None))


def place_of(thing: Any) -> str:
    """`file:line` of a class or function, for messages."""
    try:
        return f"{inspect.getsourcefile(thing)}:{inspect.getsourcelines(thing)[1]}"
    except (OSError, TypeError):
        return f"module {getattr(thing, '__module__', '?')}"
