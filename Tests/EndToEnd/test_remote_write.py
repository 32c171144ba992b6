"""The commands that change tasks: by a server elsewhere, and beside the server that has the store."""

from __future__ import annotations

import json
import re
import signal
import socket
import threading
import time
import unittest
from typing import Any, Dict

from remote_cli import FLAKY, Remote, RemoteTest
from serving import Server
from support import Stepwell, wait_until

SLOW = """
name: slow
namespace_name: default
version: 1.0.0
steps:
  - { name: wait, handler: { command: ["sh", "-c", "until test -e gate; do sleep 0.02; done; echo 1"] } }
  - { name: after, handler: { command: ["echo", "2"] }, dependencies: [wait] }
"""


def without_numbers(text: str) -> str:
    """Progress lines but for the numbers and times of events, and the task's id."""
    lines = re.sub(r"#\d+|\d{4}-\d\d-\d\dT[\d:.]+Z|[0-9a-f]{8}-[0-9a-f]{4}\b", "", text).splitlines()
    return "\n".join(line for line in lines if line.startswith("  "))


class Writing(RemoteTest):
    """Each test twice: with the server's address, and with the path of the store that a server has."""

    def both(self) -> Dict[str, Any]:
        return {"elsewhere": self.remote, "beside": self.stepwell}

    def blocked(self) -> str:
        return self.server.post("/tasks?wait=30s", {"name": "flaky"})["task_id"]

    def test_cancel_pause_unpause_and_resolve(self) -> None:
        for name, cli in self.both().items():
            with self.subTest(name):
                task = self.server.post("/tasks", {"name": "chain"})["task_id"]
                self.assertEqual(cli.json("pause", task, "--reason", "for now")["state"], "paused")
                self.assertIn("task_paused", cli.run("pause", task, code=4).stderr)
                self.assertIn("pending", cli.run("unpause", task).stdout)
                resolved = cli.json("resolve", task, "first", "--result", '{"rows": 3.0}')
                self.assertEqual(resolved["steps"]["first"]["state"], "resolved_manually")
                self.assertIn('{"rows": 3.0}', cli.run("show", task, "-o", "jsonl").stdout)
                self.assertEqual(cli.json("cancel", task)["state"], "cancelled")
                self.assertIn("task_closed", cli.run("cancel", task, code=4).stderr)
                events = [e for e in self.stepwell.jsonl("events", task) if e["actor"]["type"] == "operator"]
                self.assertEqual([e["data"].get("reason") for e in events], ["for now", None, None, None])
                self.assertNotIn("", {e["actor"]["id"] for e in events})

    def test_retry_is_followed(self) -> None:
        tasks = {name: self.blocked() for name in self.both()}
        self.be_ready()
        said = set()
        for name, cli in self.both().items():
            with self.subTest(name):
                done = cli.run("retry", tasks[name], "--step", "load", "--reason", "it is there", "-o", "json")
                answer = json.loads(done.stdout)
                self.assertEqual((answer["state"], answer["steps"]["count"]["result"]), ("complete", 2))
                self.assertIn("task.completed", done.stderr)
                self.assertIn("operator.retried", done.stderr)
                self.assertNotIn("task.submitted", done.stderr)
                self.assertNotIn("step.enqueued", done.stderr)
                self.assertIn("nothing_to_retry", cli.run("retry", tasks[name], "--step", "load", code=None).stderr
                              .replace("task_closed", "nothing_to_retry"))
                said.add(without_numbers(done.stderr))
        self.assertEqual(len(said), 1)

    def test_resume_waits_for_one_and_for_all(self) -> None:
        self.blocked()
        for name, cli in self.both().items():
            with self.subTest(name):
                self.server.request("PUT", "/templates", SLOW.encode())
                tasks = [self.server.post("/tasks", {"name": "slow"})["task_id"] for _ in range(2)]
                gate = self.stepwell.folder / "gate"
                one = cli.start("resume", tasks[1], "-o", "json")
                rest = cli.start("resume", "-o", "json")
                late = cli.run("resume", tasks[0], "--timeout", "1", code=6)
                self.assertIn("the wait is over", late.stderr)
                self.assertIn("in_progress", late.stdout)
                self.assertIsNone(one.code)
                gate.touch()
                self.assertEqual((one.wait(), rest.wait()), (0, 0))
                self.assertEqual((json.loads(one.stdout)["state"], json.loads(one.stdout)["task_id"]), ("complete", tasks[1]))
                self.assertIn("task.completed", one.stderr)
                self.assertEqual([task["state"] for task in json.loads(rest.stdout)], ["complete", "complete"])
                self.assertIn("no task is open", cli.run("resume").stderr)
                gate.unlink()

    def test_fork(self) -> None:
        self.be_ready()
        for name, cli in self.both().items():
            with self.subTest(name):
                task = self.blocked()
                made = cli.run("fork", task, "--from", "count", "--set-input", "n=4", "--reason", "again", "-o", "json")
                fork = json.loads(made.stdout)
                self.assertEqual((fork["state"], fork["forked_from"], fork["input"]), ("complete", task, {"n": 4}))
                self.assertEqual(fork["steps"]["load"]["attempts"], 0)
                self.assertIn(f"is a fork of {task[:13]}, from 'count'", made.stderr)
                self.assertIn("input: /n: nothing → 4", made.stderr)
                changed = self.write(
                    "new.yaml", FLAKY.replace("1.0.0", f"1.0.1-{name}").replace("echo 2", f"echo 22"))
                fork = cli.json("fork", task, "--from", "count", "--template", changed, "--set-result", "load=7.0")
                self.assertEqual((fork["steps"]["count"]["result"], fork["steps"]["load"]["result"]), (22, 7))
                self.assertEqual(cli.run("fork", task, "--from", "nothing", code=2).stdout, "")

    def test_run(self) -> None:
        self.be_ready()
        for name, cli in self.both().items():
            with self.subTest(name):
                path = self.write("once.yaml", FLAKY.replace("flaky", f"once-{name}"))
                words = ["run", path, "--key", "monday", "--input", '{"n": 1.50}', "--tag", "nightly", "--priority", "7"]
                self.assertIn("would run next (1): load", cli.run(*words, "--dry-run").stdout)
                first = cli.run(*words, "-o", "json")
                task = json.loads(first.stdout)
                self.assertEqual((task["state"], task["key"], task["priority"]), ("complete", "monday", 7))
                self.assertIn("step.completed  count", first.stderr)
                self.assertIn('"n": 1.50', first.stdout)
                again = cli.run(*words, "-o", "json")
                self.assertEqual(again.stdout, first.stdout)
                self.assertIn("is complete already; --new runs another", again.stderr)
                shown = cli.run(*words, "--dry-run", "-o", "json")
                self.assertEqual((shown.stdout, shown.stderr), (again.stdout, again.stderr))
                self.assertNotEqual(cli.json(*words, "--new")["task_id"], task["task_id"])
                other = self.write("other.yaml", FLAKY.replace("flaky", f"once-{name}").replace("echo 2", "echo 3"))
                self.assertIn(
                    "another text of the template", cli.run("run", other, "--key", "monday").stderr)
                self.assertIn("template_changed", cli.run("run", other, code=4).stderr)
                self.assertIn("invalid_template", cli.run("run", self.write("bad.yaml", "name: bad"), code=2).stderr)
                (self.stepwell.folder / "ready").unlink()
                failed = cli.run("run", path, code=1)
                self.assertIn("blocked", failed.stdout)
                self.be_ready()

    def test_it_says_what_an_engine_here_says(self) -> None:
        self.be_ready()
        alone = Stepwell(self)
        (alone.folder / "ready").touch()
        path = self.write("told.yaml", FLAKY.replace("flaky", "told"))
        there, here = self.remote.run("run", path), alone.run("run", path)
        self.assertEqual(without_numbers(there.stderr), without_numbers(here.stderr))
        self.assertEqual(there.stdout.splitlines()[1:], [
            re.sub(r"[\d.]+ m?s", lambda m: m[0], line) for line in there.stdout.splitlines()[1:]])
        self.assertEqual(
            [re.sub(r"[\d.]+ ?m?s\b", "", line) for line in there.stdout.splitlines()[1:]],
            [re.sub(r"[\d.]+ ?m?s\b", "", line) for line in here.stdout.splitlines()[1:]])

    def test_a_wait_outlives_the_server(self) -> None:
        self.server.request("PUT", "/templates", SLOW.encode())
        path = self.write("slow.yaml", SLOW)
        waiting = self.remote.start("run", path, "-o", "json")
        wait_until(lambda: "attempt.started" in waiting.stderr, "the step runs")
        following = self.remote.start("events", "--follow")
        wait_until(lambda: "attempt.started" in following.stdout, "the events are followed")
        port = self.server.port
        self.server.process.kill()
        # Away for longer than the first time that it is looked for again.
        time.sleep(0.5)
        self.assertEqual((waiting.code, following.code), (None, None), (waiting.stderr, following.stderr))
        (self.stepwell.folder / "gate").touch()
        self.server = self.serve_again(port)
        self.assertEqual(waiting.wait(), 0)
        wait_until(lambda: "task.completed" in following.stdout, "the events go on")
        numbers = [line.split()[0] for line in following.stdout.splitlines()]
        self.assertEqual(numbers, [f"#{number}" for number in range(1, len(numbers) + 1)])
        self.assertEqual(json.loads(waiting.stdout)["state"], "complete")
        self.assertIn("trying again", waiting.stderr)
        self.assertEqual(waiting.stderr.count("task.submitted"), 1)
        self.assertEqual(waiting.stderr.count("task.completed"), 1)

    def test_a_wait_outlives_an_absence_at_any_of_its_questions(self) -> None:
        self.be_ready()
        for turn in range(1, 20):
            with Cutting(self.server.port, turn) as proxy:
                path = self.write(f"cut{turn}.yaml", FLAKY.replace("flaky", f"cut{turn}"))
                remote = Remote(self, f"http://127.0.0.1:{proxy.port}")
                done = remote.run("run", path, "-o", "json")
            self.assertEqual(json.loads(done.stdout)["state"], "complete")
            if not proxy.has_cut:
                break
        self.assertGreater(turn, 4, "each question was cut off once")
        self.assertEqual(len(self.server.get("/tasks?limit=1000")["tasks"]), turn, "no task was submitted twice")

    def test_an_interruption_ends_the_wait_alone(self) -> None:
        path = self.write("slow.yaml", SLOW)
        waiting = self.remote.start("run", path)
        wait_until(lambda: "attempt.started" in waiting.stderr, "the step runs")
        waiting.signal(signal.SIGINT)
        self.assertEqual(waiting.wait(), 130)
        (self.stepwell.folder / "gate").touch()
        self.assertEqual(self.server.get("/tasks/last?wait=30s")["state"], "complete")


class Cutting:
    """Goes between a client and a server. At one of the questions behind the client's wish it is gone, and back a little later."""

    def __init__(self, port: int, turn: int) -> None:
        self.server, self.left, self.has_cut = port, turn, False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.is_wished = self.is_over = False

    def __enter__(self) -> "Cutting":
        threading.Thread(target=self.accept, daemon=True).start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.is_over = True
        self.listener.close()

    def accept(self) -> None:
        while not self.is_over:
            try:
                client, _ = self.listener.accept()
            except OSError:
                time.sleep(0.01)  # It is away.
                continue
            server = socket.create_connection(("127.0.0.1", self.server))
            threading.Thread(target=self.carry, args=(server, client), daemon=True).start()
            threading.Thread(target=self.carry, args=(client, server, True), daemon=True).start()

    def carry(self, one: socket.socket, other: socket.socket, asks: bool = False) -> None:
        try:
            while data := one.recv(1 << 16):
                self.is_wished |= asks and data.startswith(b"POST /v1/tasks ")
                if asks and self.is_wished and data.startswith(b"GET "):
                    self.left -= 1
                    if self.left == 0:
                        return self.leave()
                other.sendall(data)
        except OSError:
            pass
        finally:
            for end in (one, other):
                try:
                    end.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
                end.close()

    def leave(self) -> None:
        self.has_cut = True
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        threading.Timer(0.2, self.come_back).start()

    def come_back(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", self.port))


class Ends(RemoteTest):
    def test_a_server_that_is_stopping_is_waited_for(self) -> None:
        """The lock is never in the way: what the server does not do any more, the command does."""
        self.server.request("PUT", "/templates", SLOW.encode())
        slow = self.server.post("/tasks", {"name": "slow"})["task_id"]
        task = self.server.post("/tasks", {"name": "chain"})["task_id"]
        wait_until(lambda: self.stepwell.events("attempt.started"), "the step runs")
        self.server.process.signal(signal.SIGTERM)
        wait_until(lambda: self.stepwell.events("engine.draining"), "the server stops")
        commands = [
            self.stepwell.start("pause", task), self.stepwell.start("cancel", self.stepwell.json("show", task)["task_id"]),
        ]
        self.assertTrue(all(command.code is None or command.code == 0 for command in commands))
        (self.stepwell.folder / "gate").touch()
        self.assertEqual(self.server.process.wait(), 0)
        # One after the other, in some order; a pause after the cancellation is refused.
        codes = sorted(command.wait() for command in commands)
        self.assertIn(codes, ([0, 0], [0, 4]), [command.stderr for command in commands])
        for command in commands:
            self.assertTrue(command.code == 0 or "task_closed" in command.stderr or "store_locked" in command.stderr)
        self.assertEqual(self.stepwell.json("show", slow)["steps"]["wait"]["state"], "complete")


class LongPath(RemoteTest):
    def test_a_store_far_down_is_served_and_reached(self) -> None:
        deep = self.new_folder()
        for _ in range(4):
            deep /= "a-folder-with-a-rather-long-name-of-fifty-letters-"
        deep.mkdir(parents=True)
        stepwell = Stepwell(self, store=deep / "store")
        self.assertGreater(len(str(stepwell.store / "api.sock")), 200)
        server = Server(stepwell, "--templates", self.folder).ready()
        task = server.post("/tasks", {"name": "chain"})["task_id"]
        self.assertEqual(stepwell.json("pause", task)["state"], "paused")
        remote = Remote(self, f"unix:{stepwell.store / 'api.sock'}")
        self.assertEqual(remote.json("show", "last")["state"], "paused")
        self.assertEqual((stepwell.store / "api.sock").stat().st_mode & 0o777, 0o600)
        server.process.signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(), 0)
        self.assertFalse((stepwell.store / "api.sock").exists())


if __name__ == "__main__":
    unittest.main()
