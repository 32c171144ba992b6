"""What a handler knows about the step that it runs: `StepContext`."""

from __future__ import annotations

import logging
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any, Dict, List, Mapping, Optional, Protocol

if TYPE_CHECKING:
    Log = logging.LoggerAdapter[logging.Logger]
else:
    Log = logging.LoggerAdapter

#: Records of this logger go to the step's log, at every level.
step_logger = logging.getLogger("stepwell.step")
step_logger.setLevel(logging.DEBUG)


class Engine(Protocol):
    """The engine as one attempt sees it. The worker and the test kit each have one."""

    @property
    def is_cancelled(self) -> bool: ...

    @property
    def cancel_reason(self) -> Optional[str]: ...

    def sleep(self, seconds: Optional[float]) -> None: ...

    def fetch(self, step: str) -> Any: ...

    def save_checkpoint(self, data: Any) -> None: ...

    def heartbeat(self, progress: Any) -> None: ...


class StepContext:
    """Input, upstream results, configuration and the state of this attempt.

    Whatever it returns belongs to this attempt; changing it changes nothing elsewhere.
    """

    def __init__(self, message: Mapping[str, Any], engine: Engine) -> None:
        self._message = message
        self._engine = engine
        self._results: Dict[str, Any] = dict(message["dependencies"])
        self._checkpoint: Any = message.get("checkpoint")
        self._log: Optional[Log] = None

    # The task's input.

    @property
    def input_data(self) -> Dict[str, Any]:
        """The whole input of the task."""
        data: Dict[str, Any] = self._message["input"]
        return data

    def get_input(self, key: str) -> Any:
        """One member of the input; None when it is absent."""
        return self.input_data.get(key)

    def get_input_or(self, key: str, default: Any = None) -> Any:
        """One member of the input; `default` when it is absent or null."""
        value = self.input_data.get(key)
        return default if value is None else value

    # Results of earlier steps.

    def get_dependency_result(self, step: str) -> Any:
        """The complete result of an earlier step, near or far; None if it is not an ancestor.

        Results of farther steps, and very large ones, are asked for when first wanted.
        """
        if step not in self._results and step in self._message["fetchable"]:
            self._results[step] = self._engine.fetch(step)
        return self._results.get(step)

    def get_dependency_field(self, step: str, *path: str) -> Any:
        """A member deep inside an earlier result; None when any part of the path is absent."""
        value = self.get_dependency_result(step)
        for key in path:
            value = value.get(key) if isinstance(value, dict) else None
        return value

    def get_dependency_result_keys(self) -> List[str]:
        """Names of all steps whose results can be had: direct dependencies first."""
        names = [*self._message["dependency_names"], *self._results, *self._message["fetchable"]]
        available = {*self._results, *self._message["fetchable"]}
        return [name for name in dict.fromkeys(names) if name in available]

    def get_all_dependency_results(self, prefix: str = "") -> List[Any]:
        """The results of all earlier steps whose names begin with `prefix`, without nulls."""
        names = [name for name in self.get_dependency_result_keys() if name.startswith(prefix)]
        results = [self.get_dependency_result(name) for name in names]
        return [result for result in results if result is not None]

    # Configuration: `handler.initialization` of the template.

    @property
    def step_config(self) -> Dict[str, Any]:
        """The step's whole configuration."""
        config: Dict[str, Any] = self._message["config"]
        return config

    def get_config(self, key: str, default: Any = None) -> Any:
        """One member of the configuration; `default` when it is absent or null."""
        value = self.step_config.get(key)
        return default if value is None else value

    # Attempts.

    @property
    def attempt(self) -> int:
        """The number of this attempt; the first is 1."""
        number: int = self._message["attempt"]
        return number

    @property
    def max_attempts(self) -> int:
        """The number of the last attempt that the step may have, the first one counted."""
        number: int = self._message["max_attempts"]
        return number

    @property
    def retry_count(self) -> int:
        """How many attempts came before this one."""
        return self.attempt - 1

    @property
    def max_retries(self) -> int:
        """The same number as `max_attempts`, under the name and with the meaning of Tasker."""
        return self.max_attempts

    def is_retry(self) -> bool:
        """Whether an attempt came before this one."""
        return self.attempt > 1

    def is_last_retry(self) -> bool:
        """Whether no attempt can follow this one."""
        return self.attempt >= self.max_attempts

    # Checkpoints: what one attempt leaves for the next.

    @property
    def checkpoint(self) -> Any:
        """What the step saved last, in this attempt or an earlier one; None if nothing."""
        return self._checkpoint

    def has_checkpoint(self) -> bool:
        """Whether the step has saved anything."""
        return self._checkpoint is not None

    def save_checkpoint(self, data: Any) -> None:
        """Keep `data` for the next attempt. It is on disk when this returns."""
        self._engine.save_checkpoint(data)
        self._checkpoint = data

    def save_cursor(
        self, cursor: Any, items_processed: int = 0, accumulated_results: Any = None
    ) -> None:
        """Save a checkpoint of the shape that the three accessors below read, and go on."""
        self.save_checkpoint(
            {
                "cursor": cursor,
                "items_processed": items_processed,
                "accumulated_results": accumulated_results,
            }
        )

    @property
    def checkpoint_cursor(self) -> Any:
        """`cursor` of the checkpoint; None without one."""
        return self._of_checkpoint("cursor")

    @property
    def checkpoint_items_processed(self) -> int:
        """`items_processed` of the checkpoint; 0 without one."""
        return self._of_checkpoint("items_processed") or 0

    @property
    def accumulated_results(self) -> Any:
        """`accumulated_results` of the checkpoint; None without one."""
        return self._of_checkpoint("accumulated_results")

    def _of_checkpoint(self, key: str) -> Any:
        return self._checkpoint.get(key) if isinstance(self._checkpoint, dict) else None

    # Life signs and limits.

    def heartbeat(self, progress: Any = None) -> None:
        """Say that the handler is alive; `progress` is any JSON value for the live view."""
        self._engine.heartbeat(progress)

    @property
    def is_cancelled(self) -> bool:
        """Whether the attempt was asked to stop. A handler with long loops looks here."""
        return self._engine.is_cancelled

    @property
    def cancel_reason(self) -> Optional[str]:
        """Why it was asked to stop: `timeout`, `cancelled`, `shutdown`, or `lost`; None if it was not.

        `lost` is for remote workers: the server has forgotten this one and has given the step to another.
        """
        return self._engine.cancel_reason

    def sleep(self, seconds: Optional[float] = None) -> None:
        """Wait so long, or for ever. A cancellation ends the wait at once, with `Cancelled`."""
        self._engine.sleep(seconds)

    @property
    def deadline(self) -> Optional[datetime]:
        """When the attempt will be ended, in UTC; None if never."""
        milliseconds = self._message["deadline"]
        if milliseconds is None:
            return None
        return datetime.fromtimestamp(milliseconds / 1000, timezone.utc)

    # Names.

    @property
    def task_uuid(self) -> str:
        """The task's id."""
        return str(self._message["task_id"])

    @property
    def step_uuid(self) -> str:
        """The step's id, the same over all its attempts."""
        return str(self._message["step_id"])

    @property
    def idempotency_key(self) -> str:
        """The same over all attempts of the step: hand it to services that can tell a repeat."""
        return str(self._message["idempotency_key"])

    @property
    def correlation_id(self) -> str:
        """The task's correlation id."""
        return str(self._message["correlation_id"])

    @property
    def traceparent(self) -> Optional[str]:
        """W3C `traceparent` of the attempt's span, for what the handler calls; None from an engine that tells none."""
        found = self._message.get("traceparent")
        return None if found is None else str(found)

    @property
    def namespace(self) -> str:
        """The template's namespace."""
        return str(self._message["namespace"])

    @property
    def task_name(self) -> str:
        """The template's name."""
        return str(self._message["task_name"])

    @property
    def task_version(self) -> str:
        """The template's version."""
        return str(self._message["task_version"])

    @property
    def step_name(self) -> str:
        """The step's name in the template."""
        return str(self._message["step"])

    @property
    def handler_name(self) -> str:
        """The handler's name."""
        return str(self._message["handler"])

    @property
    def log(self) -> Log:
        """A logger whose lines go to the step's log, also from threads of the handler's own."""
        if self._log is None:
            self._log = Log(step_logger, {"stepwell_attempt": self._engine})
        return self._log
