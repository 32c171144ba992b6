"""Python workers and the Python client at a real server, also when one of them dies."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import signal
import subprocess
import sys
import unittest
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, List
from unittest import mock

from support import PIPELINE, SDK, STEPS, EndToEndTest, Running, Stepwell, wait_until

sys.path.insert(0, str(SDK))

from stepwell.client import ApiError, Client  # noqa: E402 - found by the path above

CONFORMANCE = SDK / "conformance.py"


def step(name: str, handler: str, *dependencies: str, **more: Any) -> "dict[str, Any]":
    return {"name": name, "handler": {"callable": handler}, "dependencies": list(dependencies), **more}


class Remote(EndToEndTest):
    def serve(self, stepwell: Stepwell, *words: str, port: int = 0) -> Running:
        """A server of this store; `self.url` is its address."""
        server = stepwell.start("serve", "--listen", f"127.0.0.1:{port}", *words)
        wait_until(lambda: "listening on" in server.stdout + server.stderr or server.code is not None, "the server listens")
        found = re.search(r"https?://127\.0\.0\.1:(\d+)", server.stdout + server.stderr)
        self.assertIsNotNone(found, str(server))
        assert found
        self.url, self.port = found[0], int(found[1])
        return server

    def work(self, stepwell: Stepwell, *words: str, handlers: Path = CONFORMANCE, **environment: str) -> Running:
        """A worker at `self.url`."""
        command = [sys.executable, "-m", "stepwell", "worker", str(handlers), "--server", self.url, *words]
        variables = {**self.environment, **stepwell.environment, **environment}
        return Running(self, command, variables, stepwell.folder)

    def templates(self, *steps: Any, **more: Any) -> List[str]:
        return ["--templates", str(Path(self.write_template(*steps, **more)).parent)]

    def test_the_pipeline_runs_on_a_worker_elsewhere(self) -> None:
        stepwell = Stepwell(self)
        folder = self.new_folder()
        shutil.copy(PIPELINE / "analytics_pipeline.yaml", folder)
        self.serve(stepwell, "--templates", str(folder), "--environment", "fast")
        worker = self.work(stepwell, handlers=PIPELINE / "handlers.py")
        expected = json.loads((PIPELINE / "expected" / "fixed.json").read_text(encoding="utf-8"))
        with self.inventory_service() as service:
            client = Client(self.url, initiator="test")
            task = client.create_task(
                "analytics_pipeline", namespace="data_pipeline", context={"data": "fixed", "inventory_url": service.url}
            )
            ended = client.wait(task.task_id, timeout=60)
            self.assertEqual(ended.state, "complete")
        for name in STEPS:
            found = {member: value for member, value in ended.result(name).items() if member != "records"}
            self.assertEqual(found, {member: expected[name][member] for member in found}, name)
        self.assertEqual([found.name for found in client.list_task_steps(task.task_id)], STEPS)
        history = client.get_step_audit_history(task.task_id, "transform_sales")
        self.assertIn("stepwell.step.completed", [event["type"] for event in history])
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0, str(worker))
        self.check_history(stepwell)

    def test_a_worker_outlives_the_server_that_was_killed(self) -> None:
        stepwell = Stepwell(self)
        gate = stepwell.folder / "gate"
        templates = self.templates(
            step("first", "echo"), {**step("second", "slow", "first"), "handler": {"callable": "slow", "initialization": {"file": str(gate)}}},
            step("third", "echo", "second"),
        )
        server = self.serve(stepwell, *templates)
        worker = self.work(stepwell, "--name", "etl-box")
        client = Client(self.url)
        task = client.create_task("test", namespace="tests")
        wait_until(lambda: client.get_step(task.task_id, "second").state == "in_progress", "the second step runs")
        server.kill()
        self.serve(stepwell, *templates, port=self.port)
        gate.touch()
        ended = client.wait(task.task_id, timeout=60)
        self.assertEqual(ended.state, "complete")
        self.assertIsNone(worker.code, str(worker))
        self.assertIn("answers again", worker.stderr)
        self.assertEqual(stepwell.steps_with("attempt.succeeded"), {"first": 1, "second": 1, "third": 1})
        self.assertEqual(stepwell.steps_with("attempt.lost"), {"second": 1})

    def test_another_worker_takes_over_what_a_dead_one_held(self) -> None:
        stepwell = Stepwell(self)
        self.serve(stepwell, "--lease", "1", *self.templates(step("only", "method", retry={"max_attempts": 1})))
        source = "from stepwell import *\nimport os\n@step_handler('method')\ndef die(context):\n    os._exit(9)\n"
        first = self.work(stepwell, handlers=Path(self.write("dying.py", source)))
        client = Client(self.url)
        task = client.create_task("test", namespace="tests")
        self.assertEqual(first.wait(), 9)
        self.work(stepwell)
        self.assertEqual(client.wait(task.task_id, timeout=60).result("only"), {"method": "call"})
        self.assertEqual(stepwell.steps_with("attempt.lost"), {"only": 1})

    def test_a_cancellation_reaches_the_handler(self) -> None:
        stepwell = Stepwell(self)
        source = """
            from stepwell import *
            import asyncio
            @step_handler("wait")
            async def wait(context):
                try:
                    await asyncio.Event().wait()
                finally:
                    open(context.get_input("file"), "w").write(context.cancel_reason)
        """
        self.serve(stepwell, *self.templates(step("only", "wait")))
        self.work(stepwell, "--async", handlers=Path(self.write("waiting.py", source)))
        client = Client(self.url)
        file = stepwell.folder / "why"
        task = client.create_task("test", namespace="tests", context={"file": str(file)})
        wait_until(lambda: client.get_step(task.task_id, "only").state == "in_progress", "the step runs")
        self.assertEqual(client.cancel_task(task.task_id, "not wanted").state, "cancelled")
        wait_until(lambda: file.exists() and file.read_text(), "the handler has stopped")
        self.assertEqual(file.read_text(), "cancelled")

    def test_checkpoints_words_and_failures(self) -> None:
        source = """
            from stepwell import *
            @step_handler("pages")
            def pages(context):
                page = context.checkpoint_cursor or 0
                print("page", page)
                context.save_cursor(page + 1)
                if page < 2:
                    raise RetryableError("not yet", retry_after=0)
                return {"pages": page, "checkpoint": context.checkpoint_cursor}

            @step_handler("far")
            def far(context):
                return context.get_dependency_result("first")
        """
        stepwell = Stepwell(self)
        retry = {"max_attempts": 5, "initial_delay": 0}
        steps = [step("first", "pages", retry=retry), step("second", "far", "first"), step("third", "far", "second")]
        self.serve(stepwell, *self.templates(*steps))
        self.work(stepwell, handlers=Path(self.write("pages.py", source)))
        client = Client(f"unix:{stepwell.store / 'api.sock'}")
        task = client.create_task("test", namespace="tests")
        ended = client.wait(task.task_id, timeout=60)
        self.assertEqual(ended.result("third"), {"pages": 2, "checkpoint": 3})
        self.assertEqual(ended.steps["first"].attempts, 3)
        self.assertEqual(stepwell.run("logs", task.task_id, "first").stdout.count("page "), 3)

    def test_only_who_has_a_token_of_the_role_may_work(self) -> None:
        stepwell = Stepwell(self)
        self.serve(stepwell).signal(signal.SIGTERM)  # makes the store
        tokens = {
            role: json.loads(stepwell.run("token", "create", role, "--role", role, "-o", "json").stdout)["token"]
            for role in ("worker", "operator", "viewer")
        }
        self.serve(stepwell, *self.templates(step("only", "echo")))
        for token, words in (("wrong", "token"), (tokens["viewer"], "role")):
            worker = self.work(stepwell, STEPWELL_TOKEN=token)
            self.assertEqual(worker.wait(), 77, str(worker))
            self.assertIn("STEPWELL_TOKEN", worker.stderr)
        self.work(stepwell, STEPWELL_TOKEN=tokens["worker"])
        with self.assertRaises(ApiError) as caught:
            Client(self.url, tokens["viewer"]).create_task("test", namespace="tests")
        self.assertEqual((caught.exception.status, caught.exception.code), (403, "not_allowed"))
        client = Client(self.url, tokens["operator"])
        task = client.create_task("test", namespace="tests", context={"a": 1}, idempotency_key="k")
        self.assertEqual(client.wait(task.task_id, timeout=60).result("only")["input"], {"a": 1})
        self.assertEqual(client.create_task("test", namespace="tests", idempotency_key="k").task_id, task.task_id)

    def test_what_an_operator_asks_and_says(self) -> None:
        stepwell = Stepwell(self)
        self.serve(stepwell, "--hold", *self.templates(step("first", "echo"), step("second", "echo", "first")))
        worker = self.work(stepwell, "--name", "box")
        client = Client(self.url)
        self.assertTrue(client.health_check()["held"])
        self.assertEqual((client.release("the copy is sound"), client.release()), (True, False))

        limit = client.set_limit("handler", "a/ü", concurrency_max=4, rate="100/min", burst=20, reason="asked for")
        self.assertEqual((limit, client.list_limits()), (client.get_limit("handler", "a/ü"), [limit]))
        client.remove_limit("handler", "a/ü", "no more")
        with self.assertRaises(ApiError) as caught:
            client.get_limit("handler", "a/ü")
        self.assertEqual(caught.exception.code, "unknown_limit")

        webhook = client.create_webhook("http://127.0.0.1:9/x", types=["task.blocked"], disable_after=60)
        self.assertEqual([webhook.id], [found.id for found in client.list_webhooks()])
        self.assertEqual((client.get_webhook(webhook.id).state, client.enable_webhook(webhook.id).url), ("active", webhook.url))
        self.assertEqual((client.remove_webhook(webhook.id).id, client.list_webhooks()), (webhook.id, []))

        self.assertEqual(set(client.get_template("tests", "test")["steps"]), {"first", "second"})
        self.assertIn("second", client.draw_template("tests", "test"))
        finding = client.validate_template("name: a").findings[0]
        self.assertEqual((finding.severity, finding.line), ("error", 1))

        task = client.create_task("test", namespace="tests", context={"a": 1})
        client.wait(task.task_id, timeout=60)
        self.assertEqual(client.plan_task(task.task_id).next, [])
        self.assertEqual(client.plan_fork(task.task_id, "second", input={"a": 2}).next, ["second"])
        fork = client.fork_task(task.task_id, "second", reason="once more")
        client.wait(fork.task_id, timeout=60)
        self.assertFalse(client.diff_tasks(task.task_id, fork.task_id).alike)
        self.assertIn("complete", client.explain_task(task.task_id).sentences[0])
        self.assertIn("first", client.draw_task(task.task_id, "mermaid"))
        self.assertIn(task.task_id, client.export_task(task.task_id, ["/a"]))
        self.assertEqual(list(client.all_log_lines(task.task_id, "first")), [])
        page = client.list_events(task.task_id, limit=1)
        self.assertEqual([event["type"] for event in page.events], ["task.submitted"])
        self.assertEqual(client.list_events(after=page.next_after, limit=1).events[0]["seq"], page.next_after + 1)

        client.set_limit("handler", "echo", concurrency_max=0)
        waiting = client.create_task("test", namespace="tests")
        self.assertEqual(client.act_on_tasks("pause", dry_run=True).tasks[0].done, False)
        self.assertEqual(
            [(found.task_id, found.done) for found in client.act_on_tasks("cancel", namespace="tests", reason="enough").tasks],
            [(waiting.task_id, True)],
        )
        self.assertEqual(client.prune_tasks("2100-01-01T00:00:00Z", dry_run=True).tasks, 3)
        self.assertEqual(client.prune_tasks(datetime.now(timezone.utc) - timedelta(hours=1)).tasks, 0)
        self.assertEqual(client.prune_tasks("2100-01-01T00:00:00Z", tasks=[waiting.task_id], reason="a test").tasks, 1)
        self.assertGreater(client.statistics().events, 10)
        self.assertEqual(client.get_state()["tasks"], [])
        self.assertIn("stepwell_", client.metrics())
        (box,) = [found for found in client.list_workers() if found.name.startswith("box")]
        assert box.worker_id
        client.drain_worker(box.worker_id)
        self.assertEqual(worker.wait(), 0, str(worker))

    def test_over_tls(self) -> None:
        stepwell = Stepwell(self)
        key, certificate = stepwell.folder / "key.pem", stepwell.folder / "certificate.pem"
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "1",
             "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"],
            check=True, capture_output=True,
        )
        gate = stepwell.folder / "gate"
        self.serve(stepwell, "--tls-cert", str(certificate), "--tls-key", str(key), *self.templates(
            {**step("first", "slow"), "handler": {"callable": "slow", "initialization": {"file": str(gate)}}},
            step("second", "echo", "first"),
        ))
        stranger = self.work(stepwell)
        wait_until(lambda: "CERTIFICATE_VERIFY_FAILED" in stranger.stderr, "the worker refuses the certificate")
        # With one place the worker is full, and must hear at once when it is free again.
        worker = self.work(stepwell, "--concurrency", "1", SSL_CERT_FILE=str(certificate))
        with mock.patch.dict("os.environ", {"SSL_CERT_FILE": str(certificate)}):
            client = Client(self.url)
        task = client.create_task("test", namespace="tests")
        wait_until(lambda: client.get_step(task.task_id, "first").state == "in_progress", "the first step runs")
        gate.touch()
        self.assertEqual(client.wait(task.task_id, timeout=60).state, "complete")
        worker.signal(signal.SIGTERM)
        self.assertEqual(worker.wait(), 0, str(worker))

    def test_a_thousand_steps_on_two_workers(self) -> None:
        stepwell = Stepwell(self)
        self.serve(stepwell, *self.templates(step("only", "method")))
        workers = [self.work(stepwell, "--concurrency", "32") for _ in range(2)]
        client = Client(self.url)
        created = client.create_tasks({"name": "test", "namespace": "tests"} for _ in range(1000))
        for task in created:
            self.assertEqual(client.wait(task.task_id, timeout=60).result("only"), {"method": "call"})
        for worker in workers:
            worker.signal(signal.SIGTERM)
        self.assertEqual([worker.wait() for worker in workers], [0, 0], shlex.join(map(str, workers)))
        self.assertEqual(len(list(client.all_tasks("tests", "complete"))), 1000)
        self.assertEqual(len(stepwell.events("attempt.succeeded")), 1000)
        self.assertEqual(stepwell.events("attempt.lost"), [])


if __name__ == "__main__":
    unittest.main()
