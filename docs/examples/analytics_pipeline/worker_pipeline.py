"""What the pipeline must do with the handlers of any language: the same results as the Python ones, and nothing lost. Each language's
test file names its worker, and takes over these cases."""

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
import urllib.request
from collections import Counter
from pathlib import Path
from typing import Any, Dict, List, Optional

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE)]

from inventory_service import InventoryService

EXTRACTS = ["extract_sales_data", "extract_inventory_data", "extract_customer_data"]


class WorkerPipeline(unittest.TestCase):
    """`worker` is the command of a worker, `built` what must be there, and how it comes to be."""

    worker: List[str]
    built: Optional[Path] = None
    how = ""

    def setUp(self) -> None:
        if self.built and not self.built.is_file():
            self.fail(f"build the handlers: {self.how}")
        binary = os.environ.get("STEPWELL_BIN")
        if not binary:
            self.fail("STEPWELL_BIN must name the built stepwell")
        self.binary = str(Path(binary).resolve())
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

    def environment(self, url: str) -> Dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("STEPWELL_")}
        return {**kept, "INVENTORY_URL": url, "STEP_COUNTER_FILE": str(self.footprints)}

    def start(self, command: List[str], url: str, **more: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            command, text=True, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            env={**self.environment(url), **more},
        )
        self.addCleanup(process.communicate)
        self.addCleanup(process.kill)
        return process

    def run_pipeline(self, url: str, data: str = "fixed", key: Optional[str] = None, status: int = 0) -> Dict[str, Any]:
        """What `stepwell run` reports."""
        process = self.start(self.command(data, key), url)
        output, errors = process.communicate(timeout=120)
        self.assertEqual(process.returncode, status, errors)
        self.assertNotIn("warning", errors)
        report: Dict[str, Any] = json.loads(output)
        return report

    def command(self, data: str, key: Optional[str]) -> List[str]:
        return [
            self.binary, "run", str(HERE / "analytics_pipeline.yaml"), "--store", str(self.folder / "store"),
            "--environment", "fast", "--input", json.dumps({"data": data}), "-o", "json",
            "--worker", shlex.join(self.worker), *(["--key", key] if key else []),
        ]

    def steps(self) -> List[str]:
        return self.footprints.read_text().splitlines() if self.footprints.exists() else []

    def assert_expected(self, report: Dict[str, Any], data: str) -> None:
        self.assertEqual(report["state"], "complete")
        results = {name: step["result"] for name, step in report["steps"].items()}
        for extract in EXTRACTS:
            del results[extract]["records"]  # these are the input itself
        self.assertEqual(results, json.loads((HERE / "expected" / f"{data}.json").read_text(encoding="utf-8")))


class Results(WorkerPipeline):
    def test_every_field_of_every_result(self) -> None:
        for data in ("real", "fixed"):
            self.assert_expected(self.run_pipeline(self.serve(), data), data)

    def test_the_records_are_the_input(self) -> None:
        steps = self.run_pipeline(self.serve())["steps"]
        stocks = json.loads((HERE / "data" / "fixed" / "inventory.json").read_text(encoding="utf-8"))["rows"]
        customers = json.loads((HERE / "data" / "fixed" / "customers.json").read_text(encoding="utf-8"))["customers"]
        self.assertEqual(steps["extract_inventory_data"]["result"]["records"], stocks)
        self.assertEqual(steps["extract_customer_data"]["result"]["records"], customers)
        self.assertEqual(
            steps["extract_sales_data"]["result"]["records"][0],
            {"date": "2025-11-01", "product": "Widget A", "category": "widgets", "region": "north",
             "quantity": 5, "price": 99.99, "total": 499.95},
        )


class Faults(WorkerPipeline):
    def test_an_unavailable_service_is_asked_again(self) -> None:
        report = self.run_pipeline(self.serve(fail_first=2, retry_after=0))
        self.assert_expected(report, "fixed")
        self.assertEqual(
            [line for line in self.steps() if "extract_inventory" in line],
            [f"start extract_inventory_data {n}" for n in (1, 2, 3)] + ["end extract_inventory_data 3"],
        )

    def test_a_service_that_is_down_blocks_its_own_branch_only(self) -> None:
        report = self.run_pipeline(self.serve(down=True), status=1)
        self.assertEqual(report["state"], "blocked_by_failures")
        states = {name: step["state"] for name, step in report["steps"].items()}
        self.assertEqual((states["transform_sales"], states["transform_customers"]), ("complete", "complete"))
        error = report["steps"]["extract_inventory_data"]["error"]
        self.assertEqual((error["error_code"], error["retryable"]), ("HTTP_503", True))

    def test_a_service_that_is_not_there_may_come_back(self) -> None:
        service = InventoryService()
        service.server_close()
        extract = self.run_pipeline(service.url, status=1)["steps"]["extract_inventory_data"]
        self.assertEqual((extract["attempts"], extract["error"]["retryable"]), (3, True))

    def test_a_wrong_address_is_no_matter_of_time(self) -> None:
        extract = self.run_pipeline(self.serve() + "/elsewhere", status=1)["steps"]["extract_inventory_data"]
        self.assertEqual((extract["attempts"], extract["error"]["retryable"]), (1, False))

    def test_an_unknown_data_set(self) -> None:
        report = self.run_pipeline(self.serve(), "../fixed", status=1)
        for extract in EXTRACTS:
            self.assertEqual(report["steps"][extract]["error"]["error_type"], "validation_error")


class Crash(WorkerPipeline):
    def test_kill_9_costs_nothing_that_was_complete(self) -> None:
        # A service that takes the question and never answers: the run cannot end before it is killed.
        with socket.create_server(("127.0.0.1", 0)) as silent:
            first = self.start(self.command("real", "tonight"), f"http://127.0.0.1:{silent.getsockname()[1]}")
            waiting = {"end transform_sales 1", "end transform_customers 1", "start extract_inventory_data 1"}
            deadline = time.monotonic() + 60
            while not waiting <= set(self.steps()):
                self.assertIsNone(first.poll(), "it ended before it could be killed")
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.005)
            first.kill()
            first.wait()
        report = self.run_pipeline(self.serve(), "real", "tonight")
        self.assert_expected(report, "real")
        self.assertEqual(report["steps"]["extract_inventory_data"]["lost"], 1)
        starts = Counter(line.split()[1] for line in self.steps() if line.startswith("start"))
        self.assertEqual((starts["extract_sales_data"], starts["extract_customer_data"]), (1, 1))
        self.assertEqual(starts["extract_inventory_data"], 2)


class Remote(WorkerPipeline):
    """A server, and a worker that finds it by its address."""

    def begin(self) -> str:
        """The address of a server that knows the template; its worker has been started."""
        templates = self.folder / "templates"
        templates.mkdir()
        (templates / "analytics_pipeline.yaml").write_text((HERE / "analytics_pipeline.yaml").read_text(encoding="utf-8"))
        server = self.start(
            [self.binary, "serve", "--store", str(self.folder / "store"), "--templates", str(templates),
             "--environment", "fast", "--listen", "127.0.0.1:0"], "http://127.0.0.1:9")
        assert server.stderr and server.stdout
        streams: List[str] = []
        for stream in (server.stdout, server.stderr):
            threading.Thread(target=lambda it=stream: streams.extend(iter(it.readline, "")), daemon=True).start()
        deadline = time.monotonic() + 30
        while not any("http://" in line for line in streams):
            self.assertLess(time.monotonic(), deadline, streams)
            time.sleep(0.01)
        line = next(line for line in streams if "http://" in line)
        return next(word for word in line.split() if word.startswith("http://"))

    def test_every_field_of_every_result(self) -> None:
        url, inventory = self.begin(), self.serve(fail_first=1, retry_after=0)
        worker = self.start(self.worker, inventory, STEPWELL_URL=url)
        for data in ("real", "fixed"):
            wish = {"name": "analytics_pipeline", "namespace": "data_pipeline", "context": {"data": data}}
            request = urllib.request.Request(f"{url}/v1/tasks?wait=60s", json.dumps(wish).encode(), {"Content-Type": "application/json"})
            with urllib.request.urlopen(request, timeout=90) as answer:
                self.assert_expected(json.load(answer), data)
        worker.terminate()
        _, errors = worker.communicate(timeout=30)
        self.assertEqual((worker.returncode, errors), (0, ""))
