"""Handlers in the shapes that Tasker's documentation shows, with its imports and nothing of Stepwell's."""

from __future__ import annotations

import asyncio
import os
from typing import Any, Dict, List, Optional

from tasker_core import PermanentError, RetryableError, StepContext, StepHandler, StepHandlerResult
from tasker_core.batch_processing import Batchable
from tasker_core.errors import NotFoundError, RateLimitError, TaskerError, ValidationError, is_retryable
from tasker_core.step_handler import StepHandler as BaseHandler
from tasker_core.step_handler.functional import (
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
from tasker_core.step_handler.mixins import APIMixin, DecisionMixin
from tasker_core.types import ErrorType

SERVICE = os.environ.get("TASKER_TEST_SERVICE", "http://127.0.0.1:9")


class OrderInput:
    """Stands in for a pydantic model, which has these two methods."""

    def __init__(self, amount: float, customer: Optional[str]) -> None:
        self.amount, self.customer = amount, customer

    @classmethod
    def model_validate(cls, value: Dict[str, Any]) -> OrderInput:
        if not isinstance(value.get("amount"), (int, float)):
            raise ValueError("amount: a number is wanted")
        return cls(value["amount"], value.get("customer"))

    def model_dump(self, mode: str = "python") -> Dict[str, Any]:
        return {"amount": self.amount, "customer": self.customer}


class ValidateOrder(StepHandler):
    handler_name = "validate_order"
    handler_version = "2.0.0"

    def call(self, context: StepContext) -> StepHandlerResult:
        amount = context.get_input("amount")
        if not amount:
            return self.failure(message="no amount", error_type=ErrorType.VALIDATION_ERROR, retryable=False, error_code="NO_AMOUNT")
        if amount > context.get_config("limit"):
            return StepHandlerResult.failure("too much", ErrorType.PERMANENT_ERROR, False, {"limit": 100})
        return StepHandlerResult.success(result={"total": amount, "currency": context.get_input_or("currency", "EUR")})


class Charge(BaseHandler):
    handler_name = "charge"

    async def call(self, context):  # type: ignore[no-untyped-def]
        order = context.get_dependency_result("validate")
        await asyncio.sleep(0)
        if not order:
            return self.failure(message="no order", error_type=ErrorType.VALIDATION_ERROR, retryable=False)
        return self.success({"charged": order["total"], "retries": context.retry_count}, metadata={"gw": "x"})


@step_handler("create_order")
@depends_on(order="validate", charge=("charge", OrderInput))
@inputs("customer")
def create_order(order, charge, customer, context):  # type: ignore[no-untyped-def]
    return {"order": order, "amount": charge.amount, "customer": customer, "step": context.step_name}


@step_handler("typed", version="3.0.0")
@inputs(OrderInput)
async def typed(inputs: OrderInput, context: StepContext) -> OrderInput:
    return inputs


@step_handler("nothing")
def nothing(context: StepContext) -> None:
    return None


@step_handler("raises")
@inputs("what")
def raises(what: str, context: StepContext) -> None:
    if what == "permanent":
        raise PermanentError("no", error_code="E1", metadata={"a": 1}, context={"b": 2})
    if what == "limited":
        raise RateLimitError("slow down", retry_after=7)
    if what == "tasker":
        raise TaskerError("odd", retryable=False)
    if what == "invalid":
        raise ValidationError("bad")
    assert is_retryable(KeyError("x")) and not is_retryable(NotFoundError("x"))
    raise RetryableError("later")


class Pages(StepHandler, Batchable):
    """Yields after each page and is called again with the checkpoint."""

    handler_name = "pages"

    def call(self, context):  # type: ignore[no-untyped-def]
        done = context.checkpoint_items_processed
        rows: List[int] = context.accumulated_results or []
        if done >= 3:
            return self.success({"rows": rows, "cursor": context.checkpoint_cursor})
        return self.checkpoint_yield(cursor=done * 10, items_processed=done + 1, accumulated_results=[*rows, done])


class AsyncPages(Pages):
    handler_name = "async_pages"

    async def call(self, context):  # type: ignore[no-untyped-def]
        await asyncio.sleep(0)
        return Pages.call.__wrapped__(self, context)  # type: ignore[attr-defined]


class FetchOrder(APIMixin, StepHandler):
    handler_name = "fetch_order"
    base_url = SERVICE + "/api"
    default_timeout = 5.0
    default_headers = {"X-Team": "orders"}

    def call(self, context: StepContext) -> StepHandlerResult:
        response = self.get(f"/orders/{context.input_data['order_id']}", params={"full": "yes"})
        return self.api_success(response) if response.ok else self.api_failure(response)


@api_handler("post_user", base_url=SERVICE)
@inputs("name")
def post_user(name, api, context):  # type: ignore[no-untyped-def]
    response = api.post("/users", json={"name": name})
    return api.api_success(result={"id": response["id"], "status": response.status_code})


@decision_handler("routing_decision")
@inputs("amount")
def routing_decision(amount, context):  # type: ignore[no-untyped-def]
    return Decision.route(["auto_approve"], route_type="automatic") if amount < 1000 else Decision.skip("too much")


class Routing(DecisionMixin, StepHandler):
    handler_name = "routing"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.decision_success(["a", "b"], routing_context={})


@batch_analyzer("analyze_csv", worker_template="process_csv_batch")
@inputs("path")
def analyze_csv(path, context):  # type: ignore[no-untyped-def]
    return BatchConfig(total_items=1000, batch_size=100)


@batch_worker("process_csv_batch")
@depends_on(analyzed="analyze_csv")
def process_csv_batch(analyzed, batch_context, context):  # type: ignore[no-untyped-def]
    return {"items": batch_context.batch_size}


class AnalyzeCsv(StepHandler, Batchable):
    handler_name = "analyze_csv_class"

    def call(self, context: StepContext) -> StepHandlerResult:
        return self.batch_analyzer_success(self.create_batch_outcome(total_items=1000, batch_size=100))
