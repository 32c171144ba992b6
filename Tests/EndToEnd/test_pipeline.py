"""The analytics pipeline: its answers, a service that is down for good, and runs named by a key."""

import json
import unittest

from support import EXAMPLE, PipelineTest, results, without_records

STEPS = [
    "extract_sales_data", "extract_inventory_data", "extract_customer_data", "transform_sales", "transform_inventory",
    "transform_customers", "aggregate_metrics", "generate_insights",
]
COMPLETE_WITHOUT_INVENTORY = {
    "extract_sales_data", "extract_customer_data", "transform_sales", "transform_customers",
}


class Answers(PipelineTest):
    def run_on(self, data):
        self.service()
        done = self.succeed(*self.pipeline("--input", json.dumps({"data": data}), "-o", "json"))
        return done.json

    def test_the_fixed_data_give_the_known_answers(self):
        report = self.run_on("fixed")
        self.assertEqual((report["state"], report["namespace"]), ("complete", "data_pipeline"))
        self.assertEqual(list(report["steps"]), STEPS)
        metrics = report["steps"]["aggregate_metrics"]["result"]
        self.assertEqual(metrics["total_revenue"], 3849.68)
        self.assertEqual(metrics["total_inventory_quantity"], 545)
        self.assertEqual(metrics["total_customers"], 5)
        self.assertEqual(metrics["revenue_per_customer"], 769.94)
        self.assertEqual(metrics["inventory_turnover_indicator"], 7.0636)
        self.assertEqual(metrics["total_records_processed"], 17)
        self.assertEqual(report["steps"]["generate_insights"]["result"]["health_score"]["score"], 85)

    def test_every_field_of_both_data_sets_is_as_expected(self):
        for data in ("fixed", "real"):
            expected = json.loads((EXAMPLE / f"expected/{data}.json").read_text())
            self.assertEqual(without_records(results(self.run_on(data))), without_records(expected), data)

    def test_a_service_that_answers_503_twice_costs_two_attempts_and_nothing_else(self):
        self.service("--fail-first", "2", "--retry-after", "0")
        report = self.succeed(*self.pipeline("-o", "json")).json
        attempts = {name: step["attempts"] for name, step in report["steps"].items()}
        self.assertEqual(attempts, {name: 3 if name == "extract_inventory_data" else 1 for name in STEPS})
        self.assertEqual(self.counted("start"), attempts)


class ServiceDown(PipelineTest):
    def test_what_succeeded_is_kept_and_retry_runs_only_the_rest(self):
        down = self.service("--down")
        done = self.stepwell(*self.pipeline("-o", "json"))
        self.assertEqual(done.code, 1, done)
        report = done.json
        self.assertEqual(report["state"], "blocked_by_failures")
        states = {name: step["state"] for name, step in report["steps"].items()}
        self.assertEqual({name for name, state in states.items() if state == "complete"}, COMPLETE_WITHOUT_INVENTORY)
        self.assertEqual(states["extract_inventory_data"], "error")
        self.assertEqual(states["aggregate_metrics"], "pending")
        self.assertNotIn("aggregate_metrics", self.counted("start"))
        before = self.counted("start")

        down.kill()
        self.service()
        retried = self.succeed(
            "retry", report["task_id"], "--worker", self.worker, "--reason", "the service is back", "-o", "json"
        ).json
        self.assertEqual(retried["state"], "complete")
        after = self.counted("start")
        for step in COMPLETE_WITHOUT_INVENTORY:
            self.assertEqual(after[step], before[step], step)
        retry = [event for event in self.events() if event["type"] == "operator.retried"]
        self.assertEqual([event["data"]["reason"] for event in retry], ["the service is back"])


class Keys(PipelineTest):
    def test_a_complete_task_is_reported_again_and_nothing_is_run_or_written(self):
        self.service()
        first = self.succeed(*self.pipeline("--key", "2026-11-24", "-o", "json"))
        counted, log = self.counted("start"), self.events()
        again = self.succeed(*self.pipeline("--key", "2026-11-24", "-o", "json"))
        self.assertEqual(again.out, first.out)
        self.assertEqual((self.counted("start"), self.events()), (counted, log))
        other = self.succeed(*self.pipeline("--key", "2026-11-24", "--new", "-o", "json")).json
        self.assertNotEqual(other["task_id"], first.json["task_id"])
        newest = self.succeed(*self.pipeline("--key", "2026-11-24", "-o", "json")).json
        self.assertEqual(newest["task_id"], other["task_id"])

    def test_a_blocked_task_is_shown_with_what_to_do_next(self):
        self.service("--down")
        self.assertEqual(self.stepwell(*self.pipeline("--key", "k")).code, 1)
        log = self.events()
        again = self.stepwell(*self.pipeline("--key", "k"))
        self.assertEqual(again.code, 1, again)
        self.assertIn("stepwell retry", again.err)
        self.assertEqual(self.events(), log)

    def test_a_key_belongs_to_a_namespace_and_a_name(self):
        steps = [{"name": "a", "handler": {"command": ["true"]}}]
        one, two = self.template(steps, "one"), self.template(steps, "two")
        ids = [self.succeed("run", path, "--key", "k", "-o", "json").json["task_id"] for path in (one, two, one)]
        self.assertEqual(ids[0], ids[2])
        self.assertNotEqual(ids[0], ids[1])


if __name__ == "__main__":
    unittest.main()
