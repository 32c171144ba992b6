"""What keeps a server running in the hands of those who operate it: figures for Prometheus."""

from __future__ import annotations

import http.client
import re
import resource
import time
import unittest
from typing import Dict

from serving import CHAIN, EventSubscriber, RawWorker, ServingTest
from support import Stepwell, wait_until


class Metrics(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.server = self.serve(self.stepwell, "--templates", self.templates(CHAIN)).ready()

    def figures(self) -> Dict[str, float]:
        """Every line must be one of the format's."""
        found: Dict[str, float] = {}
        for line in self.server.get("/metrics").splitlines():
            if not re.match(r"# (HELP|TYPE) (stepwell|process)_\w+ .", line):
                match = re.fullmatch(r'((?:stepwell|process)_\w+(?:\{(?:\w+="[^"]*",?)+\})?) ([0-9.e+-]+)', line)
                assert match, line
                found[match[1]] = float(match[2])
        return found

    def test_the_figures_follow_a_task(self) -> None:
        self.server.post("/tasks", {"name": "chain"}, status=201)
        before = self.figures()
        self.assertEqual(before['stepwell_open_tasks{state="pending"}'], 1)
        self.assertEqual(before['stepwell_waiting_steps{namespace="default",handler="first"}'], 1)
        self.assertGreaterEqual(before['stepwell_oldest_waiting_seconds{namespace="default",handler="first"}'], 0)
        worker = RawWorker(self.server, ["first", "second"], concurrency=3)
        [first] = worker.attempts()
        during = self.figures()
        self.assertEqual(during["stepwell_running_attempts"], 1)
        # One worker may stand there besides: the one that runs commands.
        self.assertEqual(during["stepwell_worker_slots"] - before["stepwell_worker_slots"], 3)
        self.assertEqual(during["stepwell_workers"] - before["stepwell_workers"], 1)
        self.assertNotIn('stepwell_waiting_steps{namespace="default",handler="first"}', during)
        worker.succeed(first)
        [second] = worker.attempts()
        worker.succeed(second)
        self.server.get("/tasks/last?wait=30s")
        after = self.figures()
        self.assertEqual(after['stepwell_events_total{type="task.completed"}'], 1)
        self.assertEqual(after['stepwell_events_total{type="attempt.started"}'], 2)
        self.assertEqual(after['stepwell_events_total{type="attempt.lost"}'], 0)
        self.assertEqual(after['stepwell_open_tasks{state="pending"}'], 0)
        self.assertEqual(after['stepwell_http_requests_total{method="POST",route="/v1/tasks",status="201"}'], 1)
        self.assertEqual(after["stepwell_log_head"], self.server.get("/health")["events"])
        self.assertGreater(after["stepwell_store_bytes"], 0)
        self.assertGreater(after["stepwell_commit_seconds_sum"], 0)
        self.assertEqual(after['stepwell_commit_seconds_bucket{le="+Inf"}'], after["stepwell_commit_seconds_count"])
        self.assertLessEqual(after["stepwell_commit_events_sum"], after["stepwell_log_head"])
        self.assertGreaterEqual(after["stepwell_http_connections"], 1)
        self.assertLess(0, after["stepwell_heap_used_bytes"])
        self.assertLessEqual(after["stepwell_heap_used_bytes"], after["stepwell_heap_bytes"])
        self.assertLess(after["stepwell_heap_used_bytes"], after["process_resident_memory_bytes"])
        self.assertLess(after["process_resident_memory_bytes"], after["process_virtual_memory_bytes"])
        self.assertGreater(after["process_cpu_seconds_total"], 0)
        self.assertLess(after["process_open_fds"], after["process_max_fds"])
        self.assertAlmostEqual(after["process_start_time_seconds"], time.time(), delta=600)

    def test_figures_are_told_when_no_descriptor_is_left(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=20)
        for limit in (None, 3):
            if limit:
                resource.prlimit(self.server.process.pid, resource.RLIMIT_NOFILE, (limit, limit))
            connection.request("GET", "/v1/metrics")
            answer = connection.getresponse()
            text = answer.read().decode()
            self.assertEqual(answer.status, 200, text)
        self.assertIn("process_open_fds 3\nprocess_max_fds 3\n", re.sub("# .*\n", "", text))
        self.assertIn("stepwell_log_head ", text)
        connection.close()

    def test_streams_come_and_go(self) -> None:
        stream = EventSubscriber(self.server.port)
        self.assertEqual(self.figures()["stepwell_event_streams"], 1)
        stream.answer.close()
        stream.close()

        def is_gone() -> bool:
            # The server notices when it writes, and not at the first time.
            self.server.post("/tasks", {"name": "chain"}, status=201)
            return self.figures()["stepwell_event_streams"] == 0

        wait_until(is_gone, "the stream is gone")

    def test_a_token_is_needed_as_elsewhere(self) -> None:
        self.stepwell.run("token", "create", "ci", "--role", "worker")
        wait_until(lambda: self.server.request("GET", "/metrics")[0] == 401, "the token is known")


if __name__ == "__main__":
    unittest.main()
