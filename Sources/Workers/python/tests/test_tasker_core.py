"""`compat/tasker_core`: handlers written for Tasker, on the real worker."""

from __future__ import annotations

import json
import sys
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, List
from unittest import mock

from engine import PACKAGE, ScriptedEngine

sys.path[:0] = [str(PACKAGE), str(PACKAGE / "compat")]

HANDLERS = (Path(__file__).parent / "tasker_handlers.py").read_text(encoding="utf-8").partition("annotations\n")[2]


class Handlers(unittest.TestCase):
    engine: ScriptedEngine

    @classmethod
    def setUpClass(cls) -> None:
        cls.seen: List[Any] = []
        seen = cls.seen

        class Service(BaseHTTPRequestHandler):
            def answer(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                seen.append((self.command, self.path, body, self.headers.get("X-Team")))
                status = int(self.path.rpartition("/")[2][:3]) if "orders" in self.path else 201
                content = json.dumps({"id": 7}).encode()
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                if status == 503:
                    self.send_header("Retry-After", "9")
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = answer

            def log_message(self, *_: Any) -> None:
                pass

        cls.service = ThreadingHTTPServer(("127.0.0.1", 0), Service)
        threading.Thread(target=cls.service.serve_forever, args=(0.01,), daemon=True).start()
        address = f"http://127.0.0.1:{cls.service.server_address[1]}"
        with mock.patch.dict("os.environ", {"TASKER_TEST_SERVICE": address}):
            cls.engine = ScriptedEngine(HANDLERS, prelude="from __future__ import annotations\n")

    @classmethod
    def tearDownClass(cls) -> None:
        cls.engine.__exit__()
        cls.service.shutdown()
        cls.service.server_close()

    def run_step(self, handler: str, **members: Any) -> Dict[str, Any]:
        return self.engine.run(handler, **members)

    def test_all_are_found_with_their_versions(self) -> None:
        versions = {handler["name"]: handler["version"] for handler in self.engine.hello["handlers"]}
        self.assertEqual(len(versions), 15)
        self.assertEqual((versions["validate_order"], versions["typed"], versions["charge"]), ("2.0.0", "3.0.0", "1.0.0"))

    def test_the_class_form(self) -> None:
        answer = self.run_step("validate_order", input={"amount": 5}, config={"limit": 9})
        self.assertEqual(answer["result"], {"total": 5, "currency": "EUR"})
        answer = self.run_step("validate_order")
        self.assertEqual(
            (answer["message"], answer["error_type"], answer["retryable"], answer["error_code"]),
            ("no amount", "validation_error", False, "NO_AMOUNT"),
        )
        answer = self.run_step("validate_order", input={"amount": 500}, config={"limit": 9})
        self.assertEqual((answer["error_type"], answer["metadata"]), ("permanent_error", {"limit": 100}))
        answer = self.run_step("charge", dependencies={"validate": {"total": 5}}, attempt=2)
        self.assertEqual((answer["result"], answer["metadata"]), ({"charged": 5, "retries": 1}, {"gw": "x"}))

    def test_the_functional_form(self) -> None:
        answer = self.run_step("create_order", dependencies={"validate": {"a": 1}, "charge": {"amount": 5}}, input={"customer": "Łucja"})
        self.assertEqual(answer["result"], {"order": {"a": 1}, "amount": 5, "customer": "Łucja", "step": "the_step"})
        self.assertEqual(self.run_step("typed", input={"amount": 2})["result"], {"amount": 2, "customer": None})
        answer = self.run_step("typed", input={"amount": "2"})
        self.assertEqual((answer["error_type"], answer["retryable"]), ("validation_error", False))
        self.assertIsNone(self.run_step("nothing")["result"])

    def test_errors(self) -> None:
        for what, wanted in (
            ("permanent", ("no", "permanent_error", False, None)),
            ("limited", ("slow down", "retryable_error", True, 7000)),
            ("tasker", ("odd", "handler_error", False, None)),
            ("invalid", ("bad", "validation_error", False, None)),
            ("other", ("later", "retryable_error", True, None)),
        ):
            answer = self.run_step("raises", input={"what": what})
            found = (answer["message"], answer["error_type"], answer["retryable"], answer.get("retry_after_ms"))
            self.assertEqual(found, wanted)

    def test_a_yielded_checkpoint_is_on_disk_before_the_handler_is_called_again(self) -> None:
        for handler in ("pages", "async_pages"):
            message = self.run_step(handler)
            for done in (1, 2, 3):
                self.assertEqual(message["type"], "checkpoint", handler)
                self.assertEqual(
                    message["data"],
                    {"cursor": (done - 1) * 10, "items_processed": done, "accumulated_results": list(range(done))},
                )
                self.engine.send({"type": "checkpointed", "lease": message["lease"]})
                message = self.engine.read()
            self.assertEqual(message["result"], {"rows": [0, 1, 2], "cursor": 20})
        # The attempt after a crash goes on where the one before was.
        message = self.run_step("pages", attempt=2, checkpoint={"cursor": 10, "items_processed": 2, "accumulated_results": [0, 1]})
        self.engine.send({"type": "checkpointed", "lease": message["lease"]})
        self.assertEqual(self.engine.read()["result"]["rows"], [0, 1, 2])

    def test_requests_of_handlers(self) -> None:
        self.seen.clear()
        answer = self.run_step("fetch_order", input={"order_id": "200"})
        self.assertEqual((answer["result"], answer["metadata"]), ({"id": 7}, {"status_code": 200}))
        self.assertEqual(self.seen, [("GET", "/api/orders/200?full=yes", "", "orders")])
        answer = self.run_step("fetch_order", input={"order_id": "503"})
        self.assertEqual((answer["error_type"], answer["error_code"], answer["retry_after_ms"]), ("retryable_error", "HTTP_503", 9000))
        answer = self.run_step("fetch_order", input={"order_id": "404"})
        self.assertEqual((answer["error_type"], answer["retryable"]), ("permanent_error", False))
        self.assertEqual(self.run_step("post_user", input={"name": "ü"})["result"], {"id": 7, "status": 201})
        self.assertEqual(self.seen[-1][2], '{"name": "ü"}')

    def test_what_stepwell_does_not_have_fails_for_good_with_words(self) -> None:
        for handler, words in (
            ("routing_decision", "routing_decision is a decision handler"),
            ("routing", "decision_success chooses the steps that follow"),
            ("analyze_csv", "makes worker steps for batches"),
            ("process_csv_batch", "worker steps of a batch"),
            ("analyze_csv_class", "create_batch_outcome makes worker steps"),
        ):
            answer = self.run_step(handler, input={"amount": 1, "path": "x"})
            self.assertEqual((answer["error_type"], answer["retryable"]), ("not_supported", False), handler)
            self.assertIn(words, answer["message"])
            self.assertIn("template-reference.md", answer["message"])


class Imports(unittest.TestCase):
    def test_every_name_that_is_promised_is_there(self) -> None:
        import tasker_core

        for name in tasker_core.__all__:
            self.assertIsNotNone(getattr(tasker_core, name), name)

    def test_what_is_not_there_says_what_is(self) -> None:
        with self.assertRaisesRegex(ImportError, "python3 -m stepwell worker"):
            from tasker_core import bootstrap_worker  # type: ignore[attr-defined]  # noqa: F401

    def test_the_functions_can_be_called_in_a_test(self) -> None:
        import tasker_handlers  # type: ignore[import-not-found]

        self.assertEqual(tasker_handlers.routing_decision.__wrapped__(5, None).steps, ["auto_approve"])
        self.assertEqual(tasker_handlers.analyze_csv.__wrapped__("x", None).batch_size, 100)

    def test_the_client_is_the_same(self) -> None:
        from stepwell.client import Client
        from tasker_core.client import TaskerClient

        self.assertIs(TaskerClient, Client)


if __name__ == "__main__":
    unittest.main()
