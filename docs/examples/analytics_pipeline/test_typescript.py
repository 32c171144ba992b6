"""Runs the pipeline with its TypeScript handlers, and holds it against the same results as the Python ones.

    tsc -p docs/examples/analytics_pipeline/typescript
    STEPWELL_BIN=.build/release/stepwell \\
        python3 -m unittest discover -s docs/examples/analytics_pipeline -p test_typescript.py
"""

from __future__ import annotations

import json
import os
import shlex
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

from inventory_service import InventoryService

EXTRACTS = ["extract_sales_data", "extract_inventory_data", "extract_customer_data"]
WORKER = HERE.parents[2] / "Sources" / "Workers" / "typescript" / "dist" / "bin.js"
HANDLERS = HERE / "typescript" / "build" / "handlers.js"


class TypeScriptPipeline(unittest.TestCase):
    def setUp(self) -> None:
        self.binary = os.environ.get("STEPWELL_BIN")
        if not self.binary:
            self.fail("STEPWELL_BIN must name the built stepwell")
        if not HANDLERS.is_file():
            self.fail("compile the handlers: tsc -p docs/examples/analytics_pipeline/typescript")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.store = Path(folder.name) / "store"
        self.footprints = Path(folder.name) / "steps"

    def serve(self, **options: Any) -> str:
        """The address of an inventory service for this test."""
        service = InventoryService(**options)
        threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(service.server_close)
        self.addCleanup(service.shutdown)
        return service.url

    def start(self, data: str, url: str, *options: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            [
                str(self.binary), "run", str(HERE / "analytics_pipeline.yaml"), "--store", str(self.store),
                "--environment", "fast", "--input", json.dumps({"data": data}), "-o", "json",
                "--worker", shlex.join(["node", str(WORKER), str(HANDLERS)]), *options,
            ],
            text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "INVENTORY_URL": url, "STEP_COUNTER_FILE": str(self.footprints)},
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def run_pipeline(self, data: str, url: str, *options: str, status: int = 0) -> Dict[str, Any]:
        """The task that the engine prints."""
        process = self.start(data, url, *options)
        output, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, status, errors)
        report: Dict[str, Any] = json.loads(output)
        return report

    def steps(self) -> List[str]:
        return self.footprints.read_text().splitlines() if self.footprints.exists() else []

    def assert_expected(self, report: Dict[str, Any], data: str) -> None:
        self.assertEqual(report["state"], "complete")
        results = {name: step["result"] for name, step in report["steps"].items()}
        for extract in EXTRACTS:
            del results[extract]["records"]  # these are the input itself
        self.assertEqual(results, json.loads((HERE / "expected" / f"{data}.json").read_text(encoding="utf-8")))


class Results(TypeScriptPipeline):
    def test_every_field_of_every_result(self) -> None:
        for data in ("real", "fixed"):
            self.assert_expected(self.run_pipeline(data, self.serve()), data)

    def test_the_records_are_the_input(self) -> None:
        steps = self.run_pipeline("fixed", self.serve())["steps"]
        stocks = json.loads((HERE / "data" / "fixed" / "inventory.json").read_text(encoding="utf-8"))["rows"]
        customers = json.loads((HERE / "data" / "fixed" / "customers.json").read_text(encoding="utf-8"))["customers"]
        self.assertEqual(steps["extract_inventory_data"]["result"]["records"], stocks)
        self.assertEqual(steps["extract_customer_data"]["result"]["records"], customers)
        self.assertEqual(
            steps["extract_sales_data"]["result"]["records"][0],
            {"date": "2025-11-01", "product": "Widget A", "category": "widgets", "region": "north",
             "quantity": 5, "price": 99.99, "total": 499.95},
        )


class Faults(TypeScriptPipeline):
    def test_an_unavailable_service_is_asked_again(self) -> None:
        report = self.run_pipeline("fixed", self.serve(fail_first=2, retry_after=0))
        self.assert_expected(report, "fixed")
        inventory = [line for line in self.steps() if "extract_inventory" in line]
        self.assertEqual(
            inventory,
            [f"start extract_inventory_data {n}" for n in (1, 2, 3)] + ["end extract_inventory_data 3"],
        )

    def test_a_service_that_is_down_blocks_its_own_branch_only(self) -> None:
        report = self.run_pipeline("fixed", self.serve(down=True), status=1)
        self.assertEqual(report["state"], "blocked_by_failures")
        self.assertEqual(report["steps"]["transform_sales"]["state"], "complete")
        error = report["steps"]["extract_inventory_data"]["error"]
        self.assertEqual((error["error_code"], error["retryable"]), ("HTTP_503", True))

    def test_a_service_that_is_not_there_may_come_back(self) -> None:
        service = InventoryService()
        service.server_close()
        extract = self.run_pipeline("fixed", service.url, status=1)["steps"]["extract_inventory_data"]
        self.assertEqual((extract["attempts"], extract["error"]["retryable"]), (3, True))

    def test_a_wrong_address_is_no_matter_of_time(self) -> None:
        extract = self.run_pipeline("fixed", self.serve() + "/elsewhere", status=1)["steps"]["extract_inventory_data"]
        self.assertEqual((extract["attempts"], extract["error"]["retryable"]), (1, False))

    def test_an_unknown_data_set(self) -> None:
        report = self.run_pipeline("../fixed", self.serve(), status=1)
        for extract in EXTRACTS:
            self.assertEqual(report["steps"][extract]["error"]["error_type"], "validation_error")


class Crash(TypeScriptPipeline):
    def test_kill_9_costs_nothing_that_was_complete(self) -> None:
        # A service that takes the question and never answers: the run cannot end before it is killed.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            first = self.start("real", f"http://127.0.0.1:{silent.getsockname()[1]}", "--key", "tonight")
            waiting = {"end transform_sales 1", "end transform_customers 1", "start extract_inventory_data 1"}
            deadline = time.monotonic() + 60
            while not waiting <= set(self.steps()):
                self.assertIsNone(first.poll(), "it ended before it could be killed")
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.005)
            first.kill()
            first.wait()

        self.assert_expected(self.run_pipeline("real", self.serve(), "--key", "tonight"), "real")
        starts = Counter(line.split()[1] for line in self.steps() if line.startswith("start"))
        # Complete for sure, since the steps after them had ended.
        self.assertEqual((starts["extract_sales_data"], starts["extract_customer_data"]), (1, 1))
        self.assertEqual(starts["extract_inventory_data"], 2)


if __name__ == "__main__":
    unittest.main()
