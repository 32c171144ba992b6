"""Workers: processes that die, write garbage, are not there, or answer twice; and what Python handlers can rely on."""

import json
import os
import signal

from sandbox import PYTHON_WORKER, Sandbox, call, command, shell
from support import wait_until

IMPORTS = """\
import asyncio, os, signal, sys, threading, time
from pathlib import Path
from stepwell import PermanentError, RetryableError, StepHandler, depends_on, step_handler
"""

# A worker without the SDK: by docs/worker-protocol.md alone. What is appended to it runs after the welcome.
BY_HAND = """\
import json, sys

def say(**message):
    print(json.dumps(message), flush=True)

def hear(type=None):
    for line in sys.stdin:
        message = json.loads(line)
        if type in (None, message["type"]):
            return message
    sys.exit(0)

say(type="hello", protocol=1, handlers=[{"name": "by.hand"}])
assert hear()["type"] == "welcome"
"""

FINISH = """
if hear("drain"):
    say(type="drained")
"""


class Workers(Sandbox):
    def handlers(self, text, name="handlers.py"):
        self.put(name, IMPORTS + text)

    def by_hand(self, text, name="by_hand.py"):
        """The `--worker` of a worker written by hand."""
        self.put(name, BY_HAND + text + FINISH)
        return f"python3 {name}"

    def rejected(self):
        return [
            (e["data"]["step"], e["data"]["reason"], e["data"]["succeeded"])
            for e in self.events() if e["type"] == "result.rejected"
        ]

    def fails(self, *words, code):
        """Runs the template in vain; gives what it says. Nothing must have been submitted."""
        done = self.stepwell("run", "t.yaml", *words, code=code)
        self.assertEqual(done.stdout, "")
        self.assertEqual(self.count("task.submitted"), 0)
        return done.stderr


class Deaths(Workers):
    def test_a_killed_worker_costs_no_attempt(self):
        self.handlers("""
@step_handler("x.slow")
def slow():
    Path("pid").write_text(str(os.getpid()))
    while not Path("go").exists():
        time.sleep(0.01)
    return os.getpid()
""")
        self.template(call("a", "x.slow"), command("b", "true", after=["a"]))
        run = self.start("run", "t.yaml", "-o", "json", "--worker", PYTHON_WORKER)
        pid = wait_until(lambda: (self.folder / "pid").exists() and (self.folder / "pid").read_text(), "the step runs")
        os.kill(int(pid), signal.SIGKILL)
        self.put("go", "")
        self.assertEqual(run.wait(), 0, run)
        step = json.loads(run.stdout)["steps"]["a"]
        self.assertEqual((step["attempts"], step["lost"]), (1, 1))
        self.assertNotEqual(step["result"], int(pid))
        lost, = [e for e in self.events() if e["type"] == "attempt.lost"]
        self.assertEqual((lost["data"]["step"], lost["data"]["attempt"]), ("a", 1))
        self.assertIn("started again", run.stderr)

    def test_a_step_that_kills_its_workers_stops_after_ten(self):
        self.handlers("""
@step_handler("x.deadly")
def deadly():
    os.abort()
""")
        self.template(call("a", "x.deadly"), command("b", "true"), command("c", "true", after=["a"]))
        # Several workers, since each is started again later and later.
        report = self.run_task(*["--worker", PYTHON_WORKER] * 5, code=1)
        self.assertEqual(report["state"], "blocked_by_failures")
        self.assertEqual(report["steps"]["a"]["state"], "error")
        self.assertEqual(report["steps"]["a"]["lost"], 10)
        self.assertEqual(report["steps"]["b"]["state"], "complete")
        self.assertEqual(self.count("attempt.lost", "a"), 10)
        self.assertIn("died too often", self.stepwell("show", report["task_id"]).stdout)

    def test_a_worker_that_writes_garbage_is_ended_and_no_other(self):
        bad = self.by_hand("""
attempt = hear("attempt")
print("this is no message", flush=True)
import time
time.sleep(600)
""")
        self.handlers("""
@step_handler("x.good")
def good():
    while not Path("garbage").exists():
        time.sleep(0.01)
    return 1
""")
        self.template(
            call("bad", "by.hand", retry={"max_lost_attempts": 2}), call("good", "x.good"),
        )
        run = self.start("run", "t.yaml", "-o", "json", "--worker", bad, "--worker", PYTHON_WORKER)
        wait_until(lambda: self.count("step.failed", "bad") or run.code is not None, "the bad step has failed")
        self.put("garbage", "")
        self.assertEqual(run.wait(), 1, run)
        steps = json.loads(run.stdout)["steps"]
        self.assertEqual((steps["bad"]["state"], steps["bad"]["lost"]), ("error", 2))
        self.assertEqual((steps["good"]["state"], steps["good"]["lost"]), ("complete", 0))
        self.assertIn("malformed message", run.stderr)
        left = [e for e in self.events() if e["type"] == "worker.left"]
        self.assertEqual(sum("malformed" in e["data"]["reason"] for e in left), 2)


class Absences(Workers):
    def setUp(self):
        super().setUp()
        self.template(command("first", "true"), call("a", "x.wanted", after=["first"]))

    def test_a_worker_command_that_does_not_exist(self):
        told = self.fails("--worker", "no-such-program-anywhere --flag", code=1)
        self.assertIn("no-such-program-anywhere", told)
        self.assertIn("[worker_failed]", told)

    def test_a_worker_that_ends_at_once_or_says_nothing_useful(self):
        for words in ("true", "false", "echo hello", "sh -c 'exit 3'", "python3 -m stepwell worker missing.py"):
            with self.subTest(words):
                self.assertIn("[worker_failed]", self.fails("--worker", words, code=1))

    def test_a_worker_that_cannot_import_its_handlers_says_why(self):
        self.put("handlers.py", "import no_such_module_anywhere\n")
        told = self.fails("--worker", PYTHON_WORKER, code=1)
        self.assertIn("no_such_module_anywhere", told)

    def test_a_worker_of_another_protocol_is_refused(self):
        self.by_hand("", "future.py")
        future = self.folder / "future.py"
        future.write_text(future.read_text().replace("protocol=1", "protocol=2"))
        self.assertIn("protocol", self.fails("--worker", "python3 future.py", code=1))

    def test_what_only_a_shell_can_do_is_refused(self):
        self.assertIn("sh -c", self.fails("--worker", "python3 $HOME/worker.py", code=1))
        self.fails("--worker", "python3 'unclosed", code=1)
        self.fails("--worker", "", code=1)

    def test_a_handler_that_nobody_offers_is_told_with_those_that_are(self):
        self.handlers('@step_handler("x.wnated")\ndef other(): pass\n')
        told = self.fails("--worker", PYTHON_WORKER, code=2)
        self.assertIn("no worker offers 'x.wanted'", told)
        self.assertIn("offered are: x.wnated", told)
        self.assertIn("--worker", self.fails(code=2))


class Conversations(Workers):
    def test_a_second_result_of_an_attempt_is_rejected(self):
        worker = self.by_hand("""
lease = hear("attempt")["lease"]
say(type="result", lease=lease, result="first")
say(type="result", lease=lease, result="second")
say(type="failure", lease=lease, message="third")
# The next attempt may come before the answers.
heard = [hear() for _ in range(3)]
[lease] = [message["lease"] for message in heard if message["type"] == "attempt"]
say(type="result", lease=lease, result=[message["reason"] for message in heard if message["type"] == "rejected"])
""")
        self.template(call("a", "by.hand"), call("b", "by.hand", after=["a"]))
        run = self.run_task("--worker", worker)
        self.assertEqual(run["steps"]["a"]["result"], "first")
        self.assertEqual(len(run["steps"]["b"]["result"]), 2)
        self.assertEqual(self.rejected(), [("a", "duplicate", True), ("a", "duplicate", False)])

    def test_a_result_after_the_timeout_is_rejected(self):
        worker = self.by_hand("""
lease = hear("attempt")["lease"]
assert hear("cancel")["reason"] == "timeout"
say(type="result", lease=lease, result="too late")
assert hear("rejected")["lease"] == lease
lease = hear("attempt")["lease"]
say(type="result", lease=lease, result="in time")
""")
        self.template(call("a", "by.hand", timeout_seconds=0.3, retry={"max_attempts": 2, "backoff": "none"}))
        step = self.run_task("--worker", worker)["steps"]["a"]
        self.assertEqual((step["result"], step["attempts"], step["lost"]), ("in time", 2, 0))
        self.assertEqual(self.rejected(), [("a", "timed_out", True)])

    def test_a_lease_that_was_never_given_ends_the_worker(self):
        worker = self.by_hand("""
lease = hear("attempt")["lease"]
say(type="result", lease=lease + 1000, result="of somebody else")
""")
        self.template(call("a", "by.hand", retry={"max_lost_attempts": 1}))
        self.assertEqual(self.run_task("--worker", worker, code=1)["steps"]["a"]["lost"], 1)

    def test_a_result_stays_byte_for_byte_and_unknown_members_are_passed_over(self):
        worker = self.by_hand("""
lease = hear("attempt")["lease"]
print('{"type":"result","new":{"x":[1]},"lease":%d,"result":{"b":1.10,"a":12345678901234567890}}' % lease, flush=True)
""")
        self.template(call("a", "by.hand"))
        done = self.stepwell("run", "t.yaml", "-o", "jsonl", "--worker", worker)
        self.assertIn('"result":{"b":1.10,"a":12345678901234567890}', done.stdout)


class Python(Workers):
    def run_handlers(self, text, *steps, worker=PYTHON_WORKER, code=0):
        self.handlers(text)
        self.template(*steps)
        return self.run_task("--worker", worker, code=code)["steps"]

    def test_prints_go_to_the_step_they_come_from(self):
        steps = """
@step_handler("x.talk")
def talk(context):
    print("hello from", context.step_name)
    print("on standard error", file=sys.stderr)
    os.write(1, b"past the SDK\\n")
    context.log.warning("careful")
    print("no end", end="")
    return {}
"""
        self.run_handlers(steps, call("a", "x.talk"), call("b", "x.talk", after=["a"]))
        task = self.json("list")[0]["task_id"]
        for name in ("a", "b"):
            lines = self.json("logs", task, name)
            texts = [line["text"] for line in lines]
            self.assertIn(f"hello from {name}", texts)
            self.assertIn("no end", texts)
            self.assertEqual([line["level"] for line in lines if line["text"] == "careful"], ["warning"])

    def test_four_at_once_are_four_at_once(self):
        steps = self.run_handlers(
            """
barrier, lock, inside = threading.Barrier(4), threading.Lock(), [0]

@step_handler("x.meet")
def meet():
    with lock:
        inside[0] += 1
        most = inside[0]
    barrier.wait(timeout=30)
    with lock:
        inside[0] -= 1
    return most
""",
            *[call(f"s{i}", "x.meet") for i in range(12)],
            worker=f"{PYTHON_WORKER} --concurrency 4",
        )
        self.assertEqual(max(step["result"] for step in steps.values()), 4)

    def test_two_workers_share_a_template(self):
        self.handlers('@step_handler("one.a")\ndef a(): return os.getpid()\n', "one.py")
        self.handlers('@step_handler("two.b")\n@depends_on(a="a")\ndef b(a): return [a, os.getpid()]\n', "two.py")
        self.template(call("a", "one.a"), call("b", "two.b", after=["a"]))
        workers = [PYTHON_WORKER.replace("handlers.py", name) for name in ("one.py", "two.py")]
        steps = self.run_task("--worker", workers[0], "--worker", workers[1])["steps"]
        first, second = steps["b"]["result"]
        self.assertEqual(first, steps["a"]["result"])
        self.assertNotEqual(first, second)

    def test_asynchronous_handlers(self):
        steps = self.run_handlers(
            """
class Both(StepHandler):
    handler_name = "x.class"
    async def call(self, context):
        await asyncio.sleep(0.01)
        return self.success({"from": "class"})

@step_handler("x.function")
@depends_on(given="a")
async def function(given):
    await asyncio.sleep(0.01)
    return given
""",
            call("a", "x.class"), call("b", "x.function", after=["a"]),
        )
        self.assertEqual(steps["b"]["result"], {"from": "class"})

    def test_what_a_handler_raises_decides_about_the_next_attempt(self):
        steps = self.run_handlers(
            """
@step_handler("x.permanent")
def permanent():
    raise PermanentError("no such customer", error_code="E7")

@step_handler("x.later")
def later(context):
    if context.attempt == 1:
        raise RetryableError("busy", retry_after=0.7)
    return context.attempt

@step_handler("x.bug")
def bug():
    return {}["missing"]

@step_handler("x.exit")
def leave():
    sys.exit(3)
""",
            call("permanent", "x.permanent", retry={"max_attempts": 3, "backoff": "none"}),
            call("later", "x.later", retry={"max_attempts": 3, "backoff": "none"}),
            call("bug", "x.bug", retry={"max_attempts": 2, "backoff": "none"}),
            call("exit", "x.exit", retry={"max_attempts": 2, "backoff": "none"}),
            code=1,
        )
        self.assertEqual((steps["permanent"]["state"], steps["permanent"]["attempts"]), ("error", 1))
        self.assertEqual(steps["permanent"]["error"]["message"], "no such customer")
        self.assertEqual(steps["permanent"]["error"]["error_code"], "E7")
        self.assertEqual(steps["later"]["result"], 2)
        failed, = [e for e in self.events() if e["type"] == "attempt.failed" and e["data"]["step"] == "later"]
        retry, = [e for e in self.events() if e["type"] == "retry.scheduled" and e["data"]["step"] == "later"]
        self.assertEqual(retry["data"]["due_ms"] - failed["time_ms"], 700)
        self.assertEqual(steps["bug"]["attempts"], 2)
        self.assertIn("missing", steps["bug"]["error"]["message"])
        self.assertIn("handlers.py", steps["bug"]["error"]["backtrace"])
        self.assertEqual((steps["exit"]["attempts"], steps["exit"]["lost"]), (2, 0))

    def test_a_timeout_ends_a_handler_that_does_not_give_way(self):
        steps = self.run_handlers(
            """
@step_handler("x.stubborn")
def stubborn(context):
    if context.attempt > 1:
        return "done"
    deadline = time.monotonic() + 600
    while time.monotonic() < deadline:
        try:
            time.sleep(0.05)
        except BaseException:
            pass

@step_handler("x.sleeper")
def sleeper():
    time.sleep(600)
""",
            call("stubborn", "x.stubborn", timeout_seconds=0.3, retry={"max_attempts": 2, "backoff": "none"}),
            call("sleeper", "x.sleeper", timeout_seconds=0.3),
            code=1,
        )
        self.assertEqual((steps["stubborn"]["result"], steps["stubborn"]["attempts"]), ("done", 2))
        self.assertEqual((steps["sleeper"]["state"], steps["sleeper"]["error"]["error_type"]), ("error", "timeout"))
        self.assertEqual(self.processes(), [])

    def test_results_that_are_no_json_fail_for_good(self):
        steps = self.run_handlers(
            '@step_handler("x.odd")\ndef odd(): return {"now": object()}\n'
            '@step_handler("x.nan")\ndef nan(): return float("nan")\n',
            call("odd", "x.odd", retry={"max_attempts": 3}), call("nan", "x.nan", retry={"max_attempts": 3}), code=1,
        )
        for step in steps.values():
            self.assertEqual((step["state"], step["attempts"]), ("error", 1), step)

    def test_a_command_beside_them_gets_their_results(self):
        steps = self.run_handlers(
            '@step_handler("x.rows")\ndef rows(): return {"rows": ["ä", 2]}\n',
            call("rows", "x.rows"),
            shell("count", "python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)[\"dependencies\"]))'",
                  after=["rows"]),
        )
        self.assertEqual(steps["count"]["result"], {"rows": {"rows": ["ä", 2]}})
