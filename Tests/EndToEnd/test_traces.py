"""Traces: what a collector gets of tasks that succeed, fail, are taken on again and are forked, also from a server that is killed."""

from __future__ import annotations

import signal
import sys
import unittest
from typing import Any, Dict, List

from receiving import Receiver
from serving import ServingTest
from support import Running, Stepwell, wait_until

TEMPLATE = """
name: nightly
namespace_name: ops
version: 1
steps:
  - name: first
    handler: { command: [sh, -c, 'printf "{\\"trace\\": \\"%s\\"}" "$TRACEPARENT"'] }
  - name: second
    handler: { command: [sh, -c, 'test -e go || { echo not yet >&2; exit 1; }'] }
    retry: { max_attempts: 2, backoff: none }
    dependencies: [first]
"""
CALLS = """
name: calls
namespace_name: ops
version: 1
steps:
  - { name: tell, handler: { callable: tell } }
"""
HANDLERS = """
from stepwell import step_handler

@step_handler("tell")
def tell(context):
    return {"trace": context.traceparent}
"""
PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


def attributes(of: Dict[str, Any]) -> Dict[str, Any]:
    found = {}
    for attribute in of["attributes"]:
        [(kind, value)] = attribute["value"].items()
        found[attribute["key"]] = int(value) if kind == "intValue" else value
    return found


class Traces(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.receiver = Receiver(self)
        self.options = ["--templates", self.templates(TEMPLATE, CALLS), "--otlp", self.receiver.url]
        self.server = self.serve(self.stepwell, *self.options).ready()

    def spans(self) -> List[Dict[str, Any]]:
        """All that were taken, each checked for its shape."""
        found = []
        for request in list(self.receiver.taken):
            self.assertEqual((request.path, request.headers["content-type"]), ("/v1/traces", "application/json"))
            [group] = request.json["resourceSpans"]
            self.assertEqual(attributes(group["resource"])["service.name"], "stepwell")
            [scope] = group["scopeSpans"]
            self.assertEqual(scope["scope"]["name"], "stepwell")
            for span in scope["spans"]:
                self.assertRegex(span["traceId"], "^[0-9a-f]{32}$")
                self.assertRegex(span["spanId"], "^[0-9a-f]{16}$")
                self.assertRegex(span["startTimeUnixNano"], "^[0-9]{19}$")
                self.assertLessEqual(int(span["startTimeUnixNano"]), int(span["endTimeUnixNano"]))
                found.append(span)
        return found

    def submit(self, name="nightly", code=201, **members):
        return self.server.post("/tasks?wait=30s", {"name": name, "namespace": "ops", **members}, status=code)

    def wait_for_runs(self, count: int) -> List[Dict[str, Any]]:
        wait_until(lambda: sum(span["kind"] == 2 for span in self.spans()) >= count, f"{count} runs are told")
        return self.spans()

    def allow(self) -> None:
        (self.stepwell.folder / "go").write_text("")

    def test_a_task_that_succeeds(self) -> None:
        self.allow()
        task = self.submit(tags=["a", "b"], idempotency_key="k")
        run, first, second = self.wait_for_runs(1)
        self.assertEqual(run["traceId"], task["task_id"].replace("-", ""))
        self.assertNotIn("parentSpanId", run)
        self.assertEqual((run["name"], run["kind"], run["status"]["code"]), ("RUN ops/nightly", 2, 1))
        told = attributes(run)
        self.assertEqual(told["cicd.pipeline.run.id"], task["task_id"])
        self.assertEqual((told["cicd.pipeline.result"], told["stepwell.task.key"]), ("success", "k"))
        self.assertEqual(told["stepwell.task.tags"], {"values": [{"stringValue": "a"}, {"stringValue": "b"}]})
        for span, name in ((first, "first"), (second, "second")):
            self.assertEqual((span["name"], span["kind"], span["traceId"]), (name, 1, run["traceId"]))
            self.assertEqual(span["parentSpanId"], run["spanId"])
            self.assertEqual(attributes(span)["cicd.pipeline.task.run.result"], "success")
            self.assertLessEqual(int(run["startTimeUnixNano"]), int(span["startTimeUnixNano"]))
            self.assertLessEqual(int(span["endTimeUnixNano"]), int(run["endTimeUnixNano"]))
        self.assertEqual(len({span["spanId"] for span in (run, first, second)}), 3)
        # What the program was told is the span that the collector has.
        result = self.server.get(f"/tasks/{task['task_id']}/steps/first/result")
        self.assertEqual(result["trace"], f"00-{first['traceId']}-{first['spanId']}-01")
        submitted, = self.stepwell.events("task.submitted")
        stamp = f"{int(run['startTimeUnixNano']) // 10**6 % 1000:03}"
        self.assertTrue(submitted["time"].endswith(f".{stamp}Z"), (submitted["time"], stamp))

    def test_retries_a_block_and_a_fork_are_linked(self) -> None:
        task = self.submit()["task_id"]
        run, _, one, two = self.wait_for_runs(1)
        self.assertEqual((run["status"]["code"], attributes(run)["cicd.pipeline.result"]), (2, "failure"))
        self.assertIn("not yet", run["status"]["message"])
        self.assertEqual(attributes(run)["error.type"], "exit_status")
        self.assertEqual([attributes(span)["stepwell.attempt"] for span in (one, two)], [1, 2])
        self.assertNotIn("links", one)
        self.assertEqual(two["links"][0]["spanId"], one["spanId"])
        self.assertEqual(attributes(two["links"][0]), {"stepwell.link": "retry"})
        self.assertEqual((two["status"]["code"], attributes(two)["error.type"]), (2, "exit_status"))
        self.allow()
        self.server.post(f"/tasks/{task}/retry")
        again, three = self.wait_for_runs(2)[4:]
        self.assertEqual(again["traceId"], run["traceId"])
        self.assertNotEqual(again["spanId"], run["spanId"])
        self.assertEqual((again["links"][0]["spanId"], attributes(again["links"][0])), (run["spanId"], {"stepwell.link": "run_before"}))
        self.assertEqual((three["parentSpanId"], three["links"][0]["spanId"]), (again["spanId"], two["spanId"]))
        fork = self.server.post(f"/tasks/{task}/fork", {"from": "second"})["task_id"]
        forked, last = self.wait_for_runs(3)[6:]
        self.assertEqual((forked["traceId"], last["name"]), (fork.replace("-", ""), "second"))
        self.assertEqual(
            (forked["links"][0]["traceId"], forked["links"][0]["spanId"], attributes(forked["links"][0])),
            (run["traceId"], run["spanId"], {"stepwell.link": "forked_from"}))

    def test_a_trace_goes_on_where_the_task_was_submitted(self) -> None:
        self.allow()
        task = self.submit(traceparent=PARENT)["task_id"]
        run, first, _ = self.wait_for_runs(1)
        self.assertEqual((run["traceId"], run["parentSpanId"]), (PARENT[3:35], PARENT[36:52]))
        self.assertEqual(self.server.get(f"/tasks/{task}/steps/first/result")["trace"], f"00-{PARENT[3:35]}-{first['spanId']}-01")
        # As the header of a request, and not sampled: nothing is sent, and handlers are told so.
        status, task = self.server.request(
            "POST", "/tasks?wait=30s", {"name": "nightly", "namespace": "ops"}, traceparent=PARENT[:-1] + "0")
        self.assertTrue(self.server.get(f"/tasks/{task['task_id']}/steps/first/result")["trace"].endswith("-00"))
        self.submit()
        self.assertEqual(len(self.wait_for_runs(2)), 6)
        status, problem = self.server.request(
            "POST", "/tasks", {"name": "nightly", "namespace": "ops", "traceparent": "00-x"})
        self.assertEqual((status, problem["code"]), (400, "malformed_request"))
        self.assertEqual(self.stepwell.events("task.submitted")[0]["data"]["traceparent"], PARENT)

    def test_workers_are_told_and_the_command_line_hands_on(self) -> None:
        handlers = self.stepwell.folder / "handlers.py"
        handlers.write_text(HANDLERS)
        words = [sys.executable, "-m", "stepwell", "worker", str(handlers), "--server", self.server.url]
        Running(self, words, self.environment, self.stepwell.folder)
        task = self.submit("calls")["task_id"]
        _, span = self.wait_for_runs(1)
        self.assertEqual(self.server.get(f"/tasks/{task}/steps/tell/result")["trace"], f"00-{span['traceId']}-{span['spanId']}-01")
        template = self.stepwell.folder / "t.yaml"
        template.write_text(CALLS)
        self.stepwell.run("run", str(template), TRACEPARENT=PARENT)
        self.assertEqual(self.wait_for_runs(2)[2]["parentSpanId"], PARENT[36:52])
        self.server.process.signal(signal.SIGTERM)
        self.server.process.wait()
        worker = f"{sys.executable} -m stepwell worker {handlers}"
        report = self.stepwell.json("run", str(template), "--worker", worker, TRACEPARENT=PARENT)
        trace = report["steps"]["tell"]["result"]["trace"]
        self.assertEqual(trace[:36], PARENT[:36])
        self.assertNotEqual(trace, PARENT)

    def test_kill_9_loses_nothing_and_makes_nothing_up(self) -> None:
        self.allow()
        failing = [0]

        def answer(_):
            failing[0] += 1
            return (503 if failing[0] % 3 == 0 else 200), {}

        self.receiver.answer = answer
        tasks = set()
        for _ in range(3):
            for _ in range(8):
                tasks.add(self.server.post("/tasks", {"name": "nightly", "namespace": "ops"})["task_id"].replace("-", ""))
            had = len(self.receiver.taken)
            wait_until(lambda: len(self.receiver.taken) > had, "something is told")
            self.server.process.kill()
            self.server = self.serve(self.stepwell, *self.options, port=self.server.port).ready()
        wait_until(lambda: {s["traceId"] for s in self.spans() if s["kind"] == 2} == tasks, "all are told")
        by_id: Dict[str, Any] = {}
        for span in self.spans():
            self.assertEqual(by_id.setdefault(span["spanId"], span), span, "told in two ways")
        for task in tasks:
            own = [span for span in by_id.values() if span["traceId"] == task]
            [run] = [span for span in own if span["kind"] == 2]
            self.assertEqual({span["name"] for span in own}, {"RUN ops/nightly", "first", "second"})
            self.assertEqual({span.get("parentSpanId") for span in own}, {None, run["spanId"]})
        self.assertIn('stepwell_outward_sent_total{to="traces"}', self.server.get("/metrics"))

    def test_the_variables_of_opentelemetry(self) -> None:
        self.allow()
        self.server.process.signal(signal.SIGTERM)
        self.server.process.wait()
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.receiver.url + "/", "OTEL_EXPORTER_OTLP_HEADERS": "x-key=a%20b, y=2",
            "OTEL_SERVICE_NAME": "nights", "OTEL_RESOURCE_ATTRIBUTES": "zone=b",
        }
        self.server = self.serve(self.stepwell, *self.options[:2], **variables).ready()
        # One that the collector will never take does not hold up the next.
        self.receiver.answer = lambda _: (400, {})
        self.submit()
        wait_until(lambda: "left out: the collector has answered 400" in self.server.process.stderr, "it is told")
        self.receiver.answer = lambda _: (200, {})
        self.submit()
        wait_until(lambda: self.receiver.taken, "it is told")
        [request] = self.receiver.taken
        self.assertEqual((request.headers["x-key"], request.headers["y"], request.path), ("a b", "2", "/v1/traces"))
        told = attributes(request.json["resourceSpans"][0]["resource"])
        self.assertEqual((told["service.name"], told["zone"]), ("nights", "b"))
        done = self.stepwell.run("serve", "--otlp", "ftp://x", code=2)
        self.assertIn("'--otlp': ", done.stderr)


if __name__ == "__main__":
    unittest.main()
