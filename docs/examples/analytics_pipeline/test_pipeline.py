"""Runs all eight handlers in order, without an engine, on both data sets.

    python3 -m unittest discover -s docs/examples/analytics_pipeline
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
import unicodedata
import unittest
from pathlib import Path
from typing import Any, Dict
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parents[2] / "Sources" / "Workers" / "python")]

import handlers
import make_data
from inventory_service import InventoryService, main
from money import cents, divide, from_cents, to_cents, written
from stepwell import StepHandlerResult
from stepwell.discovery import find_handlers
from stepwell.testing import run_handler

STEPS: Dict[str, Any] = {
    "extract_sales_data": (handlers.ExtractSalesData, []),
    "extract_inventory_data": (handlers.ExtractInventoryData, []),
    "extract_customer_data": (handlers.ExtractCustomerData, []),
    "transform_sales": (handlers.transform_sales, ["extract_sales_data"]),
    "transform_inventory": (handlers.transform_inventory, ["extract_inventory_data"]),
    "transform_customers": (handlers.transform_customers, ["extract_customer_data"]),
    "aggregate_metrics": (
        handlers.aggregate_metrics,
        ["transform_sales", "transform_inventory", "transform_customers"],
    ),
    "generate_insights": (handlers.GenerateInsights, ["aggregate_metrics"]),
}


class WithService(unittest.TestCase):
    def serve(self, **options: Any) -> str:
        """The address of an inventory service for this test."""
        service = InventoryService(**options)
        threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(service.server_close)
        self.addCleanup(service.shutdown)
        return service.url

    def run_pipeline(self, **input: Any) -> Dict[str, Any]:
        """The result of each step."""
        input.setdefault("inventory_url", self.serve())
        results: Dict[str, Any] = {}
        with mock.patch("builtins.print"):
            for step, (handler, needed) in STEPS.items():
                dependencies = {name: results[name] for name in needed}
                done = run_handler(handler, step=step, input=input, dependencies=dependencies)
                self.assertTrue(done.is_success, done.error_message)
                results[step] = done.result
        return results

    def extract(self, url: str) -> StepHandlerResult:
        return run_handler(handlers.ExtractInventoryData, input={"inventory_url": url})


class FixedData(WithService):
    """The answers of the fixed data set are known beforehand."""

    def setUp(self) -> None:
        self.results = self.run_pipeline(data="fixed")

    def test_sales(self) -> None:
        extract, sales = self.results["extract_sales_data"], self.results["transform_sales"]
        self.assertEqual(extract["record_count"], 7)
        self.assertEqual(extract["date_range"], {"start": "2025-11-01", "end": "2025-11-25"})
        self.assertEqual((sales["total_revenue"], sales["total_quantity"]), (3849.68, 32))
        self.assertEqual(
            sales["product_sales"],
            {
                "Gadget X": {"quantity": 10, "revenue": 1499.90, "orders": 1, "avg_order_value": 1499.90},
                "Gadget Y": {"quantity": 1, "revenue": 249.99, "orders": 1, "avg_order_value": 249.99},
                "Widget A": {"quantity": 11, "revenue": 1099.89, "orders": 3, "avg_order_value": 366.63},
                "Widget B": {"quantity": 10, "revenue": 999.90, "orders": 2, "avg_order_value": 499.95},
            },
        )
        self.assertEqual(
            {name: group["revenue"] for name, group in sales["by_category"].items()},
            {"gadgets": 1749.89, "widgets": 2099.79},
        )
        self.assertEqual(
            {name: group["revenue"] for name, group in sales["by_region"].items()},
            {"north": 1099.89, "south": 299.97, "east": 1749.89, "west": 699.93},
        )
        self.assertEqual(sales["top_category"], "widgets")
        self.assertEqual(
            (sales["total_categories"], sales["total_regions"], sales["total_days"]), (2, 4, 7)
        )

    def test_inventory(self) -> None:
        inventory = self.results["transform_inventory"]
        self.assertEqual(inventory["total_quantity_on_hand"], 545)
        self.assertEqual(
            inventory["warehouse_summary"],
            {
                "WH-01": {"on_hand": 245, "rows": 3, "reorder_alerts": 1},
                "WH-02": {"on_hand": 300, "rows": 2, "reorder_alerts": 0},
            },
        )
        self.assertEqual(inventory["reorder_alerts"], 1)
        self.assertEqual([row["product"] for row in inventory["low_stock"]], ["PROD-D"])
        self.assertEqual(
            inventory["product_inventory"]["PROD-A"],
            {"on_hand": 250, "warehouses": 2, "needs_reorder": False},
        )

    def test_customers(self) -> None:
        customers = self.results["transform_customers"]
        self.assertEqual(customers["total_customers"], 5)
        self.assertEqual(customers["total_lifetime_value"], 30500)
        self.assertEqual(customers["avg_customer_value"], 6100)
        self.assertEqual(
            {tier: (t["customers"], t["lifetime_value"]) for tier, t in customers["tier_analysis"].items()},
            {"gold": (2, 12500), "premium": (1, 15000), "standard": (2, 3000)},
        )
        self.assertEqual(customers["value_segments"], {"high": 1, "medium": 3, "low": 1})

    def test_aggregate(self) -> None:
        self.assertEqual(
            self.results["aggregate_metrics"],
            {
                "total_revenue": 3849.68,
                "total_inventory_quantity": 545,
                "total_customers": 5,
                "total_customer_lifetime_value": 30500,
                "avg_customer_value": 6100,
                "sales_transactions": 7,
                "inventory_reorder_alerts": 1,
                "revenue_per_customer": 769.94,
                "inventory_turnover_indicator": 7.0636,
                "top_category": "widgets",
                "total_records_processed": 17,
                "sources_included": 3,
                "aggregation_complete": True,
            },
        )

    def test_insights(self) -> None:
        insights = self.results["generate_insights"]
        self.assertEqual([i["type"] for i in insights["insights"]], ["trend", "alert", "trend"])
        self.assertEqual(
            insights["health_score"],
            {
                "score": 85,
                "max_score": 100,
                "rating": "Excellent",
                "details": "Revenue: 40/40, Inventory: 15/30, Customer: 30/30",
            },
        )
        self.assertEqual((insights["insight_count"], insights["total_metrics_analyzed"]), (3, 13))
        self.assertTrue(insights["pipeline_complete"])


class RealData(WithService):
    def test_the_main_figures(self) -> None:
        metrics = self.run_pipeline()["aggregate_metrics"]
        self.assertEqual(metrics["total_revenue"], 1977291.24)
        self.assertEqual(metrics["total_inventory_quantity"], 18985)
        self.assertEqual(metrics["inventory_reorder_alerts"], 5)
        self.assertEqual(metrics["revenue_per_customer"], 4943.23)
        self.assertEqual(metrics["inventory_turnover_indicator"], 104.1502)
        self.assertEqual(metrics["total_records_processed"], 3544)

    def test_a_range_of_dates(self) -> None:
        january = self.run_pipeline(date_range_start="2026-01-01", date_range_end="2026-01-31")
        self.assertEqual(january["transform_sales"]["total_days"], 31)
        self.assertEqual(january["extract_sales_data"]["date_range"]["end"], "2026-01-31")

    def test_no_sales_at_all(self) -> None:
        nothing = self.run_pipeline(date_range_start="2030-01-01")
        self.assertEqual(nothing["extract_sales_data"]["date_range"], {"start": None, "end": None})
        self.assertIsNone(nothing["transform_sales"]["top_category"])
        self.assertEqual(nothing["aggregate_metrics"]["revenue_per_customer"], 0)
        self.assertEqual(nothing["aggregate_metrics"]["inventory_turnover_indicator"], 0)

    def test_the_files_are_what_the_script_makes(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            make_data.main(Path(folder))
            for file in sorted((HERE / "data" / "real").iterdir()):
                content = file.read_text(encoding="utf-8")
                self.assertEqual(content, (Path(folder) / file.name).read_text(encoding="utf-8"))
                # One spelling of each name in every language.
                self.assertEqual(content, unicodedata.normalize("NFC", content))


class Expected(WithService):
    """The files in `expected` hold every result, for handlers in other languages to be held against.

    WRITE_EXPECTED=1 writes them anew, after a change that is meant to change results.
    """

    def test_every_field_of_every_result(self) -> None:
        for data in ("real", "fixed"):
            results = self.run_pipeline(data=data)
            for extract in list(results)[:3]:
                del results[extract]["records"]  # these are the input itself
            file = HERE / "expected" / f"{data}.json"
            if os.environ.get("WRITE_EXPECTED"):
                text = json.dumps(results, ensure_ascii=False, indent=1, sort_keys=True)
                file.write_text(text + "\n", encoding="utf-8")
            self.assertEqual(results, json.loads(file.read_text(encoding="utf-8")))


class Faults(WithService):
    def test_an_unavailable_service_is_asked_again(self) -> None:
        url = self.serve(fail_first=2, retry_after=7)
        for _ in range(2):
            failed = self.extract(url)
            self.assertTrue(failed.retryable)
            self.assertEqual((failed.error_code, failed.retry_after), ("HTTP_503", 7))
        self.assertEqual(self.extract(url).result["record_count"], 144)

    def test_a_service_that_is_down_gives_no_hint(self) -> None:
        failed = self.extract(self.serve(down=True))
        self.assertEqual((failed.retryable, failed.retry_after), (True, None))

    def test_a_service_that_is_not_there(self) -> None:
        service = InventoryService()
        service.server_close()
        failed = self.extract(service.url)
        self.assertTrue(failed.retryable)
        self.assertIn("cannot read", failed.error_message or "")

    def test_a_wrong_address_is_no_matter_of_time(self) -> None:
        failed = self.extract(self.serve() + "/elsewhere")
        self.assertFalse(failed.retryable)

    def test_dates_in_retry_after(self) -> None:
        self.assertEqual(handlers.retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), 0)
        for header in (None, "", "soon"):
            self.assertIsNone(handlers.retry_after(header))

    def test_an_unknown_data_set(self) -> None:
        failed = run_handler(handlers.ExtractSalesData, input={"data": "../fixed"})
        self.assertEqual((failed.error_type, failed.retryable), ("validation_error", False))

    def test_rows_that_contradict_themselves(self) -> None:
        good = {"date": "2026-01-01", "product": "p", "category": "c", "region": "r",
                "quantity": "2", "price": "1.50", "total": "3.00"}
        self.assertEqual(handlers.sale(good, 2)["total"], 3)
        for key, wrong in (("total", "3.01"), ("price", "1.5"), ("quantity", "two"), ("total", "")):
            with self.assertRaisesRegex(Exception, "sales.csv, line 9"):
                handlers.sale({**good, key: wrong}, 9)

    def test_missing_results(self) -> None:
        for step in list(STEPS)[3:]:
            failed = run_handler(STEPS[step][0])
            self.assertFalse(failed.is_success)
            self.assertFalse(failed.retryable, step)
            self.assertIn("missing", failed.error_message or "")


class Surroundings(WithService):
    def test_footprints(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "steps"
            surroundings = {
                "STEP_COUNTER_FILE": str(file),
                "STEP_DELAY_MS": "1",
                "INVENTORY_URL": self.serve(fail_first=1),
            }
            with mock.patch.dict(os.environ, surroundings):
                for attempt in (1, 2):
                    run_handler(
                        handlers.ExtractInventoryData, step="extract_inventory_data", attempt=attempt
                    )
                run_handler(
                    handlers.transform_customers, step="transform_customers",
                    dependencies={"extract_customer_data": {"records": []}},
                )
            self.assertEqual(
                file.read_text().splitlines(),
                [
                    "start extract_inventory_data 1",
                    "start extract_inventory_data 2",
                    "end extract_inventory_data 2",
                    "start transform_customers 1",
                    "end transform_customers 1",
                ],
            )

    def test_the_worker_finds_the_eight_handlers_of_the_template(self) -> None:
        template = (HERE / "analytics_pipeline.yaml").read_text(encoding="utf-8")
        wanted = {line.split()[1] for line in template.splitlines() if " callable: " in line}
        self.assertEqual(len(wanted), 8)
        self.assertEqual(set(find_handlers([str(HERE / "handlers.py")])), wanted)

    def test_the_service_writes_its_port(self) -> None:
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "port"
            with mock.patch.object(InventoryService, "serve_forever", InventoryService.server_close), \
                    mock.patch("builtins.print"):
                main(["--port", "0", "--port-file", str(file)])
            self.assertGreater(int(file.read_text()), 0)


class Money(unittest.TestCase):
    def test_arithmetic(self) -> None:
        self.assertEqual([cents("99.99"), to_cents(3849.68), from_cents(384968)], [9999, 384968, 3849.68])
        self.assertEqual([divide(5, 2), divide(7, 3), divide(0, 5), divide(5, 0)], [3, 2, 0, 0])
        self.assertEqual([written(384968), written(5)], ["3849.68", "0.05"])


if __name__ == "__main__":
    unittest.main()
