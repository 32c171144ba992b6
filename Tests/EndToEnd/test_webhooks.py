"""Webhooks: order, signatures, tries, and a server that is killed while it delivers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import shutil
import signal
import socket
import time
import unittest
from pathlib import Path

from receiving import Receiver
from serving import ServingTest
from support import Stepwell, wait_until

TEMPLATE = """
name: {name}
namespace_name: {namespace}
version: 1
steps:
  - {{ name: first, handler: {{ command: [echo, '{{"n": 1}}'] }} }}
  - {{ name: second, handler: {{ command: ["true"] }}, dependencies: [first] }}
"""
SECRET = "whsec_" + base64.b64encode(b"a key of a webhook").decode()


class Webhooks(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        secrets = self.new_folder()
        (secrets / "hook-key").write_text(SECRET + "\n")
        self.options = [
            "--templates", self.templates(
                TEMPLATE.format(name="nightly", namespace="ops"), TEMPLATE.format(name="hourly", namespace="shop")),
            "--secrets", str(secrets)]
        self.stepwell = Stepwell(self)
        self.server = self.serve(self.stepwell, *self.options).ready()

    def hook(self, url: str, **members):
        return self.server.post("/webhooks", {"url": url, **members}, status=201)

    def run_task(self, name="nightly", namespace="ops"):
        task = self.server.post("/tasks?wait=30s", {"name": name, "namespace": namespace}, status=201)
        self.assertEqual(task["state"], "complete")
        return task["task_id"]

    def status(self, hook):
        return self.server.get(f"/webhooks/{hook['id']}")

    def wait_until_even(self, hook):
        """Waits until it has got all that there is."""
        wait_until(lambda: self.status(hook)["lag"] == 0, "all is delivered")

    def numbers(self, task=None):
        return [event["seq"] for event in self.stepwell.events() if task in (None, event["task_id"])]

    def test_every_event_comes_in_order_and_signed(self) -> None:
        receiver = Receiver(self)
        hook = self.hook(receiver.url + "/in?x=1", secret="secret:hook-key", after=0)
        task = self.run_task()
        self.wait_until_even(hook)
        self.assertEqual(receiver.ids(), self.numbers())
        printed = self.stepwell.run("events", task, "-o", "cloudevents").stdout.splitlines()
        self.assertEqual([r.body.decode() for r in receiver.taken if r.json.get("subject") == task], printed)
        for request in receiver.taken:
            self.assertEqual(request.path, "/in?x=1")
            self.assertEqual(request.headers["content-type"], "application/cloudevents+json; charset=utf-8")
            number, stamp = request.headers["webhook-id"], request.headers["webhook-timestamp"]
            self.assertRegex(number, f"^[0-9a-f]{{32}}-{request.json['id']}-[0-9]{{13}}$")
            self.assertLess(abs(int(stamp) - time.time()), 60)
            mac = hmac.new(b"a key of a webhook", f"{number}.{stamp}.".encode() + request.body, hashlib.sha256)
            self.assertEqual(request.headers["webhook-signature"], "v1," + base64.b64encode(mac.digest()).decode())
        self.assertNotIn(SECRET, "".join(p.read_text(errors="replace") for p in Path(self.stepwell.store).rglob("*.json")))

    def test_filters(self) -> None:
        receivers = [Receiver(self) for _ in range(3)]
        hooks = [
            self.hook(receivers[0].url, types=["task.*"], namespaces=["shop"]),
            self.hook(receivers[1].url, types=["step.completed"], tasks=["nightly"]),
            self.hook(receivers[2].url, types=["engine.started"], after=0),
        ]
        nightly, hourly = self.run_task(), self.run_task("hourly", "shop")
        for hook in hooks:
            self.wait_until_even(hook)
        told = [[(r.json["type"], r.json.get("subject")) for r in receiver.taken] for receiver in receivers]
        self.assertEqual(told[0], [("stepwell.task.submitted", hourly), ("stepwell.task.completed", hourly)])
        self.assertEqual(told[1], [("stepwell.step.completed", nightly)] * 2)
        self.assertEqual(told[2], [("stepwell.engine.started", None)])

    def test_a_receiver_that_fails_gets_the_same_again_until_it_takes_it(self) -> None:
        left = [503, 500, 302]
        receiver = Receiver(self, lambda _: (left.pop(), {"Location": "/elsewhere"}) if left else (204, {}))
        hook = self.hook(receiver.url, types=["task.*"], secret="secret:hook-key")
        task = self.run_task()
        self.wait_until_even(hook)
        self.assertEqual(len({(r.headers["webhook-id"], r.body) for r in receiver.all[:4]}), 1)
        self.assertEqual([r.json["type"] for r in receiver.taken], ["stepwell.task.submitted", "stepwell.task.completed"])
        self.assertEqual({r.json["subject"] for r in receiver.all}, {task})
        now = self.status(hook)
        self.assertEqual((now["state"], now["failed"], now["last_error"]), ("active", 3, None))
        self.assertIn("cannot deliver, and goes on trying: the receiver has answered 302", self.server.process.stderr)
        self.assertIn("delivers again", self.server.process.stderr)

    def test_after_a_restore_other_events_have_other_ids(self) -> None:
        receiver, backup = Receiver(self), self.new_folder() / "backup"
        hook = self.hook(receiver.url, after=0)
        self.stepwell.run("backup", str(backup))
        self.run_task()
        self.wait_until_even(hook)
        self.server.process.signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(), 0)
        self.stepwell.run("restore", str(backup), "--replace")
        aside = next(self.stepwell.store.parent.glob(self.stepwell.store.name + ".replaced-1"))
        shutil.copy(aside / "webhooks.json", self.stepwell.store)
        before = receiver.taken[:]
        self.server = self.serve(self.stepwell, *self.options).ready()
        self.run_task()
        wait_until(lambda: len(receiver.taken) > len(before), "it is told again")
        self.wait_until_even(hook)
        known = {request.headers["webhook-id"]: request.body for request in before}
        again = [request for request in receiver.taken[len(before):] if request.headers["webhook-id"] in known]
        new = [request for request in receiver.taken[len(before):] if request.headers["webhook-id"] not in known]
        self.assertTrue(again, "what the backup has is told once more, under the same id")
        self.assertEqual([request.body for request in again], [known[request.headers["webhook-id"]] for request in again])
        numbers = {request.json["id"] for request in before}
        self.assertTrue(any(request.json["id"] in numbers for request in new), "a number came again, under another id")
        self.assertEqual(sorted(int(request.json["id"]) for request in again + new), self.numbers(), "nothing is missing")

    def test_retry_after_is_honoured(self) -> None:
        times = []

        def answer(_):
            times.append(time.monotonic())
            return (429, {"Retry-After": "2"}) if len(times) == 1 else (200, {})

        hook = self.hook(Receiver(self, answer).url, types=["task.submitted"])
        self.run_task()
        self.wait_until_even(hook)
        self.assertGreaterEqual(times[1] - times[0], 1.9)

    def test_a_dead_receiver_holds_up_nobody(self) -> None:
        live, silent = Receiver(self), socket.create_server(("127.0.0.1", 0))
        self.addCleanup(silent.close)
        # One takes connections and says nothing, nobody listens at the other.
        dead = [self.hook(f"http://127.0.0.1:{silent.getsockname()[1]}/"), self.hook("http://127.0.0.1:1/")]
        hook = self.hook(live.url)
        task = self.run_task()
        self.wait_until_even(hook)
        self.assertEqual([i for i in live.ids() if i in self.numbers(task)], self.numbers(task))
        wait_until(lambda: self.status(dead[1])["state"] == "failing", "it is told")
        told = self.status(dead[1])
        self.assertIn("no_connection", told["last_error"])
        self.assertGreater(told["lag"], 5)
        metrics = self.server.get("/metrics")
        self.assertIn(f'stepwell_outward_down{{to="{dead[1]["id"]}"}} 1', metrics)
        self.assertIn(f'stepwell_outward_lag_events{{to="{hook["id"]}"}} 0', metrics)
        self.server.process.signal(signal.SIGTERM)
        self.assertEqual(self.server.process.wait(20), 0)

    def test_one_that_is_given_up_or_gone_goes_on_when_it_is_told_to(self) -> None:
        receiver = Receiver(self, lambda _: (410, {}))
        gone, tired = self.hook(receiver.url, types=["task.completed"]), self.hook(
            "http://127.0.0.1:1/", types=["task.completed"], disable_after_s=1)
        task = self.run_task()
        for hook in (gone, tired):
            wait_until(lambda: self.status(hook)["state"] == "disabled", "it is disabled")
        self.assertEqual(len(receiver.all), 1)
        self.assertIn("disabled, after the receiver has answered 410", self.server.process.stderr)
        receiver.answer = lambda _: (200, {})
        self.restart(kill=True)
        self.assertEqual(self.status(gone)["state"], "disabled")
        self.server.post(f"/webhooks/{gone['id']}/enable")
        self.wait_until_even(gone)
        self.assertEqual([r.json["subject"] for r in receiver.taken], [task])
        self.server.post(f"/webhooks/{gone['id']}/enable", {"after": 0})
        wait_until(lambda: len(receiver.taken) == 2, "it is sent again")

    def restart(self, kill: bool) -> None:
        if kill:
            self.server.process.kill()
        else:
            self.server.process.signal(signal.SIGTERM)
            self.server.process.wait()
        self.server = self.serve(self.stepwell, *self.options, port=self.server.port).ready()

    def test_kill_9_in_the_middle_loses_nothing(self) -> None:
        # Slow enough that there is always something on its way.
        def answer(_):
            time.sleep(0.01)
            return 200, {}

        receiver = Receiver(self, answer)
        hook = self.hook(receiver.url, after=0)
        for round in range(3):
            for _ in range(10):
                self.server.post("/tasks", {"name": "nightly", "namespace": "ops"}, status=201)
            had = len(receiver.taken)
            wait_until(lambda: len(receiver.taken) > had + 5, "some are delivered")
            self.restart(kill=round != 1)
        wait_until(lambda: len(self.stepwell.events("task.completed")) == 30, "all tasks are complete")
        self.wait_until_even(hook)
        ids = receiver.ids()
        self.assertEqual(sorted(set(ids)), self.numbers())
        # In order, but for what a restart repeats.
        steps_back = [(a, b) for a, b in zip(ids, ids[1:]) if b != a + 1]
        self.assertLessEqual(len(steps_back), 3, steps_back)
        for before, after in steps_back:
            self.assertLessEqual(after, before)

    def test_nothing_leaves_on_hold(self) -> None:
        receiver = Receiver(self)
        hook = self.hook(receiver.url, types=["engine.started"])
        self.server.process.kill()
        self.server = self.serve(self.stepwell, *self.options, "--hold", port=self.server.port).ready()
        later = self.hook(receiver.url, types=["engine.started"], after=0)
        for each in (hook, later):
            self.assertGreater(self.status(each)["lag"], 0)
        self.server.post("/tasks", {"name": "nightly", "namespace": "ops"}, status=201)
        self.assertEqual(receiver.all, [])
        self.server.post("/release")
        self.wait_until_even(hook)
        self.wait_until_even(later)
        self.assertEqual(len(receiver.taken), 3)

    def test_what_cannot_be_is_refused(self) -> None:
        for members, code in [
            ({"url": "ftp://x/"}, "bad_webhook_url"), ({"url": "http://u:p@x/"}, "bad_webhook_url"),
            ({"url": "http://x/a b"}, "bad_webhook_url"), ({"types": ["task.done"]}, "unknown_event_type"),
            ({"secret": "plain"}, "bad_webhook_secret"), ({"secret": "secret:none"}, "secret_missing"),
            ({"disable_after_s": 0}, "malformed_request"), ({"typ": []}, "malformed_request"),
        ]:
            status, problem = self.server.request("POST", "/webhooks", {"url": "http://127.0.0.1:1/", **members})
            self.assertEqual((status, problem["code"]), (400, code), members)
        self.assertEqual(self.server.get("/webhooks")["webhooks"], [])
        self.assertEqual(self.server.request("DELETE", "/webhooks/none")[0], 404)

    def test_a_disk_that_takes_nothing_is_no_fault_of_the_client(self) -> None:
        (self.stepwell.store / "webhooks.json.new").mkdir()
        status, answer = self.server.request("POST", "/webhooks", {"url": "http://127.0.0.1:1/"})
        self.assertEqual((status, answer["code"]), (500, "unwritable_file"))
        (self.stepwell.store / "webhooks.json.new").rmdir()
        (self.stepwell.store / "outward").rename(self.stepwell.store / "away")
        status, answer = self.server.request("POST", "/webhooks", {"url": "http://127.0.0.1:1/"})
        self.assertEqual((status, answer["code"]), (500, "unwritable_file"))
        # Nor is there one that nobody can see.
        self.assertEqual(self.server.get("/webhooks")["webhooks"], [])
        self.assertEqual(json.loads((self.stepwell.store / "webhooks.json").read_text()), [])

    def test_the_command_line(self) -> None:
        receiver = Receiver(self)
        added = self.stepwell.run(
            "webhook", "add", receiver.url, "--type", "task.completed", "--name", "nightly", "--secret", "hook-key").stdout.strip()
        self.run_task()
        wait_until(lambda: receiver.taken, "it is delivered")
        [listed] = self.stepwell.json("webhook", "list")
        self.assertEqual((listed["id"], listed["state"], listed["tasks"]), (added, "active", ["nightly"]))
        self.assertIn(added, self.stepwell.run("webhook", "list").stdout)
        self.assertIn("active", self.stepwell.run("webhook", "enable", added, "--after", "0").stdout)
        self.stepwell.run("webhook", "remove", added)
        self.assertEqual(self.stepwell.json("webhook", "list"), [])
        self.assertEqual([p.name for p in (Path(self.stepwell.store) / "outward").iterdir()], [])
        self.server.process.signal(signal.SIGTERM)
        self.server.process.wait()
        self.assertIn("no_server", self.stepwell.run("webhook", "list", code=3).stderr)


if __name__ == "__main__":
    unittest.main()
