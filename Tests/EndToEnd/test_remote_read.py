"""What the command line tells is the same, whether it has read the store or asked the server."""

from __future__ import annotations

import signal
import unittest
from typing import List

from remote_cli import FLAKY, Remote, RemoteTest
from serving import CHAIN, RawWorker
from support import wait_until

FORMATS: List[List[str]] = [[], ["-o", "json"], ["-o", "jsonl"]]


class SameBothWays(RemoteTest):
    def setUp(self) -> None:
        super().setUp()
        self.chain = self.server.post(
            "/tasks", {"name": "chain", "context": {"n": 1.50, "text": "ä \u2028 \""}, "idempotency_key": "mon/day", "tags": ["a"]}
        )["task_id"]
        self.blocked = self.server.post("/tasks?wait=30s", {"name": "flaky", "priority": 3})["task_id"]
        self.be_ready()
        self.done = self.server.post("/tasks?wait=30s", {"name": "flaky"})["task_id"]
        self.worker = RawWorker(self.server, ["first", "other"], name="far-away")
        self.worker.attempts()

    def compare(self, *words: str) -> None:
        with self.subTest(words=words):
            local = self.stepwell.run(*words, code=None)
            remote = self.remote.run(*words, code=None)
            self.assertEqual((remote.stdout, remote.code), (local.stdout, local.code), remote.stderr)
            self.assertEqual(remote.stderr, local.stderr)
            self.assertNotIn("error", local.stderr)

    def test_every_command_that_looks(self) -> None:
        commands = [
            ["list"], ["list", "--state", "complete"], ["list", "--namespace", "nobody"], ["list", "--limit", "2"],
            ["show", self.chain], ["show", self.blocked], ["show", self.done], ["show", "mon/day"], ["show", "last"],
            ["explain", self.chain], ["explain", self.blocked], ["explain", self.blocked, "load"],
            ["diff", self.blocked, self.done], ["diff", self.done, self.done],
            ["state"], ["state", "--at", "9"], ["state", "--at", "2020-01-01T00:00:00Z"],
            ["logs", self.done], ["logs", self.blocked, "load"], ["logs", self.chain],
            ["events"], ["events", self.blocked], ["events", "--after", "7"], ["events", "last", "--after", "1000"],
            ["templates"],
        ]
        for words in commands:
            for form in FORMATS:
                self.compare(*words, *form)
        self.compare("events", "-o", "cloudevents")
        for form in ("text", "mermaid", "dot", "json"):
            self.compare("graph", self.blocked, "--format", form)
            self.compare("graph", "default/flaky", "--format", form)
        self.compare("export", self.done)
        self.compare("export", self.chain, "--redact", "/n")
        for words in (["cancel"], ["pause"], ["retry"], ["resume"]):
            self.compare(*words, self.blocked, "--dry-run") if words != ["pause"] else self.compare(
                *words, self.chain, "--dry-run", "-o", "json")
        self.compare("resume", "--dry-run")
        self.compare("resolve", self.blocked, "load", "--dry-run", "-o", "jsonl")
        self.compare("fork", self.done, "--from", "count", "--set-input", "n=4", "--dry-run")
        self.compare("fork", self.done, "--from", "count", "--set-result", "load={\"rows\": 4}", "--dry-run", "-o", "json")

    def test_colours(self) -> None:
        answer = self.server.request("GET", f"/tasks/{self.blocked}?color=true", Accept="text/plain")[1]
        self.assertIn("\x1b[31mblocked_by_failures\x1b[0m", answer)
        self.assertNotIn("\x1b", self.server.request("GET", f"/tasks/{self.blocked}", Accept="text/plain")[1])

    def test_counts_but_for_who_reads(self) -> None:
        def counts(text: str) -> List[str]:
            return [line for line in text.splitlines() if not line.startswith("readers:")]

        local = counts(self.stepwell.run("stats").stdout)
        self.assertEqual(counts(self.remote.run("stats").stdout), local)
        self.assertGreater(len(local), 10)
        here, there = self.stepwell.json("stats"), self.remote.json("stats")
        del here["readers"], there["readers"]
        self.assertEqual(there, here)

    def test_workers_but_for_their_silence(self) -> None:
        self.assertEqual(self.remote.run("workers").stdout, self.stepwell.run("workers").stdout)
        here, there = self.stepwell.json("workers"), self.remote.json("workers")
        for worker in [*here, *there]:
            worker.pop("silent_ms", None)
        self.assertEqual(there, here)
        self.assertEqual([worker["running"] for worker in there if worker["name"].startswith("far-away")], [1])

    def test_what_goes_wrong(self) -> None:
        for words in (["show", "ffff"], ["explain", self.done, "nothing"], ["diff", "ffff", self.done], ["events", "ffff"],
                      ["graph", "ffff"], ["graph", "default/ffff"], ["export", "ffff"], ["logs", "ffff"], ["cancel", self.done],
                      ["export", self.done, "--redact", "/nothing"], ["fork", self.done, "--from", "ffff"]):
            with self.subTest(words=words):
                local = self.stepwell.run(*words, code=None)
                remote = self.remote.run(*words, code=None)
                self.assertEqual(remote.code, local.code)
                self.assertNotEqual(local.code, 0)
                if "explain" not in words:
                    self.assertEqual(remote.stderr, local.stderr)

    def test_pages(self) -> None:
        tasks = [{"name": "chain", "idempotency_key": f"k{number}"} for number in range(1200)]
        self.server.post("/tasks/batch", {"tasks": tasks})
        self.compare("list", "--limit", "1200")
        self.compare("list", "--limit", "5000", "-o", "jsonl")
        self.assertEqual(len(self.remote.json("list", "--limit", "5000")), 1203)


class PagesOfAKey(RemoteTest):
    def test_they_go_on(self) -> None:
        names = [f"name{number}" for number in range(7)]
        for name in names:
            self.server.request("PUT", "/templates", CHAIN.replace("name: chain", f"name: {name}").encode())
            self.server.post("/tasks", {"name": name, "idempotency_key": "same"})
        found, cursor, pages = [], "", 0
        while cursor is not None:
            page = self.server.get("/tasks?key=same&limit=3" + (f"&cursor={cursor}" if cursor else ""))
            found += [task["name"] for task in page["tasks"]]
            cursor, pages = page["next"], pages + 1
        self.assertEqual(found, names[::-1])
        self.assertEqual(pages, 3)
        self.assertEqual(self.server.get("/tasks?key=same&limit=7&state=complete"), {"tasks": [], "next": None})


class LogPages(RemoteTest):
    def test_lines_come_in_pages(self) -> None:
        many = FLAKY.replace("flaky", "many").replace("echo looking >&2; test -e ready &&", "seq 1 2500 >&2;")
        self.server.request("PUT", "/templates", many.encode())
        task = self.server.post("/tasks?wait=30s", {"name": "many"})["task_id"]
        self.assertEqual(self.remote.run("logs", task).stdout, self.stepwell.run("logs", task).stdout)
        found, cursor = [], ""
        while cursor is not None:
            page = self.server.get(f"/tasks/{task}/logs?step=load&limit=999" + (f"&cursor={cursor}" if cursor else ""))
            found += [line["text"] for line in page["lines"]]
            cursor = page["next"]
        self.assertEqual(found, [str(number) for number in range(1, 2501)])
        self.assertEqual(self.server.request("GET", f"/tasks/{task}/logs?cursor=x")[0], 400)
        self.assertEqual(self.server.request("GET", f"/tasks/{task}/logs?step=none")[1]["code"], "unknown_step")


class Follow(RemoteTest):
    def test_events_go_on_after_a_broken_connection(self) -> None:
        self.server.post("/tasks", {"name": "chain"})
        follower = self.remote.start("events", "--follow", "-o", "jsonl")
        wait_until(lambda: "step.enqueued" in follower.stdout, "the first events are there")
        port = self.server.port
        self.server.process.kill()
        self.server = self.serve_again(port)
        task = self.server.post("/tasks", {"name": "chain"})["task_id"]
        wait_until(lambda: follower.stdout.count(task) >= 2, "the events of the second server are there")
        self.assertIn("trying again", follower.stderr)
        self.assertEqual(follower.stdout, self.stepwell.run("events", "-o", "jsonl").stdout)
        follower.signal(signal.SIGINT)
        self.assertEqual(follower.wait(), 130)

    def test_events_beside_a_local_server_and_of_one_task(self) -> None:
        local = Remote(self, f"unix:{self.stepwell.store / 'api.sock'}")
        for start in (self.stepwell.start, self.remote.start, local.start):
            task = self.server.post("/tasks", {"name": "chain"})["task_id"]
            follower = start("events", "last" if start == local.start else task, "--follow")
            with self.subTest(follower.words):
                wait_until(lambda: "step.enqueued" in follower.stdout, "the first events are there")
                self.server.post("/tasks", {"name": "chain", "idempotency_key": "other", "replace": True})
                self.server.post(f"/tasks/{task}/pause", {"reason": "two\nlines"})
                wait_until(lambda: "lines\n" in follower.stdout, "what happens now is there")
                self.assertEqual(follower.stdout, self.stepwell.run("events", task).stdout)


if __name__ == "__main__":
    unittest.main()
