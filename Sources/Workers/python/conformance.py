"""The conformance worker: handlers that Tests/WorkerConformance puts every SDK to the test with."""

from __future__ import annotations

import os
import time

from stepwell import PermanentError, RetryableError, StepContext, StepHandler, StepHandlerResult, ValidationError
from stepwell import step_handler

_CLASSES = {"retryable": RetryableError, "permanent": PermanentError, "validation": ValidationError}


@step_handler("echo")
def echo(context: StepContext) -> object:
    """Everything that the handler can see."""
    return {
        "input": context.input_data,
        "config": context.step_config,
        "dependencies": {name: context.get_dependency_result(name) for name in context.get_dependency_result_keys()},
        "attempt": context.attempt,
        "idempotency_key": context.idempotency_key,
        "checkpoint": context.checkpoint,
        "deadline": context.deadline and round(context.deadline.timestamp() * 1000),
    }


class Fail(StepHandler):
    """Fails as its configuration says."""

    handler_name = "fail"

    def call(self, context: StepContext) -> StepHandlerResult:
        config = context.step_config
        message, kind = config["message"], config["kind"]
        wait = config.get("retry_after_ms")
        seconds = None if wait is None else wait / 1000
        if kind == "returned":
            return self.failure(
                message, config.get("error_type", "handler_error"), config.get("retryable", True),
                error_code=config.get("error_code"), retry_after=seconds,
            )
        if kind == "crash":
            raise RuntimeError(message)
        error = _CLASSES[kind](
            message, retryable=config.get("retryable"), error_code=config.get("error_code"), retry_after=seconds
        )
        error.error_type = config.get("error_type", error.error_type)
        raise error


@step_handler("checkpoint")
def checkpoint(context: StepContext) -> object:
    """Saves `config.data`."""
    context.save_checkpoint(context.get_config("data"))
    return {"saved": True}


@step_handler("progress")
def progress(context: StepContext) -> object:
    """Shows a sign of life."""
    context.heartbeat({"done": 1, "of": 2})
    return {}


@step_handler("log")
def log(context: StepContext) -> object:
    """Says three words."""
    context.log.info("one")
    context.log.warning("two")
    print("three")
    return {}


@step_handler("fetch")
def fetch(context: StepContext) -> object:
    """The result of a far step."""
    return {"fetched": context.get_dependency_result(context.get_config("step"))}


@step_handler("wait")
def wait(context: StepContext) -> object:
    """Waits until it is stopped."""
    context.sleep()
    return None


class Method(StepHandler):
    """Tells which of its methods was called."""

    handler_name = "method"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"method": "call"})

    def other(self, context: StepContext) -> StepHandlerResult:
        """The second method."""
        return self.success({"method": "other"})


class Metadata(StepHandler):
    """A result with metadata."""

    handler_name = "metadata"
    handler_version = "2.1.0"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.success({"ok": True}, metadata={"rows": 3})


@step_handler("large")
def large(context: StepContext) -> object:
    """A result of any size."""
    return {"text": "x" * int(context.get_config("bytes"))}


@step_handler("deep")
def deep(context: StepContext) -> object:
    """Lists within lists."""
    value: object = None
    for _ in range(int(context.get_config("levels"))):
        value = [value]
    return value


@step_handler("unicode")
def unicode(context: StepContext) -> object:
    """The input, as it came."""
    return context.input_data


@step_handler("trace")
def trace(context: StepContext) -> object:
    """What the attempt's span is called."""
    return {"traceparent": context.traceparent}


@step_handler("slow")
def slow(context: StepContext) -> object:
    """Waits for a file."""
    while not os.path.exists(context.get_config("file")):
        time.sleep(0.01)
    return {}
