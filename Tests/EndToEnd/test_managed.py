"""`stepwell serve` under a service manager, whose part the test plays."""

from __future__ import annotations

import ctypes
import http.client
import os
import re
import shutil
import signal
import socket
import subprocess
import time
import unittest
from pathlib import Path
from typing import List

from managing import Managed, Manager
from serving import CHAIN, RawWorker, Server, ServingTest
from support import REPOSITORY, Running, Stepwell, wait_until

SHELL = """
name: shell
namespace_name: default
version: 1.0.0
steps:
  - { name: only, handler: { command: ["sh", "-c", "env | grep -E '^(NOTIFY|WATCHDOG|LISTEN)' >&2; ls /proc/$$/fd | wc -l"] } }
"""


class News(ServingTest):
    """What the server tells its manager."""

    def test_it_is_ready_when_requests_are_answered_and_not_before(self) -> None:
        for abstract in (False, True):
            with self.subTest(abstract=abstract):
                stepwell, manager, gate = Stepwell(self), Manager(self, abstract), self.new_folder() / "gate"
                # A worker that is long in starting keeps the server from being ready.
                worker = f"sh -c 'until test -e {gate}; do sleep 0.02; done; exec {os.sys.executable} -m stepwell worker h.py'"
                (stepwell.folder / "h.py").write_text(
                    "from stepwell import step_handler\n\n@step_handler('first')\ndef first(context):\n    return 1\n")
                server = Server(stepwell, "--worker", worker, NOTIFY_SOCKET=manager.name)
                self.assertEqual(server.request("GET", "/health/ready")[0], 503)
                manager.drop()
                self.assertEqual([each for each in manager.messages if "READY" in each], [])
                self.assertIn("opening the store", [each.get("STATUS") for each in manager.messages])
                gate.touch()
                message = manager.wait_for("READY=1")
                self.assertEqual(server.request("GET", "/health/ready")[0], 200)
                self.assertIn(f"listening on 127.0.0.1:{server.port}", message["STATUS"])
                server.process.signal(signal.SIGTERM)
                manager.wait_for("STOPPING=1")
                self.assertEqual(server.process.wait(), 0)

    def test_a_hangup_is_a_reload_that_begins_and_ends(self) -> None:
        stepwell, manager, folder = Stepwell(self), Manager(self), Path(self.templates(CHAIN))
        server = self.serve(stepwell, "--templates", str(folder), NOTIFY_SOCKET=manager.name)
        manager.wait_for("READY=1")
        (folder / "more.yaml").write_text(CHAIN.replace("1.0.0", "1.1.0"))
        before = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        server.process.signal(signal.SIGHUP)
        message = manager.wait_for("RELOADING=1")
        now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
        self.assertTrue(before <= int(message["MONOTONIC_USEC"]) <= now, message)
        manager.wait_for("READY=1")
        self.assertEqual(len(server.get("/templates")["templates"]), 2)

    def test_the_end_is_told_while_attempts_may_still_end(self) -> None:
        stepwell, manager = Stepwell(self), Manager(self)
        server = self.serve(stepwell, "--templates", self.templates(CHAIN), "--grace", "60", NOTIFY_SOCKET=manager.name)
        manager.wait_for("READY=1")
        worker = RawWorker(server, ["first", "second"])
        server.post("/tasks", {"name": "chain"})
        [attempt] = worker.attempts()
        server.process.signal(signal.SIGTERM)
        self.assertIn("60 s", manager.wait_for("STOPPING=1")["STATUS"])
        # Before that the next step could still begin.
        wait_until(lambda: stepwell.events("engine.draining"), "nothing more is started")
        self.assertIsNone(server.process.code)
        # The last that the server waits for hears of it, too.
        self.assertEqual(worker.succeed(attempt, 1), [])
        self.assertEqual(server.process.wait(), 0)
        self.assertEqual(stepwell.steps_with("step.completed"), {"first": 1})

    def test_what_it_starts_has_nothing_of_this(self) -> None:
        stepwell, manager = Stepwell(self), Manager(self)
        with socket.create_server(("127.0.0.1", 0)) as door:
            server = Managed(
                self, stepwell, [door], "--templates", self.templates(SHELL), NOTIFY_SOCKET=manager.name,
                WATCHDOG_USEC="60000000", WATCHDOG_PID="", LISTEN_FDNAMES="http")
            manager.wait_for("READY=1")
            task = server.post("/tasks?wait=30s", {"name": "shell"})
            # Its three streams, and what `ls` needs.
            self.assertLessEqual(task["steps"]["only"]["result"], 4)
            self.assertEqual(stepwell.run("logs", "last").stdout, "")


class Watchdog(ServingTest):
    INTERVAL = 400_000

    def watched(self, **more: str) -> None:
        self.stepwell, self.manager = Stepwell(self), Manager(self)
        self.server = self.serve(
            self.stepwell, "--templates", self.templates(CHAIN), NOTIFY_SOCKET=self.manager.name,
            WATCHDOG_USEC=str(self.INTERVAL), **more)
        self.manager.wait_for("READY=1")

    def test_it_hears_twice_in_its_interval(self) -> None:
        self.watched()
        times: List[float] = []
        while len(times) < 8:
            self.manager.wait_for("WATCHDOG=1")
            times.append(time.monotonic())
        pauses = sorted(second - first for first, second in zip(times, times[1:]))
        # The median: this machine may have something else to do.
        self.assertLess(pauses[len(pauses) // 2], self.INTERVAL / 1e6 * 0.75)
        self.assertGreater(pauses[len(pauses) // 2], self.INTERVAL / 1e6 * 0.25)

    def test_an_interval_for_another_process_is_none(self) -> None:
        self.watched(WATCHDOG_PID="1")
        self.server.process.signal(signal.SIGTERM)
        self.manager.wait_for("STOPPING=1")
        self.assertEqual(self.server.process.wait(), 0)
        self.assertEqual([each for each in self.manager.messages if "WATCHDOG" in each], [])

    def test_an_engine_that_is_stuck_is_heard_of_no_more(self) -> None:
        self.watched()
        with Halted(self, self.server.process, "engine"):
            self.manager.drop()
            # What was on its way when the thread was halted.
            self.manager.hear(self.INTERVAL / 1e6)
            self.assertIsNone(self.manager.hear(3 * self.INTERVAL / 1e6))
            # The rest of the process lives.
            self.assertEqual(self.server.request("GET", "/health/live")[0], 200)
        self.manager.wait_for("WATCHDOG=1")
        self.assertEqual(self.server.get("/health")["status"], "ready")


class Halted:
    """One thread of a process, by its name, halted as a debugger does."""

    SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000

    def __init__(self, test: unittest.TestCase, process: Running, name: str) -> None:
        threads = Path(f"/proc/{process.pid}/task")
        found = [int(each.name) for each in threads.iterdir() if (each / "comm").read_text().strip() == name]
        test.assertEqual(len(found), 1, name)
        self.test, self.thread = test, found[0]
        self.library = ctypes.CDLL(None, use_errno=True)
        self.library.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        self.library.ptrace.restype = ctypes.c_long

    def __enter__(self) -> None:
        if self.library.ptrace(self.SEIZE, self.thread, None, None) != 0:
            self.test.skipTest(f"this machine lets nobody trace: {os.strerror(ctypes.get_errno())}")
        self.library.ptrace(self.INTERRUPT, self.thread, None, None)
        os.waitpid(self.thread, self.WALL)

    def __exit__(self, *_: object) -> None:
        self.library.ptrace(self.DETACH, self.thread, None, None)


class Units(ServingTest):
    """The unit files of docs/operations.md."""

    def test_they_say_what_the_server_takes_and_systemd_understands(self) -> None:
        page = (REPOSITORY / "docs" / "operations.md").read_text(encoding="utf-8")
        units = {
            re.findall(r"/(stepwell\.\w+)\n", text)[0]: text
            for text in re.findall(r"^```ini\n(.*?)^```$", page, re.M | re.S)
        }
        self.assertEqual(set(units), {"stepwell.service", "stepwell.socket"})
        words = re.findall(r"^ExecStart=(.*)$", units["stepwell.service"], re.M)[0].split()
        self.assertEqual(words[1], "serve")
        words[words.index("/etc/stepwell/templates")] = self.templates(CHAIN)
        Stepwell(self).run(*words[1:words.index("--store")], *words[words.index("--store") + 2:], "--check")
        if not shutil.which("systemd-analyze"):
            self.skipTest("there is no systemd-analyze")
        folder = self.new_folder()
        for name, text in units.items():
            (folder / name).write_text(text.replace("/usr/local/bin/stepwell", str(self.binary)))
        said = subprocess.run(
            ["systemd-analyze", "verify", *(str(folder / name) for name in units)], capture_output=True, text=True,
            timeout=60)
        self.assertEqual([line for line in said.stderr.splitlines() if "stepwell" in line], [])


class GivenSockets(ServingTest):
    def test_it_takes_what_it_is_given_and_listens_nowhere_else(self) -> None:
        stepwell, path = Stepwell(self), str(self.new_folder() / "door")
        with socket.create_server(("127.0.0.1", 0)) as door, socket.socket(socket.AF_UNIX) as file:
            file.bind(path)
            file.listen()
            server = Managed(self, stepwell, [door, file], "--templates", self.templates(CHAIN), LISTEN_FDNAMES="http:file")
            server.ready()
            self.assertEqual(self.ask_file(path, "/v1/health")[0], 200)
            wait_until(lambda: "listening on" in server.process.stderr, "it says so")
            self.assertRegex(server.process.stderr, rf"listening on http://127\.0\.0\.1:{server.port} and unix:{path} and ")
            self.assertEqual(len(self.listening(server.process.pid)), 1)
            # A socket that somebody else has made is no door for the owner alone.
            stepwell.run("token", "create", "ann", "--role", "admin")
            wait_until(lambda: self.ask_file(path, "/v1/health")[0] == 401, "a token is needed")

            # Nobody is refused while it is away.
            server.process.signal(signal.SIGTERM)
            self.assertEqual(server.process.wait(), 0)
            waiting = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
            waiting.request("GET", "/v1/health/live")
            again = Managed(self, stepwell, [door, file]).ready()
            self.assertEqual(waiting.getresponse().status, 200)
            waiting.close()
            self.assertTrue(Path(path).exists())
            again.process.signal(signal.SIGTERM)
            self.assertEqual(again.process.wait(), 0)

    def test_what_was_meant_for_another_process_is_left_alone(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            server = Managed(self, Stepwell(self), [door], "--listen", "127.0.0.1:0", process="1")
            wait_until(lambda: "listening on" in server.process.stderr, "it listens")
            self.assertNotIn(f":{server.port} ", server.process.stderr)

    def test_with_an_address_it_listens_there_too(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as door:
            server = Managed(self, Stepwell(self), [door], "--listen", "127.0.0.1:0").ready()
            wait_until(lambda: "listening on" in server.process.stderr, "it says so")
            ports = re.findall(r"http://127\.0\.0\.1:(\d+)", server.process.stderr)
            self.assertEqual(len(ports), 2)
            self.assertIn(str(server.port), ports)

    def test_what_cannot_be_listened_on_is_refused(self) -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as wrong:
            wrong.bind(("127.0.0.1", 0))
            server = Managed(self, Stepwell(self), [wrong])
            self.assertEqual(server.process.wait(), 1, str(server.process))
            self.assertIn("descriptor 3", server.process.stderr)
            self.assertIn("[cannot_listen]", server.process.stderr)

    def test_the_world_is_let_in_by_tokens_and_tls_alone(self) -> None:
        with socket.create_server(("0.0.0.0", 0)) as door:
            server = Managed(self, Stepwell(self), [door])
            self.assertEqual(server.process.wait(), 2, str(server.process))
            self.assertIn("[insecure]", server.process.stderr)

    def ask_file(self, path: str, address: str) -> "tuple[int, bytes]":
        connection = http.client.HTTPConnection("localhost", timeout=60)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(path)
        try:
            connection.request("GET", address)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    def listening(self, process: int) -> List[str]:
        """The TCP sockets of a process that listen."""
        mine = set()
        for entry in Path(f"/proc/{process}/fd").iterdir():
            try:
                mine.add(os.readlink(entry))
            except OSError:
                pass
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return [row[1] for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in mine]


if __name__ == "__main__":
    unittest.main()
