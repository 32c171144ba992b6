"""A whole template without an engine."""

from __future__ import annotations

import contextlib
import io
import json
import sys
import threading
import unittest
from pathlib import Path
from typing import Any, Dict, List

PACKAGE = Path(__file__).resolve().parents[1]
PIPELINE = PACKAGE.parents[2] / "docs" / "examples" / "analytics_pipeline"
sys.path.insert(0, str(PACKAGE))

from stepwell import (  # noqa: E402
    PermanentError, RetryableError, StepContext, StepHandler, StepHandlerResult, depends_on, inputs, step_handler,
)
from stepwell.rehearsal import TemplateStep, rehearse  # noqa: E402

keys: List[str] = []


@step_handler("fetch")
@inputs("currency")
def fetch(currency: str) -> Dict[str, Any]:
    return {"prices": [3, 4], "currency": currency}


@step_handler("add")
@depends_on(fetched="fetch")
async def add(fetched: Dict[str, Any], context: StepContext) -> Dict[str, Any]:
    return {"sum": sum(fetched["prices"]) * context.get_config("times", 1)}


class Flaky(StepHandler):
    handler_name = "flaky"

    def call(self, context: StepContext) -> StepHandlerResult:
        keys.append(context.idempotency_key)
        page = (context.checkpoint or 0) + 1
        context.save_checkpoint(page)
        if context.get_config("for_good") and page == 2:
            raise PermanentError("never")
        if not context.is_last_retry():
            raise RetryableError("not yet", retry_after=60)
        return self.success({"pages": page, "far": context.get_dependency_result("fetch")["currency"]})

    def other(self, context: StepContext) -> StepHandlerResult:
        return self.success("other")


TEMPLATE = {
    "name": "prices",
    "steps": [
        {"name": "flaky", "handler": {"callable": "flaky"}, "dependencies": ["add"], "retry": {"max_attempts": 4}},
        {"name": "fetch", "handler": {"callable": "fetch"}},
        {"name": "add", "handler": {"callable": "add", "initialization": {"times": 2}}, "dependencies": ["fetch"]},
        {"name": "other", "handler": {"callable": "flaky", "method": "other"}},
    ],
}
HANDLERS = [fetch, add, Flaky]


class Rehearsal(unittest.TestCase):
    def test_steps_run_in_order_and_fail_until_they_succeed(self) -> None:
        keys.clear()
        run = rehearse(TEMPLATE, HANDLERS, {"currency": "EUR"})
        self.assertEqual(run.state, "complete")
        self.assertEqual(run.result("add"), {"sum": 14})
        self.assertEqual(run.result("flaky"), {"pages": 4, "far": "EUR"})
        self.assertEqual(run.result("other"), "other")
        self.assertEqual(list(run.steps), ["flaky", "fetch", "add", "other"])
        flaky = run.steps["flaky"]
        self.assertEqual([end.retry_after for end in flaky.attempts], [60, 60, 60, None])
        self.assertEqual(flaky.engine.checkpoints, [1, 2, 3, 4])
        self.assertEqual(flaky.engine.fetched, ["fetch"])
        self.assertEqual(len(set(keys)), 1)

    def test_a_failure_blocks_what_comes_after(self) -> None:
        run = rehearse(
            [
                TemplateStep("flaky", "flaky", config={"for_good": True}, max_attempts=5),
                TemplateStep("add", "add", ["flaky"]),
                TemplateStep("fetch", "fetch"),
            ],
            HANDLERS,
        )
        self.assertEqual(run.state, "blocked_by_failures")
        self.assertEqual({name: step.state for name, step in run.steps.items()}, {"flaky": "error", "add": "pending", "fetch": "complete"})
        self.assertEqual(len(run.steps["flaky"].attempts), 2)
        with self.assertRaisesRegex(AssertionError, "step add is pending: flaky failed: never"):
            run.result("add")
        with self.assertRaisesRegex(AssertionError, "permanent_error: never"):
            run.result("flaky")

    def test_a_given_result_takes_the_place_of_a_step(self) -> None:
        template = {"steps": [
            {"name": "fetch", "handler": {"command": ["curl", "x"]}},
            {"name": "add", "handler": {"callable": "add"}, "dependencies": ["fetch"]},
        ]}
        run = rehearse(template, HANDLERS, results={"fetch": {"prices": [1]}})
        self.assertEqual((run.result("add"), run.steps["fetch"].attempts), ({"sum": 1}, []))
        with self.assertRaisesRegex(ValueError, "step fetch needs a result in `results`"):
            rehearse(template, HANDLERS)

    def test_an_attempt_that_may_not_be_repeated(self) -> None:
        step = {"name": "flaky", "handler": {"callable": "flaky"}, "retry": {"retryable": False}, "dependencies": ["fetch"]}
        run = rehearse({"steps": [TEMPLATE["steps"][1], step]}, HANDLERS)
        self.assertEqual(len(run.steps["flaky"].attempts), 1)
        self.assertEqual(run.state, "complete")  # its first attempt is its last

    def test_what_does_not_fit_together_is_told(self) -> None:
        for template, words in (
            ({"steps": []}, "has no steps"),
            ({"steps": [{"name": "a"}]}, "needs a name and a handler"),
            ([TemplateStep("a", "fetch"), TemplateStep("a", "fetch")], "two steps are named a"),
            ([TemplateStep("a", "fetch", ["b"])], "depends on b, which is no step"),
            ([TemplateStep("a", "fetch", ["b"]), TemplateStep("b", "fetch", ["a"])], "wait for each other: a, b"),
            ([TemplateStep("a", "none")], "needs a handler 'none'; there are: add, fetch, flaky"),
        ):
            with self.subTest(words), self.assertRaisesRegex(ValueError, words):
                rehearse(template, HANDLERS)  # type: ignore[arg-type]
        with self.assertRaisesRegex(ValueError, "`results` has b"):
            rehearse([TemplateStep("a", "fetch")], HANDLERS, results={"b": 1})

    def test_handlers_may_be_a_file(self) -> None:
        run = rehearse([TemplateStep("m", "method", method="other")], str(PACKAGE / "conformance.py"))
        self.assertEqual(run.result("m"), {"method": "other"})

    def test_the_example(self) -> None:
        sys.path.insert(0, str(PIPELINE))
        from inventory_service import InventoryService  # type: ignore[import-not-found]

        names = ["sales", "inventory", "customers"]
        extracts = ["extract_sales_data", "extract_inventory_data", "extract_customer_data"]
        steps = [TemplateStep(name, f"data_pipeline.{name}") for name in extracts]
        steps += [TemplateStep(f"transform_{n}", f"data_pipeline.transform_{n}", [e]) for n, e in zip(names, extracts)]
        steps += [
            TemplateStep("aggregate_metrics", "data_pipeline.aggregate_metrics", [f"transform_{n}" for n in names]),
            TemplateStep("generate_insights", "data_pipeline.generate_insights", ["aggregate_metrics"]),
        ]
        service = InventoryService(fail_first=2)
        threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
        with contextlib.redirect_stdout(io.StringIO()):
            run = rehearse(steps, str(PIPELINE / "handlers.py"), {"data": "fixed", "inventory_url": service.url})
        service.shutdown()
        service.server_close()
        expected = json.loads((PIPELINE / "expected" / "fixed.json").read_text(encoding="utf-8"))
        self.assertEqual(run.result("generate_insights"), expected["generate_insights"])
        self.assertEqual(len(run.steps["extract_inventory_data"].attempts), 3)


if __name__ == "__main__":
    unittest.main()
