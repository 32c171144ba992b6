"""`stepwell serve`: tasks over HTTP, workers elsewhere, live events, and kill -9 of each of them."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import unittest
from collections import Counter
from typing import Any, Dict, List

from serving import CHAIN, EventSubscriber, RawWorker, Server, ServingTest
from support import Stepwell, wait_until


class Tasks(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.server = self.serve(self.stepwell, "--templates", self.templates(CHAIN)).ready()

    def test_a_task_runs_from_one_end_to_the_other(self) -> None:
        worker = RawWorker(self.server, ["first", "second"])
        task = self.server.post("/tasks", {"name": "chain", "context": {"n": 1.0}, "tags": ["a"]}, status=201)
        [first] = worker.attempts()
        self.assertEqual((first["step"], first["input"]), ("first", {"n": 1.0}))
        self.assertEqual(worker.succeed(first, {"rows": 3}), [])
        [second] = worker.attempts()
        self.assertEqual(second["dependencies"], {"first": {"rows": 3}})
        worker.succeed(second, None)
        done = self.server.get(f"/tasks/{task['task_id']}?wait=30s")
        self.assertEqual((done["state"], done["steps"]["first"]["result"]), ("complete", {"rows": 3}))
        self.assertEqual(self.server.get("/tasks/last/steps/first/result"), {"rows": 3})
        self.assertEqual([step["name"] for step in self.server.get("/tasks/last/steps")["steps"]], ["first", "second"])
        types = [event["type"] for event in self.server.get("/tasks/last/steps/first/audit")["events"]]
        self.assertEqual(types[0], "stepwell.step.enqueued")
        self.assertEqual(types[-1], "stepwell.step.completed")

    def test_the_same_key_is_the_same_task_and_the_same_answer(self) -> None:
        body = {"name": "chain", "idempotency_key": "2026-11-24"}
        first = self.server.request("POST", "/tasks", body)
        again = self.server.request("POST", "/tasks", body)
        self.assertEqual((first[0], again[0]), (201, 200))
        self.assertEqual(first[1], again[1])
        other = self.server.post("/tasks", {**body, "replace": True}, status=201)
        self.assertNotEqual(other["task_id"], first[1]["task_id"])

    def test_a_batch_is_taken_as_a_whole_or_not_at_all(self) -> None:
        tasks: List[Dict[str, Any]] = [{"name": "chain", "idempotency_key": str(number)} for number in range(3)]
        status, answer = self.server.request("POST", "/tasks/batch", {"tasks": [*tasks, {"name": "chain", "priority": 101}]})
        self.assertEqual((status, answer["code"]), (400, "malformed_request"))
        self.assertIn("tasks[3]", answer["detail"])
        status, answer = self.server.request("POST", "/tasks/batch", {"tasks": [*tasks, {"name": "none"}]})
        self.assertEqual((status, answer["code"]), (404, "unknown_template"))
        self.assertEqual(self.server.get("/tasks")["tasks"], [])
        created = self.server.post("/tasks/batch", {"tasks": [*tasks, tasks[0]]})["tasks"]
        self.assertEqual([task["created"] for task in created], [True, True, True, False])
        self.assertEqual(created[3]["task_id"], created[0]["task_id"])
        again = self.server.post("/tasks/batch", {"tasks": tasks})["tasks"]
        self.assertEqual([task["created"] for task in again], [False] * 3)
        self.assertEqual(len(self.server.get("/tasks")["tasks"]), 3)

    def test_lists_are_paged_without_a_gap_or_a_double(self) -> None:
        self.server.post("/tasks/batch", {"tasks": [{"name": "chain"} for _ in range(25)]})
        seen: List[str] = []
        cursor = ""
        while cursor is not None:
            page = self.server.get(f"/tasks?limit=7{cursor and '&cursor=' + cursor}")
            seen += [task["task_id"] for task in page["tasks"]]
            cursor = page["next"]
        self.assertEqual(len(seen), 25)
        self.assertEqual(seen, [task["task_id"] for task in self.server.get("/tasks?limit=1000")["tasks"]])
        self.assertEqual(len(set(seen)), 25)

    def test_a_last_event_that_cannot_be_is_refused(self) -> None:
        for number in (2**64 - 1, 2**64, 2**63, -1, "x", ""):
            for path in ("/events/stream?follow=false", "/events/stream"):
                status, answer = self.server.request("GET", path, Last_Event_ID=str(number))
                self.assertEqual((status, answer["code"]), (400, "malformed_request"), number)
        self.assertEqual(
            self.server.get("/events/stream?follow=false", Last_Event_ID=str(2**63 - 1)), "event: end\ndata:\n\n")

    def test_pages_of_events_are_small_whatever_is_asked_for(self) -> None:
        count = 3000
        self.server.post("/tasks/batch", {"tasks": [{"name": "chain"} for _ in range(count)]})
        large = self.server.post("/tasks/batch", {"tasks": [
            {"name": "chain", "context": {"x": "y" * 1_000_000}} for _ in range(10)]})["tasks"]
        token = self.stepwell.json("token", "create", "narrow", "--role", "viewer", "--namespace", "other")["token"]

        def pages(limit: int, token: str) -> List[Any]:
            found, after, last = [], 0, -1
            while after != last:
                page = self.server.get(f"/events?after={after}&limit={limit}", Authorization=f"Bearer {token}")
                found.append(page["events"])
                last, after = after, page["next_after"]
            return found

        wait_until(lambda: self.server.request("GET", "/tasks", Authorization=f"Bearer {token}")[0] == 200, "it is known")
        # Nobody is kept from the server by one who looks for what is not for him.
        narrow = pages(1000, token)
        self.assertEqual([event for page in narrow for event in page], [])
        self.assertGreater(len(narrow), 2)
        wide = self.stepwell.json("token", "create", "wide", "--role", "viewer")["token"]
        wait_until(lambda: self.server.request("GET", "/tasks", Authorization=f"Bearer {wide}")[0] == 200, "it is known")
        found = pages(1000, wide)
        self.assertEqual([event["seq"] for page in found for event in page], [event["seq"] for event in self.stepwell.events()])
        self.assertLess(max(len(json.dumps(page)) for page in found), 6_000_000)
        self.assertEqual(len(large), 10)

    def test_bulk_wishes_say_first_what_they_would_do(self) -> None:
        self.server.post("/tasks/batch", {"tasks": [{"name": "chain"} for _ in range(3)]})
        tried = self.server.post("/tasks/bulk", {"action": "cancel", "name": "chain", "dry_run": True})
        self.assertEqual([task["done"] for task in tried["tasks"]], [False] * 3)
        self.assertEqual({task["state"] for task in self.server.get("/tasks")["tasks"]}, {"pending"})
        done = self.server.post("/tasks/bulk", {"action": "cancel", "name": "chain"})
        self.assertEqual([task["done"] for task in done["tasks"]], [True] * 3)
        self.assertEqual({task["state"] for task in self.server.get("/tasks")["tasks"]}, {"cancelled"})

    def test_bulk_wishes_that_are_sent_again_reach_all(self) -> None:
        self.server.post("/tasks/batch", {"tasks": [{"name": "chain"} for _ in range(5)]})
        for action in ("pause", "resume", "cancel"):
            done = [self.server.post("/tasks/bulk", {"action": action, "limit": 2})["tasks"] for _ in range(4)]
            self.assertEqual([[task["done"] for task in tasks] for tasks in done], [[True] * 2, [True] * 2, [True], []])

    def test_a_bulk_retry_finds_what_is_blocked_behind_what_is_not(self) -> None:
        worker = RawWorker(self.server, ["first"])
        blocked = self.server.post("/tasks", {"name": "chain"})["task_id"]
        [attempt] = worker.attempts()
        worker.deliver({"type": "failure", "lease": attempt["lease"], "message": "no", "retryable": False})
        self.server.post("/tasks/batch", {"tasks": [{"name": "chain"} for _ in range(3)]})
        [done] = self.server.post("/tasks/bulk", {"action": "retry", "limit": 1})["tasks"]
        self.assertEqual((done["task_id"], done["done"]), (blocked, True))

    def test_a_paused_task_waits_for_its_resumption(self) -> None:
        worker = RawWorker(self.server, ["first", "second"])
        self.server.post("/tasks", {"name": "chain"})
        [first] = worker.attempts()
        self.assertEqual(self.server.post("/tasks/last/pause", {"reason": "the table moves"})["state"], "paused")
        self.assertEqual(self.server.request("POST", "/tasks/last/pause", {})[1]["code"], "task_paused")
        worker.succeed(first)
        self.assertEqual(worker.poll(wait_ms=200), [])
        self.assertIn("the table moves", str(self.server.get("/tasks/last/explain")))
        done = self.server.post("/tasks/bulk", {"action": "resume", "state": "paused"})
        self.assertEqual([task["done"] for task in done["tasks"]], [True])
        [second] = worker.attempts()
        worker.succeed(second)
        self.assertEqual(self.server.get("/tasks/last?wait=30s")["state"], "complete")

    def test_a_version_of_a_template_keeps_its_text_over_a_restart(self) -> None:
        changed = CHAIN.replace("callable: second", "callable: third").encode()
        status, answer = self.server.request("PUT", "/templates", changed)
        self.assertEqual((status, answer["code"]), (409, "template_changed"))
        status, _ = self.server.request("PUT", "/templates", changed.replace(b"1.0.0", b"1.1.0"))
        self.assertEqual(status, 201)
        self.server.process.kill()
        self.server = self.serve(self.stepwell).ready()
        self.assertEqual(
            [template["version"] for template in self.server.get("/templates")["templates"]], ["1.0.0", "1.1.0"])
        self.assertEqual(self.server.request("PUT", "/templates", CHAIN.encode())[0], 200)
        self.assertEqual(self.server.post("/tasks", {"name": "chain"})["version"], "1.1.0")
        self.assertEqual(self.server.post("/tasks", {"name": "chain", "version": "1.0.0"})["version"], "1.0.0")

    def test_it_ends_in_good_order_with_streams_and_polls_open(self) -> None:
        worker = RawWorker(self.server, ["other"])
        subscriber = EventSubscriber(self.server.port)
        thread = threading.Thread(target=lambda: list(subscriber.ids()))
        thread.start()
        poll = threading.Thread(
            target=lambda: self.server.request("POST", f"/workers/{worker.id}/poll", {"wait_ms": 10_000}))
        poll.start()
        wait_until(lambda: subscriber.last > 0, "the subscriber has events")
        self.server.process.signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(), 0)
        thread.join(30)
        poll.join(30)
        self.assertFalse(thread.is_alive() or poll.is_alive())
        subscriber.close()


class Commands(ServingTest):
    """The commands that change a store, beside the server that has it."""

    def test_they_are_done_by_the_server(self) -> None:
        stepwell = Stepwell(self)
        flaky = CHAIN.replace("name: chain", "name: flaky").replace(
            "{ callable: first }", '{ command: ["sh", "-c", "test -e ready && echo 1"] }, retry: { retryable: false }'
        ).replace("{ callable: second }", '{ command: ["echo", "2"] }')
        server = self.serve(stepwell, "--templates", self.templates(CHAIN, flaky)).ready()
        task = server.post("/tasks", {"name": "chain"})["task_id"]
        self.assertEqual(stepwell.json("pause", task, "--reason", "for now")["state"], "paused")
        self.assertIn("task_paused", stepwell.run("pause", task, code=4).stderr)
        self.assertNotEqual(stepwell.json("unpause", task)["state"], "paused")
        resolved = stepwell.json("resolve", task, "first", "--result", '{"rows": 3.0}')
        self.assertEqual(resolved["steps"]["first"], {**resolved["steps"]["first"], "state": "resolved_manually"})
        self.assertEqual(server.request("GET", f"/tasks/{task}/steps/first/result")[1], {"rows": 3.0})
        self.assertEqual(stepwell.json("cancel", task, code=0)["state"], "cancelled")
        self.assertIn("task_closed", stepwell.run("cancel", task, code=4).stderr)
        blocked = server.post("/tasks?wait=30s", {"name": "flaky"})
        self.assertEqual(blocked["state"], "blocked_by_failures")
        (stepwell.folder / "ready").touch()
        done = stepwell.json("retry", blocked["task_id"])
        self.assertEqual((done["state"], done["steps"]["second"]["result"]), ("complete", 2))
        path = self.write("once.yaml", flaky.replace("flaky", "once"))
        once = ["run", path, "--key", "monday", "--input", '{"n": 1.50}', "--tag", "nightly"]
        first = stepwell.json(*once)
        self.assertEqual((first["state"], first["key"]), ("complete", "monday"))
        self.assertIn('"n": 1.50', stepwell.run("events", first["task_id"], "-o", "jsonl").stdout)
        self.assertEqual(stepwell.json(*once)["task_id"], first["task_id"])
        self.assertNotEqual(stepwell.json(*once, "--new")["task_id"], first["task_id"])
        changed = self.write("changed.yaml", flaky.replace("flaky", "once").replace('"2"', '"3"'))
        self.assertIn("template_changed", stepwell.run("run", changed, code=4).stderr)
        operators = {event["actor"]["id"] for event in stepwell.events() if event["actor"]["type"] == "operator"}
        self.assertEqual(len(operators), 1)
        self.assertNotIn("", operators)


class Workers(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.folder = self.templates(CHAIN)
        self.server = self.start()

    def start(self, lease: int = 30) -> Server:
        return self.serve(self.stepwell, "--templates", self.folder, "--lease", str(lease)).ready()

    def test_an_answer_that_was_lost_is_given_again(self) -> None:
        worker = RawWorker(self.server, ["first"])
        self.server.post("/tasks", {"name": "chain"})
        [attempt] = worker.attempts()
        # As if the answer to the poll had been lost.
        self.assertEqual(worker.poll(after=0), [attempt])
        message = {"type": "result", "lease": attempt["lease"], "result": 1}
        self.assertEqual(worker.deliver(message, number=1), [])
        self.assertEqual(worker.deliver(message, number=1), [])
        self.assertEqual(self.stepwell.events("result.rejected"), [])
        # Sent anew it is a second report.
        worker.number = 1
        self.assertEqual(worker.deliver(message), [{"type": "rejected", "lease": attempt["lease"], "reason": "duplicate"}])

    def test_large_attempts_come_one_answer_after_the_other(self) -> None:
        worker = RawWorker(self.server, ["first"], concurrency=10)
        large = {"name": "chain", "context": {"x": "y" * 6_000_000}}
        ids = [task["task_id"] for task in self.server.post("/tasks/batch", {"tasks": [large] * 7})["tasks"]]
        answers = [worker.poll(wait_ms=5000)]
        while sum(map(len, answers)) < 7:
            answers.append(worker.poll(wait_ms=5000))
        self.assertLessEqual(max(map(len, answers)), 3)
        self.assertEqual([message["task_id"] for answer in answers for message in answer], ids)

    def test_a_worker_that_is_silent_loses_its_attempts_and_is_told_so(self) -> None:
        self.server.process.kill()
        self.server = self.start(lease=1)
        silent = RawWorker(self.server, ["first"], name="silent")
        self.server.post("/tasks", {"name": "chain"})
        [attempt] = silent.attempts()
        other = RawWorker(self.server, ["first"], name="other")
        [again] = other.attempts()
        self.assertEqual((again["step"], again["attempt"]), ("first", 1))
        self.assertGreater(again["lease"], attempt["lease"])
        status, answer = self.server.request(
            "POST", f"/workers/{silent.id}/messages",
            {"number": 1, "messages": [{"type": "result", "lease": attempt["lease"], "result": "late"}]})
        self.assertEqual((status, answer["code"]), (404, "unknown_worker"))
        back = RawWorker(self.server, ["first"], name="silent")
        self.assertEqual(
            back.succeed(attempt, "late"), [{"type": "rejected", "lease": attempt["lease"], "reason": "lost"}])
        other.succeed(again, "right")
        self.assertEqual(self.server.get("/tasks/last/steps/first/result"), "right")
        [rejected] = self.stepwell.events("result.rejected")
        self.assertEqual(rejected["data"]["lease"], attempt["lease"])

    def test_what_was_held_before_a_restart_is_rejected_after_it(self) -> None:
        worker = RawWorker(self.server, ["first"])
        self.server.post("/tasks", {"name": "chain"})
        [attempt] = worker.attempts()
        self.server.process.kill()
        self.server = self.start()
        worker = RawWorker(self.server, ["first"])
        self.assertEqual(worker.succeed(attempt), [{"type": "rejected", "lease": attempt["lease"], "reason": "lost"}])
        [again] = worker.attempts()
        self.assertEqual(worker.succeed(again), [])

    def test_nobody_ends_what_another_holds(self) -> None:
        worker = RawWorker(self.server, ["first"])
        self.server.post("/tasks", {"name": "chain"})
        [attempt] = worker.attempts()
        thief = RawWorker(self.server, ["other"])
        body = {"number": 1, "messages": [{"type": "result", "lease": attempt["lease"], "result": "stolen"}]}
        status, answer = self.server.request("POST", f"/workers/{thief.id}/messages", body)
        self.assertEqual((status, answer["code"]), (400, "malformed_message"))
        self.assertEqual(worker.succeed(attempt, "mine"), [])
        self.assertEqual(self.server.get("/tasks/last/steps/first/result"), "mine")

    def test_what_was_given_up_and_is_heard_late_changes_nothing(self) -> None:
        worker = RawWorker(self.server, ["first", "second"])
        for _ in range(2):
            self.server.post("/tasks", {"name": "chain"})
            worker.succeed(worker.attempts()[0])
        [attempt] = worker.attempts()
        waiting: List[Any] = []
        thread = threading.Thread(target=lambda: waiting.extend(worker.poll(wait_ms=20_000)))
        thread.start()
        wait_until(lambda: "first" in str(self.server.get("/workers")), "the worker is there")
        status, answer = self.server.request("POST", f"/workers/{worker.id}/poll", {"after": worker.after - 2})
        self.assertEqual((status, answer["code"]), (400, "malformed_message"))
        status, answer = self.server.request("POST", f"/workers/{worker.id}/messages", {"number": 1, "messages": []})
        self.assertEqual((status, answer["code"]), (400, "malformed_message"))
        worker.succeed(attempt)
        thread.join(30)
        self.assertEqual([message["type"] for message in waiting], ["attempt"])
        # What no worker of this session can have said ends it.
        self.assertEqual(self.server.request("POST", f"/workers/{worker.id}/poll", {"after": 99})[0], 400)
        self.assertEqual(self.server.request("POST", f"/workers/{worker.id}/poll", {})[0], 404)

    def test_cancellations_checkpoints_and_far_results(self) -> None:
        worker = RawWorker(self.server, ["first", "second"])
        self.server.post("/tasks", {"name": "chain"})
        [first] = worker.attempts()
        lease = first["lease"]
        replies = worker.deliver(
            {"type": "checkpoint", "lease": lease, "data": {"at": 7}}, {"type": "log", "lease": lease, "text": "hello"},
            {"type": "fetch", "lease": lease, "id": 3, "step": "second"})
        self.assertIn({"type": "checkpointed", "lease": lease}, replies)
        self.assertIn("is no ancestor", str(replies))
        worker.deliver({"type": "failure", "lease": lease, "message": "once more", "retry_after_ms": 1})
        [again] = worker.attempts()
        self.assertEqual((again["attempt"], again["checkpoint"]), (2, {"at": 7}))
        self.server.post("/tasks/last/cancel", {"reason": "enough"})
        [cancel] = worker.poll(wait_ms=5000)
        self.assertEqual(cancel, {"type": "cancel", "lease": again["lease"], "reason": "cancelled"})
        worker.deliver({"type": "stopped", "lease": again["lease"]})
        self.assertEqual(worker.deliver({"type": "drained"}), [])
        self.assertEqual(self.server.request("POST", f"/workers/{worker.id}/poll", {})[0], 404)

    def test_many_large_results_come_in_portions(self) -> None:
        worker = RawWorker(self.server, ["first", "second"])
        self.server.post("/tasks", {"name": "chain"})
        large = "x" * 5_000_000
        worker.succeed(worker.attempts()[0], large)
        [second] = worker.attempts()
        self.assertEqual((second["dependencies"], second["fetchable"]), ({}, ["first"]))
        wishes = [{"type": "fetch", "lease": second["lease"], "id": id, "step": "first"} for id in range(10)]
        replies = worker.deliver(*wishes)
        self.assertEqual([reply["id"] for reply in replies], [0, 1, 2, 3])
        self.assertEqual([len(reply["result"]) for reply in replies], [5_000_000] * 4)
        # The rest waits for polls, and holds up no delivery.
        self.assertEqual(worker.deliver(*wishes, number=worker.number), replies)
        self.assertEqual(worker.deliver({"type": "fetch", "lease": second["lease"], "id": 10, "step": "first"})[0]["id"], 10)
        for id in range(4, 10):
            [reply] = worker.poll(wait_ms=5000)
            self.assertEqual((reply["id"], reply["result"] == large), (id, True))
        self.assertEqual(worker.poll(), [])
        worker.deliver(*wishes)
        worker.succeed(second)
        # Nobody waits for these any more.
        self.assertTrue(all("has ended" in str(worker.poll(wait_ms=5000)) for _ in range(6)))
        self.assertEqual(self.server.get("/tasks/last?wait=20s")["state"], "complete")


class Access(ServingTest):
    def test_roles_and_namespaces(self) -> None:
        stepwell = Stepwell(self)
        other = CHAIN.replace("namespace_name: default", "namespace_name: other")
        server = self.serve(stepwell, "--templates", self.templates(CHAIN, other)).ready()
        tokens = {
            role: stepwell.json("token", "create", role, "--role", role)["token"]
            for role in ("viewer", "operator", "worker", "admin")
        }
        narrow = stepwell.json("token", "create", "narrow", "--role", "operator", "--namespace", "other")["token"]
        old = stepwell.json("token", "create", "old", "--role", "admin", "--expires", "0")["token"]
        wait_until(lambda: server.request("GET", "/tasks")[0] == 401, "the tokens are noticed")

        def ask(method: str, path: str, token: str, body: Any = None) -> Any:
            status, answer = server.request(method, path, body, Authorization=f"Bearer {token}")
            return status, answer.get("code") if isinstance(answer, dict) else None

        task = {"name": "chain"}
        self.assertEqual(server.request("GET", "/tasks")[1]["code"], "token_missing")
        self.assertEqual(ask("GET", "/tasks", "wrong"), (401, "token_unknown"))
        self.assertEqual(ask("GET", "/tasks", old), (401, "token_expired"))
        self.assertEqual(ask("GET", "/tasks", tokens["viewer"]), (200, None))
        self.assertEqual(ask("POST", "/tasks", tokens["viewer"], task), (403, "not_allowed"))
        self.assertEqual(ask("POST", "/tasks", tokens["worker"], task), (403, "not_allowed"))
        self.assertEqual(ask("POST", "/tasks", tokens["operator"], task), (201, None))
        self.assertEqual(ask("PUT", "/templates", tokens["operator"], CHAIN.encode()), (403, "not_allowed"))
        self.assertEqual(ask("PUT", "/templates", tokens["admin"], CHAIN.encode()), (200, None))
        self.assertEqual(ask("POST", "/tasks", narrow, task), (403, "not_allowed"))
        self.assertEqual(ask("GET", "/tasks/last", narrow), (404, "unknown_task"))
        self.assertEqual(ask("POST", "/tasks", narrow, {**task, "namespace": "other"}), (201, None))
        listed = server.request("GET", "/tasks", Authorization=f"Bearer {narrow}")[1]["tasks"]
        self.assertEqual([entry["namespace"] for entry in listed], ["other"])
        events = server.request("GET", "/events", Authorization=f"Bearer {narrow}")[1]["events"]
        self.assertEqual({event["task_id"] for event in events}, {listed[0]["task_id"]})
        submitted = stepwell.events("task.submitted")
        self.assertEqual([event["actor"]["id"] for event in submitted], ["operator", "narrow"])
        stepwell.run("token", "revoke", "viewer")
        wait_until(lambda: ask("GET", "/tasks", tokens["viewer"]) == (401, "token_unknown"), "the token is revoked")
        self.assertEqual(stepwell.run("token", "revoke", "viewer", code=3).code, 3)
        self.assertEqual(oct(os.stat(stepwell.store / "tokens.json").st_mode & 0o777), "0o600")

    def test_it_does_not_listen_to_the_world_without_tokens_and_tls(self) -> None:
        stepwell = Stepwell(self)
        refused = stepwell.run("serve", "--listen", "0.0.0.0:0", code=2)
        self.assertIn("[insecure]", refused.stderr)
        self.assertFalse(stepwell.store.exists())
        taken = self.serve(stepwell)
        other = Stepwell(self)
        self.assertIn("cannot_listen", other.run("serve", "--listen", f"127.0.0.1:{taken.port}", code=1).stderr)
        self.assertIn("store_locked", stepwell.run("serve", "--listen", "127.0.0.1:0", code=4).stderr)


if __name__ == "__main__":
    unittest.main()
