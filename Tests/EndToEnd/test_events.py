"""The log as `stepwell events` tells it: complete, in order, each decision with its cause."""

import json
import signal

from sandbox import Sandbox, command, shell
from support import wait_until

FACTS = {
    "engine.started", "engine.stopped", "worker.joined", "worker.left", "clock.clamped", "engine.draining",
    "store.pruned",
    "task.submitted", "attempt.succeeded", "attempt.failed", "attempt.timed_out", "attempt.lost", "attempt.stopped",
    "attempt.checkpointed", "result.rejected", "retry.due", "operator.retried", "operator.cancelled",
    "operator.resolved", "operator.paused", "operator.resumed",
}


class Events(Sandbox):
    def fill(self):
        """Two tasks of every fate; gives their ids."""
        self.template(
            command("a", "true"), shell("b", "test -e ready", after=["a"], retry={"max_attempts": 2, "backoff": "none"}),
            command("c", "sleep", "600", after=["b"], timeout_seconds=0.2), command("d", "true", after=["c"]),
        )
        first = self.run_task(code=1)["task_id"]
        self.put("ready", "")
        self.json("retry", first, "--reason", "it is ready", code=1)
        self.json("resolve", first, "c")
        self.json("resume", first)
        second = self.run_task(code=1)["task_id"]
        self.json("cancel", second)
        return first, second

    def test_numbers_have_no_gap_and_decisions_follow_from_earlier_facts(self):
        self.fill()
        events = self.events()
        self.assertEqual([e["seq"] for e in events], list(range(1, len(events) + 1)))
        facts = {e["seq"] for e in events if e["type"] in FACTS}
        for event in events:
            with self.subTest(event["seq"], type=event["type"]):
                if event["seq"] in facts:
                    self.assertIsNone(event["cause"])
                else:
                    self.assertIn(event["cause"], facts)
                    self.assertLess(event["cause"], event["seq"])
        # A fact's decisions stand behind it, before the next fact of the same task.
        self.assertTrue({"retry.scheduled", "attempt.timed_out", "task.blocked", "step.reset", "step.resolved",
                         "task.completed", "task.cancelled"} <= {e["type"] for e in events})
        times = [e["time_ms"] for e in events]
        self.assertEqual(times, sorted(times))

    def test_a_task_has_a_chain_of_its_own(self):
        for task in self.fill():
            own = self.events(task)
            self.assertEqual([e["task_seq"] for e in own], list(range(1, len(own) + 1)))
            self.assertEqual([e["prev"] for e in own], [None, *[e["seq"] for e in own[:-1]]])
            self.assertEqual({e["task_id"] for e in own}, {task})
            self.assertEqual(own, [e for e in self.events() if e["task_id"] == task])
            self.assertEqual(own[0]["type"], "task.submitted")

    def test_after_begins_behind_a_number(self):
        first, _ = self.fill()
        events, own = self.events(), self.events(first)
        for number in (0, 1, 7, len(events) - 1, len(events), len(events) + 5):
            self.assertEqual(self.events("--after", number), events[number:])
            self.assertEqual(self.events(first, "--after", number), [e for e in own if e["seq"] > number])

    def test_the_table_tells_the_same_events(self):
        self.fill()
        lines = self.stepwell("events").stdout.splitlines()
        self.assertEqual([line.split()[0] for line in lines], [f"#{e['seq']}" for e in self.events()])
        for line, event in zip(lines, self.events()):
            self.assertIn(f"  {event['type']}", line)
            self.assertEqual(line.endswith(f"← #{event['cause']}"), event["cause"] is not None)
        self.assertEqual(self.json("events"), self.events())

    def test_a_line_is_one_line_whatever_somebody_gives_as_a_reason(self):
        self.template(command("a", "false"))
        task = self.run_task(code=1)["task_id"]
        self.json("cancel", task, "--reason", "x\r\rid: 1\revent: end\n\x1b[31mred")
        text = self.stepwell("events", task).stdout
        self.assertIn("x  id: 1 event: end  [31mred", text)
        self.assertEqual(len(text.splitlines()), len(self.events(task)))

    def test_retries_and_losses_name_the_steps_that_they_are_about(self):
        first, _ = self.fill()
        [retried] = [e for e in self.events(first) if e["type"] == "operator.retried"]
        self.assertEqual(retried["data"]["reason"], "it is ready")
        self.assertEqual(retried["data"]["steps"], ["b"])
        self.assertEqual(retried["actor"]["type"], "operator")


class Follow(Sandbox):
    def test_a_follower_sees_every_event_once_and_in_order(self):
        self.template(*[command(f"s{i}", "true", after=[f"s{i - 5}"] if i > 4 else []) for i in range(40)])
        self.run_task()
        follower = self.start("events", "--follow", "-o", "jsonl")
        late = self.start("events", "--follow", "-o", "jsonl", "--after", "20")
        for _ in range(4):
            self.run_task()
        events = self.events()
        for watcher, wanted in ((follower, events), (late, events[20:])):
            wait_until(lambda: watcher.stdout.count("\n") >= len(wanted), "the follower has seen the end of the log")
            watcher.signal(signal.SIGINT)
            self.assertEqual(watcher.wait(), 130)
            self.assertEqual([json.loads(line) for line in watcher.stdout.splitlines()], wanted)

    def test_a_follower_of_a_task_sees_it_alone(self):
        self.template(shell("a", "until test -e go; do sleep 0.02; done"), command("b", "true", after=["a"]))
        run = self.start("run", "t.yaml")
        self.wait_for("attempt.started", run)
        task = self.json("list")[0]["task_id"]
        follower = self.start("events", task[:30], "--follow", "-o", "jsonl")
        wait_until(lambda: "attempt.started" in follower.stdout, "the follower has begun")
        self.put("go", "")
        self.assertEqual(run.wait(), 0)
        wait_until(lambda: "task.completed" in follower.stdout, "the follower sees the task's end")
        follower.signal(signal.SIGTERM)
        self.assertEqual(follower.wait(), 130)
        self.assertEqual([json.loads(line) for line in follower.stdout.splitlines()], self.events(task))
