"""The functional form of a handler: a decorated function that is given what it asks for.

    @step_handler("shop.invoice")
    @depends_on(cart="validate_cart")
    @inputs("currency")
    def invoice(cart, currency, context): ...

The decorators only take notes; the function itself stays as it is and can be called in a test.
"""

from __future__ import annotations

import inspect
from dataclasses import fields, is_dataclass
from typing import Any, Callable, Dict, Optional, Tuple, TypeVar, Union

from .context import StepContext
from .errors import PermanentError, ValidationError
from .handler import Handler, place_of

F = TypeVar("F", bound=Callable[..., Any])
Model = Callable[..., Any]

_NOTES = "__stepwell__"


class Notes:
    """What the decorators have said about a function."""

    def __init__(self) -> None:
        self.name: Optional[str] = None
        self.version = "1.0.0"
        self.steps: Dict[str, Tuple[str, Optional[Model]]] = {}
        self.keys: Tuple[str, ...] = ()
        self.input_model: Optional[Model] = None


def step_handler(name: str, version: str = "1.0.0") -> Callable[[F], F]:
    """Make the function the handler that templates call `name`.

    What it returns is the step's result, unless it returns a `StepHandlerResult`.
    """

    def decorate(function: F) -> F:
        notes = _notes(function)
        notes.name, notes.version = name, version
        return function

    return decorate


def depends_on(**steps: Union[str, Tuple[str, Model]]) -> Callable[[F], F]:
    """Pass results of earlier steps: `p="step"`, or `p=("step", Model)` to have it as a `Model`."""

    def decorate(function: F) -> F:
        for parameter, step in steps.items():
            _notes(function).steps[parameter] = (step, None) if isinstance(step, str) else step
        return function

    return decorate


def inputs(*wanted: Union[str, Model]) -> Callable[[F], F]:
    """Pass members of the task's input by name, or the whole input as a `Model` named `inputs`."""

    def decorate(function: F) -> F:
        notes = _notes(function)
        for item in wanted:
            if isinstance(item, str):
                notes.keys += (item,)
            else:
                notes.input_model = item
        return function

    return decorate


class FunctionHandler(Handler):
    """Runs a decorated function. Raises `TypeError` when function and decorators disagree."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self.notes = _notes(function)
        super().__init__(self.notes.name or "", self.notes.version, place_of(function))
        self.function = function
        self._check(inspect.signature(function))

    def _check(self, signature: inspect.Signature) -> None:
        given = {*self.notes.steps, *self.notes.keys}
        given |= {"inputs"} if self.notes.input_model else set()
        open_ended = False
        self.defaults = set()
        for parameter in signature.parameters.values():
            if parameter.kind is parameter.VAR_KEYWORD:
                open_ended = True
            elif parameter.kind is parameter.VAR_POSITIONAL:
                continue
            elif parameter.kind is parameter.POSITIONAL_ONLY:
                raise TypeError(f"handler {self.name}: `{parameter.name}` must have a name")
            elif parameter.default is not parameter.empty:
                self.defaults.add(parameter.name)
            elif parameter.name not in given and parameter.name != "context":
                raise TypeError(
                    f"handler {self.name}: nothing provides its parameter `{parameter.name}`;"
                    " name it in @depends_on or @inputs"
                )
        surplus = sorted(given - set(signature.parameters))
        if surplus and not open_ended:
            raise TypeError(f"handler {self.name} has no parameter `{surplus[0]}`")
        self.wants_context = "context" in signature.parameters

    def invoke(self, context: StepContext, method: str) -> Any:
        if method != "call":
            raise PermanentError(f"handler {self.name} is a function and has no method {method!r}")
        return self.function(**self._arguments(context))

    def is_async(self, method: str) -> bool:
        return inspect.iscoroutinefunction(self.function)

    def _arguments(self, context: StepContext) -> Dict[str, Any]:
        arguments: Dict[str, Any] = {}
        for parameter, (step, model) in self.notes.steps.items():
            value = context.get_dependency_result(step)
            if value is None and parameter in self.defaults:
                continue
            arguments[parameter] = _fit(value, model, f"the result of step {step}")
        for key in self.notes.keys:
            if key in context.input_data or key not in self.defaults:
                arguments[key] = context.get_input(key)
        if self.notes.input_model:
            arguments["inputs"] = _fit(
                context.input_data, self.notes.input_model, "the task's input"
            )
        if self.wants_context:
            arguments["context"] = context
        return arguments


def is_function_handler(thing: Any) -> bool:
    """Whether `thing` is a function that `@step_handler` has named."""
    notes = getattr(thing, _NOTES, None)
    return inspect.isfunction(thing) and isinstance(notes, Notes) and notes.name is not None


def _notes(function: Callable[..., Any]) -> Notes:
    notes = getattr(function, _NOTES, None)
    if not isinstance(notes, Notes):
        notes = Notes()
        setattr(function, _NOTES, notes)
    return notes


def _fit(value: Any, model: Optional[Model], what: str) -> Any:
    """`value` as a `model`: pydantic style, from keywords, or as the only argument.

    A dataclass takes the members that it has fields for, so that an upstream step may say more.
    """
    if model is None:
        return value
    try:
        if hasattr(model, "model_validate"):
            return model.model_validate(value)
        if is_dataclass(model) and isinstance(value, dict):
            known = {field.name for field in fields(model) if field.init}
            return model(**{key: item for key, item in value.items() if key in known})
        return model(**value) if isinstance(value, dict) else model(value)
    except (TypeError, ValueError) as error:
        name = getattr(model, "__name__", repr(model))
        raise ValidationError(f"{what} does not fit {name}: {error}") from error
