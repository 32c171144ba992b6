"""Handlers of both forms, run by the test kit."""

from __future__ import annotations

import asyncio
import sys
import unittest
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Dict

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

import stepwell
from stepwell import (
    ErrorType,
    StepContext,
    StepHandler,
    StepHandlerResult,
    depends_on,
    inputs,
    step_handler,
)
from stepwell.testing import FakeEngine, make_context, run_handler


class Charge(StepHandler):
    handler_name = "charge"

    def call(self, context: StepContext) -> StepHandlerResult:
        order = context.get_dependency_result("validate")
        if not order:
            return self.failure(
                message="no order", error_type=ErrorType.VALIDATION_ERROR, retryable=False
            )
        return self.success(result={"charged": order["total"]}, metadata={"gateway": "x"})


class AsyncCharge(StepHandler):
    handler_name = "async_charge"

    async def call(self, context: StepContext) -> StepHandlerResult:
        await asyncio.sleep(0)
        return self.success([context.attempt])


class ClassForm(unittest.TestCase):
    def test_success(self) -> None:
        result = run_handler(Charge, dependencies={"validate": {"total": 5}})
        self.assertTrue(result.is_success)
        self.assertEqual(result.result, {"charged": 5})
        self.assertEqual(result.metadata, {"gateway": "x"})

    def test_failure(self) -> None:
        result = run_handler(Charge)
        self.assertFalse(result.is_success)
        self.assertEqual(
            (result.error_message, result.error_type, result.retryable),
            ("no order", "validation_error", False),
        )

    def test_async(self) -> None:
        self.assertEqual(run_handler(AsyncCharge, attempt=2).result, [2])

    def test_a_class_without_call_or_name(self) -> None:
        class Empty(StepHandler):
            handler_name = "empty"

        result = run_handler(Empty)
        self.assertEqual(result.error_type, "permanent_error")
        self.assertIn("no method 'call'", result.error_message or "")
        with self.assertRaises(TypeError):
            run_handler(StepHandler)

    def test_each_attempt_has_its_own_object(self) -> None:
        class Counting(StepHandler):
            handler_name = "counting"

            def __init__(self) -> None:
                self.count = 0

            def call(self, context: StepContext) -> StepHandlerResult:
                self.count += 1
                return self.success(self.count)

        self.assertEqual([run_handler(Counting).result for _ in range(2)], [1, 1])


@dataclass
class Cart:
    total: float
    items: int = 0


class Pydantic:
    """What the SDK knows of pydantic: two methods."""

    def __init__(self, value: Dict[str, Any]) -> None:
        self.value = value

    @classmethod
    def model_validate(cls, value: Dict[str, Any]) -> Pydantic:
        if "total" not in value:
            raise ValueError("total is missing")
        return cls(value)

    def model_dump(self, mode: str) -> Dict[str, Any]:
        return {"mode": mode, **self.value}


class FunctionalForm(unittest.TestCase):
    def test_results_inputs_and_context_arrive_by_name(self) -> None:
        @step_handler("pay", version="2.0.0")
        @depends_on(cart="validate_cart", user=("load_user", dict))
        @inputs("currency", "absent")
        def pay(
            cart: Any, user: Any, currency: str, absent: Any, context: StepContext
        ) -> Dict[str, Any]:
            return {"all": [cart, user, currency, absent, context.step_name]}

        result = run_handler(
            pay,
            dependencies={"validate_cart": {"total": 3}, "load_user": {"name": "Zoë"}},
            input={"currency": "EUR"},
            step="pay_step",
        )
        self.assertEqual(result.result, {"all": [{"total": 3}, {"name": "Zoë"}, "EUR", None, "pay_step"]})

    def test_the_order_of_decorators_does_not_matter_and_the_function_stays_callable(self) -> None:
        @inputs("a")
        @step_handler("add")
        def add(a: int, b: int = 2) -> int:
            return a + b

        self.assertEqual(run_handler(add, input={"a": 1}).result, 3)
        self.assertEqual(add(5, 6), 11)

    def test_models(self) -> None:
        @step_handler("models")
        @depends_on(cart=("one", Cart), other=("two", Pydantic), number=("three", float))
        @inputs(Cart)
        def models(cart: Cart, other: Pydantic, number: float, inputs: Cart) -> Any:
            return [cart.total, cart.items, other.value["total"], number, inputs.total]

        good = {"one": {"total": 1, "more": True}, "two": {"total": 2}, "three": "3"}
        result = run_handler(models, dependencies=good, input={"total": 4})
        self.assertEqual(result.result, [1, 0, 2, 3.0, 4])
        for name, value in (("one", {}), ("two", {}), ("three", "x"), ("three", None)):
            result = run_handler(models, dependencies={**good, name: value}, input={"total": 4})
            self.assertEqual(result.error_type, "validation_error")
            self.assertIn(f"the result of step {name} does not fit", result.error_message or "")
        result = run_handler(models, dependencies=good)
        self.assertIn("the task's input does not fit Cart", result.error_message or "")

    def test_defaults_stand_in_for_what_is_absent(self) -> None:
        @step_handler("defaults")
        @depends_on(p="p")
        @inputs("q")
        def defaults(p: Any = "P", q: Any = "Q") -> Any:
            return [p, q]

        self.assertEqual(run_handler(defaults).result, ["P", "Q"])
        self.assertEqual(run_handler(defaults, dependencies={"p": 1}, input={"q": None}).result, [1, None])

    def test_whatever_is_returned_is_the_result(self) -> None:
        for value in ({"a": 1}, [1], "text", 1.5, True, None):
            @step_handler("give")
            def give() -> Any:
                return value

            result = run_handler(give)
            self.assertTrue(result.is_success)
            self.assertEqual(result.result, value)

    def test_models_are_returned_as_objects_and_results_pass_through(self) -> None:
        @step_handler("give")
        @inputs("kind")
        async def give(kind: str) -> Any:
            return {
                "dataclass": Cart(1.5), "pydantic": Pydantic({"x": 1}),
                "result": StepHandlerResult.failure("no"),
            }[kind]

        self.assertEqual(run_handler(give, input={"kind": "dataclass"}).result, {"total": 1.5, "items": 0})
        self.assertEqual(run_handler(give, input={"kind": "pydantic"}).result, {"mode": "json", "x": 1})
        self.assertEqual(run_handler(give, input={"kind": "result"}).error_message, "no")

    def test_decorators_and_function_must_agree(self) -> None:
        @step_handler("missing")
        def missing(cart: Any) -> None: ...

        @step_handler("surplus")
        @inputs("cart")
        def surplus() -> None: ...

        @step_handler("open")
        @inputs("cart")
        def open_ended(**others: Any) -> Any:
            return others

        with self.assertRaisesRegex(Exception, "nothing provides its parameter `cart`"):
            run_handler(missing)
        with self.assertRaisesRegex(Exception, "has no parameter `cart`"):
            run_handler(surplus)
        self.assertEqual(run_handler(open_ended, input={"cart": 1}).result, {"cart": 1})


class Errors(unittest.TestCase):
    RETRYABLE = (
        "RetryableError", "TimeoutError", "NetworkError", "RateLimitError",
        "ServiceUnavailableError", "ResourceContentionError",
    )
    PERMANENT = (
        "PermanentError", "ValidationError", "NotFoundError", "AuthenticationError",
        "AuthorizationError", "ConfigurationError", "BusinessLogicError",
    )

    def failure(self, error: BaseException) -> StepHandlerResult:
        @step_handler("raise")
        def fail() -> None:
            raise error

        return run_handler(fail)

    def test_classes_say_whether_another_attempt_can_help(self) -> None:
        for names, retryable in ((self.RETRYABLE, True), (self.PERMANENT, False)):
            for name in names:
                error = getattr(stepwell, name)("why", metadata={"k": 1}, error_code="E")
                self.assertEqual(stepwell.is_retryable(error), retryable, name)
                result = self.failure(error)
                self.assertEqual(result.retryable, retryable, name)
                self.assertEqual(result.error_message, "why")
                self.assertEqual(result.error_code, "E")
                self.assertEqual(result.metadata, {"k": 1, "exception_type": name})

    def test_error_types(self) -> None:
        for error, error_type in (
            (stepwell.TimeoutError("x"), "timeout"),
            (stepwell.ValidationError("x"), "validation_error"),
            (stepwell.NotFoundError("x"), "permanent_error"),
            (stepwell.NetworkError("x"), "retryable_error"),
            (stepwell.TaskerError("x"), "handler_error"),
            (OSError("x"), "handler_error"),
        ):
            self.assertEqual(self.failure(error).error_type, error_type)

    def test_a_single_error_can_differ_from_its_class(self) -> None:
        result = self.failure(stepwell.StepwellError("x", retryable=False, retry_after=2, context={"a": 1}))
        self.assertFalse(result.retryable)
        self.assertEqual(result.retry_after, 2)
        self.assertEqual(result.metadata["a"], 1)

    def test_the_backtrace_begins_in_the_handler(self) -> None:
        backtrace = self.failure(ValueError("deep")).backtrace or ""
        self.assertIn("ValueError: deep", backtrace)
        self.assertIn("in fail", backtrace)
        self.assertNotIn("running.py", backtrace)

    def test_cancelled_passes_through_except_exception(self) -> None:
        self.assertFalse(issubclass(stepwell.Cancelled, Exception))


class Context(unittest.TestCase):
    def test_input_and_configuration(self) -> None:
        context = make_context(input={"a": 1, "n": None}, config={"c": 2, "n": None})
        self.assertEqual([context.get_input("a"), context.get_input("b")], [1, None])
        self.assertEqual([context.get_input_or("n", 5), context.get_input_or("b", 6)], [5, 6])
        self.assertEqual(context.input_data, {"a": 1, "n": None})
        self.assertEqual([context.get_config("c"), context.get_config("x")], [2, None])
        self.assertEqual(context.get_config("n", 3), 3)
        self.assertEqual(context.step_config, {"c": 2, "n": None})

    def test_dependencies(self) -> None:
        engine = FakeEngine(fetchable={"batch_2": {"far": True}})
        context = make_context(
            dependencies={"batch_1": {"result": {"deep": [1]}}, "other": None}, engine=engine
        )
        # The complete result, also when it has a member of the name `result`.
        self.assertEqual(context.get_dependency_result("batch_1"), {"result": {"deep": [1]}})
        self.assertEqual(context.get_dependency_field("batch_1", "result", "deep"), [1])
        self.assertIsNone(context.get_dependency_field("batch_1", "result", "deep", "deeper"))
        self.assertIsNone(context.get_dependency_field("unknown", "x"))
        self.assertEqual(engine.fetched, [])
        self.assertEqual(context.get_dependency_result_keys(), ["batch_1", "other", "batch_2"])
        self.assertEqual(len(context.get_all_dependency_results("batch_")), 2)
        self.assertEqual(len(context.get_all_dependency_results()), 2)
        self.assertEqual(engine.fetched, ["batch_2"])

    def test_attempts(self) -> None:
        first, last = make_context(), make_context(attempt=3)
        self.assertEqual([first.retry_count, first.max_retries, first.max_attempts], [0, 3, 3])
        self.assertEqual([first.is_retry(), first.is_last_retry()], [False, False])
        self.assertEqual([last.retry_count, last.is_retry(), last.is_last_retry()], [2, True, True])
        self.assertTrue(make_context(max_attempts=1).is_last_retry())

    def test_checkpoints(self) -> None:
        engine = FakeEngine()
        context = make_context(engine=engine)
        self.assertFalse(context.has_checkpoint())
        self.assertEqual([context.checkpoint_cursor, context.checkpoint_items_processed], [None, 0])
        context.save_cursor(4, items_processed=4, accumulated_results={"sum": 9})
        self.assertTrue(context.has_checkpoint())
        self.assertEqual(context.accumulated_results, {"sum": 9})
        context.save_checkpoint([1, 2])
        self.assertEqual(context.checkpoint, [1, 2])
        self.assertIsNone(context.checkpoint_cursor)
        self.assertEqual(len(engine.checkpoints), 2)

    def test_deadline_heartbeat_cancel_and_names(self) -> None:
        engine = FakeEngine(is_cancelled=True)
        context = make_context(engine=engine, deadline=1_000_500)
        self.assertEqual(
            context.deadline, datetime(1970, 1, 1, 0, 16, 40, 500_000, tzinfo=timezone.utc)
        )
        self.assertIsNone(make_context().deadline)
        self.assertTrue(context.is_cancelled)
        context.heartbeat(0.5)
        self.assertEqual(engine.heartbeats, [0.5])
        for name in (
            "task_uuid", "step_uuid", "correlation_id", "idempotency_key", "namespace",
            "task_name", "task_version", "handler_name", "step_name",
        ):
            self.assertIsInstance(getattr(context, name), str)

    def test_log(self) -> None:
        with self.assertLogs("stepwell.step", "DEBUG") as logs:
            make_context().log.debug("rows: %d", 3)
        self.assertEqual(logs.records[0].getMessage(), "rows: 3")


class Kit(unittest.TestCase):
    def test_what_is_not_json_fails_in_a_test_as_it_would_in_a_run(self) -> None:
        @step_handler("bad")
        def bad() -> Any:
            return {"when": datetime.now()}

        result = run_handler(bad)
        self.assertEqual(result.error_type, "result_not_json")
        self.assertIn("result.when is a datetime", result.error_message or "")

    def test_results_have_been_through_json(self) -> None:
        @step_handler("tuple")
        def pair() -> Any:
            return {"pair": (1, 2), 3: None}

        self.assertEqual(run_handler(pair).result, {"pair": [1, 2], "3": None})

    def test_a_handler_cannot_change_the_tests_data(self) -> None:
        @step_handler("change")
        @depends_on(rows="rows")
        def change(rows: Any) -> Any:
            rows.append(1)
            return rows

        rows = [0]
        self.assertEqual(run_handler(change, dependencies={"rows": rows}).result, [0, 1])
        self.assertEqual(rows, [0])


if __name__ == "__main__":
    unittest.main()
