"""Finished tasks leave a store while a server works on it."""

from __future__ import annotations

import threading
import unittest
from typing import List

from remote_cli import FLAKY, RemoteTest
from serving import RawWorker
from support import Stepwell, wait_until

QUICK = FLAKY.replace("flaky", "quick").replace("test -e ready && ", "")


class PruneBesideAServer(RemoteTest):
    def setUp(self) -> None:
        super().setUp()
        self.server.request("PUT", "/templates", QUICK.encode())

    def complete(self, count: int, prefix: str = "k") -> List[str]:
        tasks = [{"name": "quick", "idempotency_key": f"{prefix}{number}"} for number in range(count)]
        ids = [task["task_id"] for task in self.server.post("/tasks/batch", {"tasks": tasks})["tasks"]]
        for task in ids:
            self.server.get(f"/tasks/{task}?wait=60s")
        return ids

    def test_a_late_report_on_what_has_left_ends_no_session(self) -> None:
        old = RawWorker(self.server, ["first"])
        self.server.post("/tasks", {"name": "chain"})
        [attempt] = old.attempts()
        self.server.process.kill()
        self.server = self.serve(self.stepwell).ready()
        self.server.post("/tasks/last/cancel")
        self.assertEqual(self.stepwell.json("prune", "--older-than", "0m")["tasks"], 1)
        worker = RawWorker(self.server, ["first"])
        [answer] = worker.succeed(attempt)
        self.assertEqual((answer["type"], answer["reason"]), ("rejected", "lost"))
        self.server.post("/tasks", {"name": "chain"})
        [attempt] = worker.attempts()
        self.assertEqual(worker.succeed(attempt), [])
        # A number that is still to come was nobody's.
        status, answer = self.server.request("POST", f"/workers/{worker.id}/messages", {
            "number": 3, "messages": [{"type": "result", "lease": 10**9, "result": 1}]})
        self.assertEqual((status, answer["code"]), (400, "malformed_message"))

    def test_what_is_finished_leaves_and_can_come_back(self) -> None:
        gone = self.complete(120)
        open_one = self.server.post("/tasks", {"name": "chain"})["task_id"]
        archive = str(self.stepwell.folder / "old.zst")
        preview = self.stepwell.json("prune", "--older-than", "0m", "--dry-run")
        self.assertEqual((preview["tasks"], preview["dry_run"]), (120, True))
        pruned = self.stepwell.json("prune", "--older-than", "0m", "--archive", archive, "--reason", "enough")
        self.assertEqual((pruned["tasks"], pruned["events"]), (120, preview["events"]))
        self.assertEqual([task["task_id"] for task in self.stepwell.tasks()], [open_one])
        self.assertEqual(self.server.request("GET", f"/tasks/{gone[0]}")[0], 404)
        events = self.stepwell.events("store.pruned")
        self.assertEqual(sum(event["data"]["task_count"] for event in events), 120)
        self.assertEqual(sum(event["data"]["event_count"] for event in events), pruned["events"])
        self.assertEqual({event["data"]["reason"] for event in events}, {"enough"})
        self.assertGreater(len(events), 2)
        # The server goes on, with the same template and the same keys.
        again = self.complete(1)
        self.assertNotIn(again[0], gone)
        self.assertIn("verified", self.stepwell.run("verify").stdout)
        copy = Stepwell(self)
        copy.run("import", archive)
        self.assertEqual(len(copy.json("list", "--limit", "1000")), 120)
        # After a restart nothing is missed.
        self.server.process.kill()
        self.server = self.serve_again()
        self.complete(1, "after")
        self.assertEqual([task["key"] for task in self.stepwell.tasks()], ["after0", "k0", None])
        self.assertIn("verified", self.stepwell.run("verify").stdout)

    def test_while_the_server_works(self) -> None:
        self.complete(60)
        errors: List[str] = []

        def work() -> None:
            try:
                self.complete(100, "meanwhile")
            except AssertionError as error:
                errors.append(str(error))

        thread = threading.Thread(target=work)
        thread.start()
        wait_until(lambda: len(self.server.get("/tasks?limit=1000")["tasks"]) > 60, "there is work")
        pruned = 0
        while thread.is_alive():
            pruned += self.stepwell.json("prune", "--older-than", "1m")["tasks"]
            answer = self.server.post("/prune", {"before": self.server.get("/health")["head_time"], "tasks": []})
            pruned += answer["tasks"]
            thread.join(0)
        self.assertGreater(pruned, 50)
        # Those that have left cannot be waited for any more.
        self.assertTrue(all("unknown_task" in error for error in errors), errors)
        self.assertIn("verified", self.stepwell.run("verify").stdout)

    def test_without_names_all_leave_and_each_counts_once(self) -> None:
        [first, *_] = self.complete(120)
        open_one = self.server.post("/tasks", {"name": "chain"})["task_id"]
        body = {"before": "2100-01-01T00:00:00Z", "tasks": [first, open_one, first]}
        self.assertEqual(self.server.post("/prune", body)["tasks"], 1)
        self.assertEqual(self.server.post("/prune", body)["tasks"], 0)
        body = {"before": "2100-01-01T00:00:00Z"}
        would = self.server.post("/prune?dry_run=true", body)
        self.assertEqual((would["tasks"], would["dry_run"]), (119, True))
        done = self.server.post("/prune", body)
        self.assertEqual((done["tasks"], done["events"]), (119, would["events"]))
        self.assertEqual(self.server.post("/prune", body)["tasks"], 0)
        self.assertEqual([task["task_id"] for task in self.stepwell.tasks()], [open_one])
        self.assertIn("verified", self.stepwell.run("verify").stdout)

    def test_the_newest_of_a_key_stays_while_an_older_one_does(self) -> None:
        [first] = self.complete(1)
        [second] = [
            task["task_id"] for task in self.server.post(
                "/tasks/batch", {"tasks": [{"name": "quick", "idempotency_key": "k0", "replace": True}]})["tasks"]]
        self.server.get(f"/tasks/{second}?wait=60s")
        before = self.server.get("/health")["head_time"]
        answer = self.server.post("/prune?dry_run=true", {"before": "2100-01-01T00:00:00Z", "tasks": [second]})
        self.assertEqual(answer["tasks"], 1)
        status, problem = self.server.request("POST", "/prune", {"before": "yesterday"})
        self.assertEqual((status, problem["code"]), (400, "malformed_request"))
        answer = self.server.post("/prune", {"before": before, "tasks": [first]})
        self.assertEqual(answer["tasks"], 1)
        self.assertEqual(self.server.get("/tasks?key=k0")["tasks"][0]["task_id"], second)


if __name__ == "__main__":
    unittest.main()
