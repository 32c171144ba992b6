"""Runs the pipeline with its Swift handlers, and holds it against the same results as the Python ones.

    ANALYTICS_PIPELINE_BIN=.build/release/AnalyticsPipeline \\
        python3 -m unittest discover -s docs/examples/analytics_pipeline -p test_swift.py
"""

from __future__ import annotations

import json
import os
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


class SwiftPipeline(unittest.TestCase):
    def setUp(self) -> None:
        self.binary = os.environ.get("ANALYTICS_PIPELINE_BIN")
        if not self.binary:
            self.fail("ANALYTICS_PIPELINE_BIN must name the built AnalyticsPipeline")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)
        self.footprints = self.folder / "steps"

    def serve(self, **options: Any) -> str:
        """The address of an inventory service for this test."""
        service = InventoryService(**options)
        threading.Thread(target=service.serve_forever, args=(0.01,), daemon=True).start()
        self.addCleanup(service.server_close)
        self.addCleanup(service.shutdown)
        return service.url

    def start(self, *options: str, url: str, **surroundings: str) -> "subprocess.Popen[str]":
        arguments = ["--store", str(self.folder / "store"), "--environment", "fast", *options]
        process = subprocess.Popen(
            [str(self.binary), *arguments], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**os.environ, "INVENTORY_URL": url, "STEP_COUNTER_FILE": str(self.footprints), **surroundings},
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def run_pipeline(self, *options: str, url: str, status: int = 0) -> Dict[str, Any]:
        """The report that the program prints."""
        process = self.start(*options, url=url)
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


class Results(SwiftPipeline):
    def test_every_field_of_every_result(self) -> None:
        for data in ("real", "fixed"):
            self.assert_expected(self.run_pipeline("--data", data, url=self.serve()), data)

    def test_the_records_are_the_input(self) -> None:
        steps = self.run_pipeline("--data", "fixed", url=self.serve())["steps"]
        stocks = json.loads((HERE / "data" / "fixed" / "inventory.json").read_text(encoding="utf-8"))["rows"]
        customers = json.loads((HERE / "data" / "fixed" / "customers.json").read_text(encoding="utf-8"))["customers"]
        self.assertEqual(steps["extract_inventory_data"]["result"]["records"], stocks)
        self.assertEqual(steps["extract_customer_data"]["result"]["records"], customers)
        self.assertEqual(
            steps["extract_sales_data"]["result"]["records"][0],
            {"date": "2025-11-01", "product": "Widget A", "category": "widgets", "region": "north",
             "quantity": 5, "price": 99.99, "total": 499.95},
        )


class Faults(SwiftPipeline):
    def test_an_unavailable_service_is_asked_again(self) -> None:
        url = self.serve(fail_first=2, retry_after=0)
        report = self.run_pipeline("--data", "fixed", url=url)
        self.assert_expected(report, "fixed")
        self.assertEqual(report["steps"]["extract_inventory_data"]["attempts"], 3)
        inventory = [line for line in self.steps() if "extract_inventory" in line]
        self.assertEqual(
            inventory,
            [f"start extract_inventory_data {n}" for n in (1, 2, 3)] + ["end extract_inventory_data 3"],
        )

    def test_a_service_that_is_down_blocks_its_own_branch_only(self) -> None:
        report = self.run_pipeline("--data", "fixed", url=self.serve(down=True), status=1)
        self.assertEqual(report["state"], "blocked_by_failures")
        states = {name: step["state"] for name, step in report["steps"].items()}
        self.assertEqual(states["transform_sales"], "complete")
        self.assertEqual(states["transform_customers"], "complete")
        error = report["steps"]["extract_inventory_data"]["error"]
        self.assertEqual((error["error_code"], error["retryable"]), ("HTTP_503", True))

    def test_a_service_that_is_not_there_may_come_back(self) -> None:
        service = InventoryService()
        service.server_close()
        report = self.run_pipeline("--data", "fixed", url=service.url, status=1)
        extract = report["steps"]["extract_inventory_data"]
        self.assertEqual((extract["attempts"], extract["error"]["retryable"]), (3, True))

    def test_a_service_that_never_answers_is_given_up(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as silent:
            self.start("--data", "fixed", url=f"http://127.0.0.1:{silent.getsockname()[1]}")
            # Asked again after its 5 seconds, and not only when the step's 30 seconds are over.
            deadline = time.monotonic() + 25
            while "start extract_inventory_data 2" not in self.steps():
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.01)

    def test_a_wrong_address_is_no_matter_of_time(self) -> None:
        report = self.run_pipeline("--data", "fixed", url=self.serve() + "/elsewhere", status=1)
        extract = report["steps"]["extract_inventory_data"]
        self.assertEqual((extract["attempts"], extract["error"]["retryable"]), (1, False))

    def test_an_unknown_data_set(self) -> None:
        report = self.run_pipeline("--data", "../fixed", url=self.serve(), status=1)
        for extract in EXTRACTS:
            self.assertEqual(report["steps"][extract]["error"]["error_type"], "validation_error")


class Crash(SwiftPipeline):
    def test_kill_9_costs_nothing_that_was_complete(self) -> None:
        options = ["--data", "real", "--key", "tonight"]
        # A service that takes the question and never answers: the run cannot end before it is killed.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            first = self.start(*options, url=f"http://127.0.0.1:{silent.getsockname()[1]}")
            waiting = {"end transform_sales 1", "end transform_customers 1", "start extract_inventory_data 1"}
            deadline = time.monotonic() + 60
            while not waiting <= set(self.steps()):
                self.assertIsNone(first.poll(), "it ended before it could be killed")
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.005)
            first.kill()
            first.wait()

        report = self.run_pipeline(*options, url=self.serve())
        self.assert_expected(report, "real")
        self.assertEqual(sum(step["attempts"] for step in report["steps"].values()), 8)
        self.assertEqual(report["steps"]["extract_inventory_data"]["lost"], 1)
        starts = Counter(line.split()[1] for line in self.steps() if line.startswith("start"))
        # Complete for sure, since the steps after them had ended.
        self.assertEqual((starts["extract_sales_data"], starts["extract_customer_data"]), (1, 1))
        self.assertEqual(starts["extract_inventory_data"], 2)

        # Once more: nothing is left to do.
        lines = self.steps()
        self.assertEqual(self.run_pipeline(*options, url=self.serve())["task_id"], report["task_id"])
        self.assertEqual(self.steps(), lines)


class CommandLine(SwiftPipeline):
    def test_help(self) -> None:
        done = subprocess.run([str(self.binary), "--help"], text=True, capture_output=True, timeout=60)
        self.assertEqual(done.returncode, 0)
        for option in ("--data", "--environment", "--store", "--key"):
            self.assertIn(option, done.stdout)

    def test_what_makes_no_sense(self) -> None:
        for arguments in (["--colour", "red"], ["--data"], ["fixed"]):
            done = subprocess.run([str(self.binary), *arguments], text=True, capture_output=True, timeout=60)
            self.assertEqual(done.returncode, 2)
            self.assertIn("error: ", done.stderr)


if __name__ == "__main__":
    unittest.main()
