"""The analytics pipeline from outside: the answers, a source that is down for good, and what a key means."""

from __future__ import annotations

import json
from typing import Any, Dict

from support import EXTRACTS, PIPELINE, STEPS, WORKER, EndToEndTest, InventoryService, Stepwell


def without_records(report: Dict[str, Any]) -> Dict[str, Any]:
    """The results of a report as `expected/*.json` holds them."""
    results = {step: report["steps"][step]["result"] for step in STEPS}
    for extract in EXTRACTS:
        results[extract] = {name: value for name, value in results[extract].items() if name != "records"}
    return results


class Answers(EndToEndTest):
    def report(self, data: str) -> Dict[str, Any]:
        with self.inventory_service(fail_first=2) as service:
            stepwell = Stepwell(self, INVENTORY_URL=service.url)
            report = stepwell.json(*stepwell.pipeline(data=data))
        self.check_history(stepwell)
        self.assertEqual(stepwell.counter.starts(), {**dict.fromkeys(STEPS, 1), "extract_inventory_data": 3})
        self.assertEqual(report["steps"]["extract_inventory_data"]["attempts"], 3)
        expected = json.loads((PIPELINE / "expected" / f"{data}.json").read_text(encoding="utf-8"))
        self.assertEqual(without_records(report), expected)
        return report

    def test_the_fixed_data_gives_the_known_answers(self) -> None:
        results = without_records(self.report("fixed"))
        figures = results["aggregate_metrics"]
        self.assertEqual(figures["total_revenue"], 3849.68)
        self.assertEqual(figures["total_inventory_quantity"], 545)
        self.assertEqual(figures["total_customers"], 5)
        self.assertEqual(figures["revenue_per_customer"], 769.94)
        self.assertEqual(figures["inventory_turnover_indicator"], 7.0636)
        self.assertEqual(figures["total_records_processed"], 17)
        self.assertEqual(results["generate_insights"]["health_score"]["score"], 85)

    def test_the_real_data_gives_every_field_that_is_written_down(self) -> None:
        self.assertEqual(self.report("real")["state"], "complete")


class SourceDown(EndToEndTest):
    BEFORE = ["extract_sales_data", "extract_customer_data", "transform_sales", "transform_customers"]
    AFTER = ["transform_inventory", "aggregate_metrics", "generate_insights"]

    def test_what_is_complete_stays_and_retry_does_the_rest(self) -> None:
        with self.inventory_service(down=True) as service:
            stepwell = Stepwell(self, INVENTORY_URL=service.url)
            report = stepwell.json(*stepwell.pipeline("night"), code=1)
        states = {step: report["steps"][step]["state"] for step in STEPS}
        self.assertEqual(report["state"], "blocked_by_failures")
        self.assertEqual({step: states[step] for step in self.BEFORE}, dict.fromkeys(self.BEFORE, "complete"))
        self.assertEqual(states["extract_inventory_data"], "error")
        self.assertEqual(stepwell.counter.starts(), {**dict.fromkeys(self.BEFORE, 1), "extract_inventory_data": 3})
        self.assertEqual(stepwell.steps_with("attempt.started"), stepwell.counter.starts())

        with self.subTest("the key names the blocked task and runs nothing"):
            log = stepwell.lines("events")
            again = stepwell.run(*stepwell.pipeline("night"), code=1)
            self.assertIn("is blocked; 'stepwell retry", again.stderr)
            self.assertEqual(stepwell.lines("events"), log)

        with self.inventory_service(port=service.port):
            done = stepwell.json("retry", report["task_id"], "--worker", WORKER)
        self.assertEqual(done["state"], "complete")
        self.assertEqual(
            stepwell.counter.starts(),
            {**dict.fromkeys(self.BEFORE + self.AFTER, 1), "extract_inventory_data": 4},
            "complete steps do not run again")
        self.assertEqual(without_records(done)["aggregate_metrics"]["total_revenue"], 3849.68)
        self.assertEqual(stepwell.steps_with("step.completed"), dict.fromkeys(STEPS, 1))


class Key(EndToEndTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self, INVENTORY_URL=InventoryService(self).url)
        self.run_it = self.stepwell.pipeline("2026-11-24")

    def test_an_unfinished_task_of_the_key_goes_on(self) -> None:
        stopped = self.stepwell.json(*self.run_it, "--timeout", "1", "--grace", "0", code=6, STEP_DELAY_MS="700")
        self.assertEqual(stopped["state"], "in_progress")
        complete = self.stepwell.steps_with("step.completed")
        done = self.stepwell.json(*self.run_it)
        self.assertEqual((done["task_id"], done["state"]), (stopped["task_id"], "complete"))
        starts = self.stepwell.counter.starts()
        self.assertEqual({step: starts[step] for step in complete}, dict.fromkeys(complete, 1))
        self.check_history(self.stepwell)

    def test_a_complete_task_is_shown_again_and_nothing_runs(self) -> None:
        first = self.stepwell.run(*self.run_it, "-o", "json")
        log, footprints = self.stepwell.lines("events"), self.stepwell.counter.lines()
        again = self.stepwell.run(*self.run_it, "-o", "json")
        self.assertEqual(again.stdout, first.stdout)
        self.assertIn("is complete already; --new runs another", again.stderr)
        self.assertEqual(self.stepwell.lines("events"), log)
        self.assertEqual(self.stepwell.counter.lines(), footprints)

    def test_new_runs_another_which_the_key_then_names(self) -> None:
        first = self.stepwell.json(*self.run_it)["task_id"]
        second = self.stepwell.json(*self.run_it, "--new")["task_id"]
        self.assertNotEqual(first, second)
        self.assertEqual(self.stepwell.counter.starts(), dict.fromkeys(STEPS, 2))
        self.assertEqual(self.stepwell.json(*self.run_it)["task_id"], second)
        self.assertEqual(self.stepwell.counter.starts(), dict.fromkeys(STEPS, 2))

    def test_a_key_belongs_to_a_namespace_and_a_name(self) -> None:
        def task(namespace: str, name: str) -> str:
            step = {"name": "one", "handler": {"command": ["echo", "1"]}}
            template = self.write_template(step, name=name, namespace_name=namespace)
            return self.stepwell.json("run", template, "--key", "2026-11-24")["task_id"]

        wanted = [("a", "x"), ("a", "y"), ("b", "x")]
        ids = [task(*names) for names in wanted]
        self.assertEqual(len(set(ids)), 3)
        self.assertEqual([task(*names) for names in wanted], ids)
        self.assertEqual(self.stepwell.steps_with("step.completed"), {"one": 3})
