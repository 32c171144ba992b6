"""What the documents tell people to type does what they say, run as it is written there."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys

from sandbox import Sandbox, command
from support import REPOSITORY, SAFETY_NET, wait_until

README = "README.md"
CLI = "docs/cli.md"
PIPELINE = "docs/examples/analytics_pipeline/README.md"
PYTHON = "Sources/Workers/python/README.md"
PROTOCOL = "docs/worker-protocol.md"
API = "docs/http-api.md"
OPERATIONS = "docs/operations.md"

NIGHTLY = """
name: nightly
namespace_name: default
version: 1.0.0
steps:
  - { name: only, handler: { command: ["echo", "3"] } }
"""

# Blocks that no test here runs, by how they begin, and why.
LEFT_OUT = {
    "tools/quickstart": "builds everything; tools/test is what runs this test",
    "python3 docs/examples/analytics_pipeline/inventory_service.py": "its port may be taken; a free one is used",
    "swift run -c release AnalyticsPipeline": "needs a Swift build; test_swift.py of the example runs it",
    "export STEPWELL_URL=https://stepwell.example.org": "needs a server of that name; test_remote_write.py runs the like",
    "sudo apt-get install": "installs on this machine, as root",
    "sudo -u stepwell stepwell token": "needs the user 'stepwell'; test_tokens.py runs the like",
    "sudo systemctl stop stepwell": "needs the service; test_backup.py runs the like",
    "pip install Sources/Workers/python": "would change this machine; PYTHONPATH stands for it, as the line says",
}
RUN_HERE = {
    README: ["export PATH=", "stepwell run nightly.yaml", "stepwell list", "stepwell serve"],
    API: ["curl -s 127.0.0.1:7420"],
    OPERATIONS: ["openssl req", "STEPWELL_TOKEN=", "export STEPWELL_URL", "stepwell backup", "stepwell limit set"],
    CLI: ["PATH=/usr/local/bin", "$ stepwell run nightly.yaml --key 2026-11-24 2>", "$ touch ready", "stepwell replay-step last greet",
          "stepwell limit set"],
    # test_debugging.py runs all of that page.
    "docs/debugging.md": ["$ "],
    PIPELINE: ["stepwell run docs/examples/analytics_pipeline/analytics_pipeline.yaml"],
    PYTHON: ["python3 -m stepwell list handlers.py", "stepwell serve --templates ."],
    PROTOCOL: ["#!/bin/sh"],
}


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


def blocks(page, *languages):
    """The texts of a page's code blocks in those languages."""
    text = (REPOSITORY / page).read_text(encoding="utf-8")
    return [body for language, body in re.findall(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S) if language in languages]


def block(page, start):
    """The only block of commands that begins so."""
    found = [text for text in blocks(page, "sh", "console", "cron") if text.startswith(start)]
    if len(found) != 1:
        raise AssertionError(f"{page} has {len(found)} blocks that begin with '{start}'")
    return found[0]


class Documents(Sandbox):
    def setUp(self):
        super().setUp()
        self.environment["STEPWELL_STORE"] = str(self.folder / "store")

    def shell(self, script, cwd=None, code=0):
        """Runs a script that stops at the first failure; gives its standard output and error together."""
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=cwd or self.folder, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=2 * SAFETY_NET,
        )
        self.assertEqual(done.returncode, code, f"{script}\n{done.stdout}")
        return done.stdout

    def test_no_block_is_forgotten(self):
        documents = sorted(str(path.relative_to(REPOSITORY)) for path in (REPOSITORY / "docs").rglob("*.md"))
        for page in (README, PYTHON, *documents):
            for text in blocks(page, "sh", "console", "cron", "bash", "shell"):
                known = [*LEFT_OUT, *RUN_HERE.get(page, [])]
                self.assertTrue(any(map(text.startswith, known)), f"{page}: nobody runs this:\n{text}")

    def test_readme_your_own_pipeline(self):
        del self.environment["STEPWELL_STORE"]
        hello = self.folder / "hello"
        said = self.shell(block(README, "export PATH=").replace("/tmp/hello", str(hello)), cwd=REPOSITORY)
        self.assertIn("complete", said)
        shutil.copy(hello / "pipeline.yaml", hello / "nightly.yaml")
        again = block(README, "stepwell run nightly.yaml")
        self.shell(again, cwd=hello)
        self.assertIn("is complete already", self.shell(again, cwd=hello))
        served = block(README, "stepwell serve").replace("/tmp/hello", str(hello)).replace("7420", str(free_port()))
        address = re.search(r"127.0.0.1:\d+", served)[0]
        (hello / "nightly.yaml").unlink()
        served = served.replace("stepwell serve", f"stepwell serve --listen {address}") + "wait\n"
        said = self.shell(served, cwd=self.folder)
        self.assertIn('"state":"complete"', said)
        self.assertIn("Ada", said)
        task = self.json("list", "--limit", "1", cwd=hello)[0]["task_id"]
        said = self.shell(block(README, "stepwell list").replace("TASK", task), cwd=hello)
        self.assertIn("greeting world", said)
        self.assertIn('"type":"task.completed"', said)

    def test_http_api_page(self):
        self.put("templates/nightly.yaml", NIGHTLY)
        address = f"127.0.0.1:{free_port()}"
        asked = block(API, "curl -s 127.0.0.1:7420").replace("127.0.0.1:7420", address)
        # A stream has no end of its own.
        asked = re.sub(r"^(curl -sN .*)$", r"timeout 3 \1 || test $? = 124", asked, flags=re.M).replace(": 412", ": 2")
        said = self.shell(
            f"stepwell serve --listen {address} --templates templates &\n"
            f"until curl -sf {address}/v1/health/ready; do sleep 0.1; done\n{asked}kill %1\nwait\n")
        self.assertIn('"key":"2026-11-24"', said)
        self.assertIn('"state":"complete"', said)
        self.assertIn("event: task.completed", said)

    def test_operations_page(self):
        port = str(free_port())
        # There is no store before.
        said = self.shell(block(OPERATIONS, "openssl req").replace("7420", port) + "wait\n")
        self.assertIn('"status":"ready"', said)
        self.assertIn('"open_tasks":0', said)
        self.put("t.yaml", NIGHTLY)
        self.stepwell("run", "t.yaml")
        said = self.shell(block(OPERATIONS, "export STEPWELL_URL").replace("7420", port) + "wait\n")
        self.assertIn("complete", said)
        init = str(self.folder / "far")
        self.stepwell("init", init)
        worker = block(OPERATIONS, "STEPWELL_TOKEN=").replace("7420", port)
        worker = worker.replace("    python3", "    exec python3").replace("handlers.py", f"{init}/handlers.py --name far")
        served = block(OPERATIONS, "export STEPWELL_URL").replace("7420", port)
        seen = "(" + worker.strip() + ") &\nuntil stepwell workers | grep '^far#'; do sleep 0.1; done\nkill %2\n"
        said = self.shell(
            "stepwell token create far --role worker >worker-token\n" + served.replace("stepwell workers\n", seen) + "wait\n")
        self.assertIn("remote", said)
        copy = str(self.folder / "copy")
        self.shell(block(OPERATIONS, "stepwell backup").replace("/tmp/stepwell-backup", copy))

    def test_cli_page_cron(self):
        self.stepwell("init", "nightly")
        os.rename(self.folder / "nightly" / "pipeline.yaml", self.folder / "nightly" / "nightly.yaml")
        lines = block(CLI, "PATH=/usr/local/bin").replace("/opt/nightly", str(self.folder / "nightly")).splitlines()
        # The schedule, and cron's own way to write '%'. The variables are those of this test.
        commands = [re.sub(r"^(@\w+|(\S+ ){4}\S+)\s+", "", line).replace(r"\%", "%") for line in lines[3:]]
        self.assertEqual(len(commands), 3)
        self.assertIn("task.completed", self.shell(commands[0]))
        for line in commands[1:]:
            self.shell(line)
        self.assertEqual([task["state"] for task in self.json("list")], ["complete"])

    def test_cli_page_a_night_worked_through(self):
        [template] = [text for text in blocks(CLI, "yaml") if text.startswith("name: nightly")]
        self.put("nightly.yaml", template)
        for start in RUN_HERE[CLI][1:3]:
            for typed, printed in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block(CLI, start), re.M):
                with self.subTest(typed):
                    tasks = self.json("list") if (self.folder / "store").exists() else []
                    line = re.sub(r"\b01a20d5a\b", tasks[0]["task_id"][:13] if tasks else "", typed)
                    # The first run ends with 1, as the page says.
                    said = self.shell(f"{line} || test $? = 1")
                    self.assertEqual(self.unchanging(said), self.unchanging(printed))

    def test_cli_page_in_a_debugger(self):
        self.stepwell("init", "hello")
        hello = self.folder / "hello"
        worker = f"'{sys.executable}' -m stepwell worker handlers.py"
        self.stepwell("run", "pipeline.yaml", "--worker", worker, cwd=hello)
        self.assertIn("as recorded", self.shell(block(CLI, "stepwell replay-step last greet"), cwd=hello))

    def test_limits(self):
        self.put("one.yaml", "{name: one, namespace_name: default, version: 1, steps: [{name: a, handler: {command: [true]}}]}")
        self.stepwell("run", "one.yaml")
        self.assertIn("billing", self.shell(block(CLI, "stepwell limit set")))
        self.assertIn("100/min", self.shell(block(OPERATIONS, "stepwell limit set")))

    @staticmethod
    def unchanging(text):
        """The text without what differs from run to run: ids, times, durations."""
        text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
        text = re.sub(r"\b[0-9a-f]{8}-[0-9a-f]{4}(-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})?\b", "ID", text)
        return re.sub(r"\b[\d.]+ (ms|s)\b", "DURATION", text)

    def test_the_analytics_pipeline(self):
        with self.inventory_service(fail_first=2) as service:
            self.environment["INVENTORY_URL"] = service.url
            self.shell(block(PIPELINE, "stepwell run "), cwd=REPOSITORY)
        [task] = self.json("list")
        report = self.json("show", task["task_id"])
        self.assertEqual(report["steps"]["extract_inventory_data"]["attempts"], 3)
        self.assertEqual({s["attempts"] for n, s in report["steps"].items() if n != "extract_inventory_data"}, {1})
        expected = json.loads((REPOSITORY / PIPELINE).with_name("expected").joinpath("real.json").read_text())
        results = {name: step["result"] for name, step in report["steps"].items()}
        for result in results.values():
            result.pop("records", None)
        self.assertEqual(results, expected)

    def test_python_five_minutes(self):
        handlers, test = blocks(PYTHON, "python")[:2]
        self.put("handlers.py", handlers)
        self.put("shop.yaml", blocks(PYTHON, "yaml")[0])
        self.put("test.py", test)
        said = self.shell(block(PYTHON, "python3 -m stepwell list"))
        self.assertIn("shop.fetch_prices", said)
        [task] = self.json("list")
        report = self.json("show", task["task_id"])
        self.assertEqual(report["steps"]["add"]["result"], {"sum": 7})
        self.assertEqual(
            [line["text"] for line in self.json("logs", task["task_id"], "fetch")], ["fetching prices in EUR"]
        )
        self.shell("python3 test.py")

    def test_python_at_a_server(self):
        self.put("handlers.py", blocks(PYTHON, "python")[0])
        self.put("shop.yaml", blocks(PYTHON, "yaml")[0])
        serve, work = block(PYTHON, "stepwell serve --templates .").splitlines()
        self.assertIn("stepwell worker", work)
        serve = re.sub(r"\s*#.*", " --listen 127.0.0.1:0", serve)
        with open(self.folder / "said", "wb") as said:
            self.start_in_background(serve, said)
        address = wait_until(
            lambda: re.search(r"http://127\.0\.0\.1:\d+", (self.folder / "said").read_text()), "the server listens"
        )[0]
        self.start_in_background(work.replace("http://127.0.0.1:7420", address), subprocess.DEVNULL)
        [client] = [text for text in blocks(PYTHON, "python") if text.startswith("from stepwell.client import Client")]
        self.put("client.py", client.replace("http://127.0.0.1:7420", address))
        self.shell("python3 client.py")

    def start_in_background(self, line, output):
        """Starts a command that goes on until the end of the test."""
        process = subprocess.Popen(
            ["bash", "-c", f"exec {line}"], cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL,
            stdout=output, stderr=subprocess.STDOUT,
        )
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)

    def test_protocol_page_a_failure_of_its_own(self):
        # Nobody is asked for rates: this curl finds no connection.
        self.put("bin/curl", "#!/bin/sh\nexit 7\n").chmod(0o755)
        self.put("rates.sh", block(PROTOCOL, "#!/bin/sh")).chmod(0o755)
        self.environment["PATH"] = f"{self.folder}/bin:" + self.environment["PATH"]
        self.template(command("rates", "./rates.sh", retry={"max_delay": 60}))
        step = self.run_task("--timeout", "1", code=6)["steps"]["rates"]
        self.assertEqual((step["state"], step["error"]["message"]), ("waiting_for_retry", "no rates yet"))
        failed, = [e for e in self.events() if e["type"] == "attempt.failed"]
        retry, = [e for e in self.events() if e["type"] == "retry.scheduled"]
        self.assertEqual(retry["data"]["due_ms"] - failed["time_ms"], 60_000)
