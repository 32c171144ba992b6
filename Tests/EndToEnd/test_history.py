"""Questions to the log: why, when, what was different. Each also works beside an engine, and says what is wrong with it."""

import json
import re
from datetime import datetime, timedelta, timezone

from sandbox import Sandbox, command, shell
from support import wait_until

ONCE_MORE = {"max_attempts": 3, "initial_delay": 0.05, "max_delay": 0.05}


class Explaining(Sandbox):
    def test_a_blocked_task_its_root_failure_and_what_to_do(self):
        self.template(
            command("fetch", "true"), shell("load", "echo no warehouse >&2; exit 3", after=["fetch"]),
            command("report", "true", after=["load"]))
        task = self.run_task(code=1)["task_id"]
        said = self.stepwell("explain", task).stdout
        self.assertIn("is blocked_by_failures", said)
        self.assertRegex(said, r"load has failed for good \(all attempts are used up\): exit_status: .*no warehouse \(#\d+\)")
        self.assertIn("it holds up report", said)
        for word in ("logs", "replay-step", "retry", "resolve", "cancel"):
            self.assertIn(f"stepwell {word} {task[:13]}", said)
        self.assertNotIn("--worker", said, "commands need none")
        # Every number is that of an event of the task.
        numbers = {event["seq"] for event in self.events(task)}
        story = self.json("explain", task)
        self.assertEqual({n for s in story["sentences"] for n in s["events"]} - numbers, set())
        self.assertEqual(story["waits"], {
            "load": {"reason": "person"}, "report": {"reason": "failure", "step": "load"}})

    def test_an_open_task_with_an_engine_and_without(self):
        self.template(command("a", "sleep", "600"), command("b", "true", after=["a"]))
        run = self.start("run", "t.yaml", "--key", "night")
        self.wait_for("attempt.started", run)
        said = self.stepwell("explain", "night").stdout
        self.assertRegex(said, r"a runs: attempt 1 of 1 on commands \(worker 1\) since")
        self.assertIn("b waits for a, which runs", said)
        self.assertNotIn("no engine", said)
        run.kill()
        said = self.stepwell("explain", "night").stdout
        self.assertIn("no engine is at work on this store", said)
        self.assertIn("stepwell resume", said)
        self.assertIn("not at work any more", self.stepwell("state").stdout)

    def test_a_retry_in_vain_the_attempts_in_all_and_what_a_step_was_given(self):
        self.template(
            shell("rates", 'echo "{\\"EUR\\": 1}"'),
            shell("convert", "exit 3", after=["rates"], retry={"max_attempts": 2, "backoff": "none"}))
        task = self.run_task("--key", "k", "--input", '{"currencies": "EUR;GBP"}', code=1)["task_id"]
        self.stepwell("retry", task, "--reason", "was it down?", code=1)
        said = self.stepwell("explain", task).stdout
        self.assertRegex(said, r"operator .* retried convert at .*: was it down\? \(#\d+\)\n")
        self.assertIn("the retry ended as the attempts before it", said)
        fork = f"stepwell fork {task[:13]} --from STEP --set-input NAME=JSON"
        self.assertLess(said.index(fork), said.index("stepwell retry"))
        shown = self.stepwell("show", task).stdout
        self.assertRegex(shown, r"convert .* attempt 2 of 2, 4 in all, .* from first to last")
        self.assertIn(f"  if the input or an earlier result is wrong, '{fork}'", shown)
        self.assertIn("\nsubmitted by client ", shown)
        self.assertEqual(self.json("show", task)["submitted_by"]["type"], "client")
        step = self.stepwell("explain", task, "convert").stdout
        self.assertRegex(step, r'  input: \{"currencies": ?"EUR;GBP"\} \(#\d+\)\n  result of rates: \{"EUR": 1\} \(#\d+\)\n')
        self.assertRegex(self.stepwell("explain", task, "rates").stdout, r'its result: \{"EUR": 1\} \(#\d+\)')

    def test_only_what_is_there_is_offered(self):
        self.template(shell("quiet", "exit 3"), shell("loud", "echo no >&2; exit 3"))
        task = self.run_task(code=1)["task_id"]
        self.assertNotIn("stepwell logs", self.stepwell("explain", task, "quiet").stdout)
        self.assertIn("stepwell logs", self.stepwell("explain", task, "loud").stdout)
        done = self.stepwell("logs", task, "quiet")
        self.assertEqual((done.stdout, done.stderr), ("", "'quiet' has written nothing\n"))
        self.assertEqual(self.stepwell("logs", task).stderr, "")
        self.assertIn("or 'last', the newest task of all", self.stepwell("show", "--help").stdout)

    def test_a_step_of_any_name_and_one_that_is_not_there(self):
        self.template(shell("größe it's", "exit 1", retry=ONCE_MORE))
        self.run_task(code=1)
        said = self.stepwell("explain", "last", "größe it's").stdout
        self.assertEqual(said.count("attempt "), 3)
        self.assertIn("'größe it'\\''s'", said)
        self.assertIn("größe", self.stepwell("explain", "last", "grösse it's", code=2).stderr)


class Replaying(Sandbox):
    def states(self, *words):
        return {n: s["state"] for n, s in self.json("replay", *words)["task"]["steps"].items()}

    def test_after_each_event_the_task_is_as_the_walk_says(self):
        self.template(shell("a", "exit 1", retry=ONCE_MORE), command("b", "true"), command("c", "true", after=["b"]))
        self.run_task(code=1)
        frames = self.json("replay", "last", "--step-by-step")
        self.assertEqual([f["event"]["seq"] for f in frames], [e["seq"] for e in self.events("last")])
        known = {"a": "pending", "b": "pending", "c": "pending"}
        for frame in frames:
            for change in frame["changes"]:
                self.assertEqual(known[change["step"]], change["before"])
                known[change["step"]] = change["after"]
            self.assertEqual(self.states("last", "--at", frame["event"]["seq"]), known)
        self.assertEqual(known, {"a": "error", "b": "complete", "c": "complete"})
        text = self.stepwell("replay", "last", "--step-by-step").stdout
        self.assertIn("    a: in_progress → waiting_for_retry\n", text)
        self.assertIn("    the task is blocked_by_failures\n", text)
        lines = self.stepwell("replay", "last", "--step-by-step", "-o", "jsonl", "--at", frames[2]["event"]["seq"]).stdout
        self.assertEqual([json.loads(line) for line in lines.splitlines()], frames[:3])

    def test_a_fact_whose_decisions_come_next_and_an_event_of_another_task(self):
        self.template(shell("a", "exit 3"), command("b", "true", after=["a"]))
        task = self.run_task(code=1)["task_id"]
        self.stepwell("retry", task, code=1)
        events = self.events(task)
        [failed, *_] = [event for event in events if event["type"] == "attempt.failed"]
        decided = max(event["seq"] for event in events if event["cause"] == failed["seq"])
        said = self.stepwell("replay", task, "--at", failed["seq"]).stdout
        self.assertIn(f"what was decided because of it comes next; '--at {decided}' shows", said)
        self.assertIn("a has ended, and what follows is decided next: attempt 1 of 1 on commands (worker ", said)
        self.assertNotIn("decided because", self.stepwell("replay", task, "--at", decided).stdout)
        [retried] = [event["seq"] for event in events if event["type"] == "operator.retried"]
        said = self.stepwell("replay", task, "--at", retried).stdout
        self.assertNotIn("mend the cause", said, "the past is not to be mended")
        self.assertIn("comes next", said)
        # The engine that retries starts between the two.
        said = self.stepwell("replay", task, "--at", retried - 1).stdout
        self.assertIn(f"#{retried - 1} is no event of this task; this is its last one before", said)

    def test_moments_in_every_spelling(self):
        self.template(command("a", "true"))
        self.run_task()
        [first, *_, last] = self.events("last")
        end = datetime.fromisoformat(last["time"].replace("Z", "+00:00"))
        east = end.astimezone(timezone(timedelta(hours=5, minutes=30)))
        for moment in (
            last["seq"], f"#{last['seq']}", last["time"], east.isoformat(timespec="milliseconds"),
            end.strftime("%H:%M:%S.") + last["time"][20:23], end.strftime("%H:%M:%S"), last["time"][:19] + "Z", "-0s",
            "9999-12-31",
        ):
            with self.subTest(moment=moment):
                self.assertEqual(self.states("last", "--at", moment), {"a": "complete"})
        self.assertEqual(self.states("last", "--at", first["seq"]), {"a": "pending"})

    def test_a_moment_before_the_task_and_one_that_is_none(self):
        self.template(command("a", "true"))
        self.run_task()
        for moment in ("1", "-1h", "1970-01-01"):
            done = self.stepwell("replay", "last", "--at", moment, code=3)
            self.assertIn("[before_submission]", done.stderr)
            self.assertIn("it was submitted at", done.stderr)
        for moment in ("noon", "", "2026-02-30", "-1", "1.5", "12:60"):
            self.assertIn("'--at' takes", self.stepwell("replay", "last", "--at", moment, code=2).stderr)
        self.assertIn("nothing had happened", self.stepwell("state", "--at", "1970-01-01").stdout)

    def test_the_whole_engine(self):
        self.template(command("a", "sleep", "600"), command("b", "true", after=["a"]), name="nightly")
        run = self.start("run", "t.yaml", "--key", "night")
        self.wait_for("attempt.started", run)
        state = self.json("state")
        self.assertEqual(state["counts"], {"in_progress": 1})
        self.assertEqual(state["tasks"][0]["key"], "night")
        self.assertEqual([(r["step"], r["worker"]) for r in state["running"]], [("a", "commands")])
        self.assertEqual(state["workers"][0]["busy"], 1)
        self.assertEqual(state["focus"], state["tasks"][0]["task_id"])
        self.assertEqual(state["seq"], self.events()[-1]["seq"])
        before = self.json("state", "--at", self.events("night")[0]["seq"] - 1)
        self.assertEqual((before["tasks"], before["running"]), ([], []))
        text = self.stepwell("state").stdout
        for word in ("open tasks: 1 in_progress", "tests/nightly 1", "commands", "running:"):
            self.assertIn(word, text)


class Comparing(Sandbox):
    def test_alike_and_not(self):
        self.template(
            shell("a", 'test -e down && { echo 503 >&2; exit 1; }; echo "{\\"rows\\": $(cat rows)}"', retry=ONCE_MORE),
            command("b", "true", after=["a"]), command("c", "true"))
        self.put("rows", "3")
        self.run_task("--key", "monday")
        self.run_task("--key", "tuesday")
        self.assertIn("they are alike", self.stepwell("diff", "monday", "tuesday").stdout)
        self.put("down", "")
        self.put("rows", "4")
        self.run_task("--key", "wednesday", code=1)
        diff = self.json("diff", "monday", "wednesday", code=1)
        self.assertEqual(diff["first"]["step"], "a")
        self.assertEqual([diff["first"][side]["type"] for side in ("before", "after")], ["attempt.succeeded", "attempt.failed"])
        self.assertEqual(diff["state"], {"before": "complete", "after": "blocked_by_failures"})
        self.assertEqual([step["step"] for step in diff["steps"]], ["a", "b"])
        (self.folder / "down").unlink()
        self.stepwell("retry", "wednesday")
        said = self.stepwell("diff", "monday", "wednesday", code=1).stdout
        self.assertIn("/rows: 3 → 4", said)
        self.assertIn("they go apart at a:", said)

    def test_another_input_and_another_template(self):
        self.template(command("a", "true"))
        self.run_task("--input", '{"day": "monday", "n": 1}')
        self.run_task("--input", '{"n": 1.0, "day": "tuesday"}')
        [tuesday, monday] = [task["task_id"] for task in self.json("list")]
        diff = self.json("diff", monday, tuesday, code=1)
        self.assertEqual(diff["input"], [{"pointer": "/day", "before": "monday", "after": "tuesday"}])
        self.template(command("a", "false", retry={"max_attempts": 1}), version="2")
        self.run_task(code=1)
        said = self.stepwell("diff", monday, "last", code=1).stdout
        self.assertIn('/version: "1" → "2"', said)
        self.assertIn('/steps/a/command/0: "true" → "false"', said)
        self.stepwell("diff", monday, "ffff", code=3)


class Naming(Sandbox):
    def test_by_key_and_last(self):
        self.template(command("a", "true"))
        first = self.run_task("--key", "2026-11-24")["task_id"]
        second = self.run_task("--key", "2026-11-24", "--new")["task_id"]
        third = self.run_task("--key", "größe 名")["task_id"]
        for word, task in (("2026-11-24", second), ("größe 名", third), ("last", third), (first, first)):
            self.assertEqual(self.json("show", word)["task_id"], task)
        self.template(command("a", "true"), name="other", file="other.yaml")
        self.run_task("--key", "2026-11-24", file="other.yaml")
        self.assertIn("could be", self.stepwell("show", "2026-11-24", code=3).stderr)

    def test_no_task_yet(self):
        self.template(command("a", "sleep", "600"))
        self.run_task("--timeout", "1", "--grace", "0", code=6)
        self.stepwell("explain", "", code=3)
        self.stepwell("explain", "lost", code=3)


class CloudEvents(Sandbox):
    def test_the_required_attributes_and_the_rules_for_names(self):
        self.template(shell("a", "exit 1", retry=ONCE_MORE))
        self.run_task("--key", "k", code=1)
        events = [json.loads(line) for line in self.stepwell("events", "-o", "cloudevents").stdout.splitlines()]
        log = self.events()
        self.assertEqual(len(events), len(log))
        self.assertEqual(len({(e["source"], e["id"]) for e in events}), len(events))
        self.assertEqual([e["sequence"] for e in events], sorted(e["sequence"] for e in events))
        kinds = {"data": dict, "tasksequence": int}
        for event, known in zip(events, log):
            for name, value in event.items():
                self.assertRegex(name, r"^[a-z0-9]{1,20}$")
                self.assertIsInstance(value, kinds.get(name, str))
                self.assertNotEqual(value, "")
            self.assertEqual(event["specversion"], "1.0")
            self.assertEqual(event["type"], f"stepwell.{known['type']}")
            self.assertEqual(event["id"], str(known["seq"]))
            self.assertRegex(event["source"], r"^urn:stepwell:store:[0-9a-f]{32}$")
            self.assertEqual(event.get("subject"), known["task_id"])
            self.assertEqual(event["time"], known["time"])
            self.assertTrue(re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"]))
            self.assertEqual(event["datacontenttype"], "application/json")
            self.assertEqual(event.get("causationid"), None if known["cause"] is None else str(known["cause"]))
            self.assertEqual(event["data"], known["data"])
            if known["task_id"]:
                self.assertEqual(event["correlationid"], known["task_id"], "the submission's own, without another")

    def test_imported_events_keep_their_source(self):
        self.template(command("a", "true"))
        self.run_task()
        self.put("run.stepwell", self.stepwell("export", "last").stdout)
        self.stepwell("import", "run.stepwell", "--store", "copy")
        lines = [
            self.stepwell("events", "last", "-o", "cloudevents", "--store", store).stdout
            for store in (".stepwell", "copy")
        ]
        self.assertEqual(lines[0], lines[1])

    def test_following(self):
        self.template(command("a", "true"))
        self.run_task()
        last = self.events()[-1]["seq"]
        follower = self.start("events", "--follow", "--after", str(last), "-o", "cloudevents")
        self.run_task()
        wait_until(lambda: "stepwell.engine.stopped" in follower.stdout, "the follower has seen the end")
        self.assertEqual(json.loads(follower.stdout.splitlines()[0])["id"], str(last + 1))
        self.assertIn("takes table, json or jsonl", self.stepwell("list", "-o", "cloudevents", code=2).stderr)
