"""What can be done with a task: cancel, resolve, retry, look at it; and what can be given to it."""

import json
import os

from sandbox import PYTHON_WORKER, Sandbox, command, shell

NO_BACKOFF = {"max_attempts": 2, "backoff": "none"}


class Cancelling(Sandbox):
    def test_a_cancelled_task_is_over_and_its_key_says_so(self):
        self.template(command("a", "echo", "1"), command("b", "false", after=["a"]), command("c", "true", after=["b"]))
        task = self.run_task("--key", "night", code=1)["task_id"]
        report = self.json("cancel", task[:20], "--reason", "wrong input")
        self.assertEqual(report["state"], "cancelled")
        self.assertEqual([s["state"] for s in report["steps"].values()], ["complete", "error", "cancelled"])
        self.assertEqual(report["steps"]["a"]["result"], 1, "what was complete keeps its result")
        self.assertIn("wrong input", self.stepwell("show", task).stdout)
        before = self.count("attempt.started")
        done = self.stepwell("run", "t.yaml", "--key", "night", code=5)
        self.assertIn("--new runs another", done.stderr)
        self.stepwell("retry", task, code=4)
        self.stepwell("cancel", task, code=4)
        self.assertEqual(self.count("attempt.started"), before)
        # Another task under the same key.
        other = self.run_task("--key", "night", "--new", code=1)["task_id"]
        self.assertNotEqual(other, task)
        self.assertEqual(self.run_task("--key", "night", code=1)["task_id"], other)

    def test_what_an_interrupted_run_has_left_can_be_cancelled(self):
        self.template(command("a", "sleep", "600"), command("b", "true", after=["a"]))
        run = self.start("run", "t.yaml")
        self.wait_for("attempt.started", run)
        run.kill()
        task = self.json("list")[0]["task_id"]
        self.assertEqual(self.json("cancel", task)["state"], "cancelled")
        self.assertEqual(self.processes(), [], "nothing of the killed engine runs on")


class Pausing(Sandbox):
    def test_a_paused_task_is_left_alone_until_the_pause_ends(self):
        self.template(command("a", "false"), command("b", "true", after=["a"]))
        task = self.run_task("--key", "night", code=1)["task_id"]
        held = self.json("pause", task, "--dry-run")
        self.assertEqual((held["next"], held["held"]), ([], ["a", "b"]))
        report = self.json("pause", task[:20], "--reason", "the move")
        self.assertEqual((report["state"], report["paused"]["reason"]), ("paused", "the move"))
        self.stepwell("pause", task, code=4)
        self.json("resolve", task, "a")
        before = self.count("attempt.started")
        run = self.stepwell("run", "t.yaml", "--key", "night", code=1)
        self.assertIn("stepwell unpause", run.stderr)
        self.stepwell("resume", task, code=1)
        self.assertIn("no task is open", self.stepwell("resume").stderr)
        self.assertEqual(self.count("attempt.started"), before)
        self.assertIn("the move", self.stepwell("show", task).stdout)
        self.assertIn("stepwell unpause", self.stepwell("explain", task).stdout)
        self.stepwell("verify")
        going = self.json("unpause", task, "--dry-run")
        self.assertEqual(going["next"], ["b"])
        report = self.json("unpause", task)
        self.assertEqual(report["state"], "in_progress")
        self.assertNotIn("paused", report)
        self.stepwell("unpause", task, code=4)
        self.assertEqual(self.json("resume", task)["state"], "complete")

    def test_a_retry_of_a_paused_task_takes_effect_when_the_pause_ends(self):
        self.template(command("a", "false"))
        task = self.run_task(code=1)["task_id"]
        self.json("pause", task)
        self.put("ready", "")
        self.assertEqual(self.json("retry", task, code=1)["steps"]["a"]["state"], "enqueued")
        self.json("unpause", task)
        self.assertEqual(self.json("resume", task, code=1)["steps"]["a"]["state"], "error")


class Resolving(Sandbox):
    def test_a_step_settled_by_hand_lets_the_rest_run(self):
        self.template(
            command("a", "false"),
            shell("b", "python3 -c 'import json,sys; print(json.load(sys.stdin)[\"dependencies\"][\"a\"][\"rows\"])'",
                  after=["a"]),
        )
        task = self.run_task(code=1)["task_id"]
        self.put("rows.json", '{"rows": 12345678901234567890}')
        report = self.json("resolve", task, "a", "--result", "@rows.json", "--reason", "sent by mail")
        self.assertEqual(report["steps"]["a"]["state"], "resolved_manually")
        self.assertEqual(report["steps"]["b"]["state"], "enqueued")
        report = self.json("resume", task)
        self.assertEqual(report["state"], "complete")
        self.assertEqual(report["steps"]["b"]["result"], 12345678901234567890)
        self.assertIn("sent by mail", self.stepwell("show", task).stdout)

    def test_what_cannot_be_settled_is_refused_and_changes_nothing(self):
        self.template(command("fetch", "true"), command("load", "false", after=["fetch"]))
        task = self.run_task(code=1)["task_id"]
        before = self.json("show", task)
        self.stepwell("resolve", task, "fetch", code=4)
        self.stepwell("resolve", task, "laod", code=2)
        self.stepwell("resolve", task, "load", "--result", "{", code=2)
        self.stepwell("resolve", task, "load", "--result", "@missing", code=2)
        self.assertEqual(self.json("show", task), before)


class Retrying(Sandbox):
    def test_only_the_named_step_begins_again(self):
        self.template(
            *[shell(name, f"test -e ready.{name}", retry=NO_BACKOFF) for name in ("left", "right")],
            command("join", "true", after=["left", "right"]),
        )
        task = self.run_task(code=1)["task_id"]
        for name in ("left", "right"):
            self.put(f"ready.{name}", "")
        report = self.json("retry", task, "--step", "left", code=1)
        self.assertEqual([s["state"] for s in report["steps"].values()], ["complete", "error", "pending"])
        self.assertEqual(report["steps"]["left"]["attempts"], 1, "it has a fresh set of attempts")
        self.stepwell("retry", task, "--step", "left", code=4)
        self.stepwell("retry", task, "--step", "nowhere", code=2)
        self.assertEqual(self.json("retry", task)["state"], "complete")
        self.assertEqual([self.count("attempt.started", s) for s in ("left", "right", "join")], [3, 3, 1])

    def test_a_step_that_waits_for_its_next_attempt_keeps_waiting_through_a_stop(self):
        self.template(shell("a", "test -e ready", retry={"max_attempts": 2, "initial_delay": 2, "max_delay": 2}))
        report = self.run_task("--timeout", "1", code=6)
        self.assertEqual(report["state"], "waiting_for_retry")
        self.assertIn("due_at", report["steps"]["a"])
        self.assertIn("next attempt at", self.stepwell("show", report["task_id"]).stdout)
        self.put("ready", "")
        resumed = self.json("resume", report["task_id"], "--reason", "es ist so weit")
        self.assertEqual(resumed["steps"]["a"]["attempts"], 2)
        starts = [event["data"].get("reason") for event in self.events() if event["type"] == "engine.started"]
        self.assertEqual(starts, [None, "es ist so weit"])


class Looking(Sandbox):
    def test_list_filters_and_limits(self):
        self.template(command("a", "true"), name="good")
        good = [self.run_task()["task_id"] for _ in range(3)]
        self.template(command("a", "false"), name="bad", namespace_name="other")
        bad = self.run_task("--key", "k", code=1)["task_id"]

        def listed(*words):
            return [task["task_id"] for task in self.json("list", *words)]

        self.assertEqual(listed(), [bad, *reversed(good)], "newest first")
        self.assertEqual(listed("--limit", "2"), [bad, good[2]])
        self.assertEqual(listed("--state", "complete"), [*reversed(good)])
        self.assertEqual(listed("--state", "complete", "--limit", "1"), [good[2]])
        self.assertEqual(listed("--state", "blocked_by_failures"), [bad])
        self.assertEqual(listed("--namespace", "other"), [bad])
        self.assertEqual(listed("--name", "good", "--state", "cancelled"), [])
        self.assertEqual(self.stepwell("list", "--name", "nothing").stderr, "no tasks\n")
        row = self.json("list", "--limit", "1")[0]
        self.assertEqual((row["key"], row["steps"], row["steps_done"], row["steps_failed"]), ("k", 1, 0, 1))

    def test_logs_are_kept_by_step_and_attempt(self):
        self.template(
            shell("a", "echo from a >&2; printf 'without an end' >&2; exit 1", retry=NO_BACKOFF),
            shell("b", "echo 'ä\\377\\t|' >&2"),
        )
        task = self.run_task(code=1)["task_id"]
        lines = self.json("logs", task, "a")
        self.assertEqual([(line["attempt"], line["text"]) for line in lines], [
            (1, "from a"), (1, "without an end"), (2, "from a"), (2, "without an end"),
        ])
        self.assertEqual({line["step"] for line in self.json("logs", task)}, {"a", "b"})
        self.assertIn("b #1  ä", self.stepwell("logs", task, "b").stdout)
        self.assertIn("no step 'c'", self.stepwell("logs", task, "c", code=2).stderr)

    def test_show_says_what_each_step_waits_for(self):
        self.template(
            command("bad", "false"), command("good", "true"), command("one", "true", after=["bad", "good"]),
            command("far", "true", after=["one"]),
            *[command(f"f{i}", "false") for i in range(5)],
            command("many", "true", after=[f"f{i}" for i in range(5)]),
        )
        task = self.run_task(code=1)["task_id"]
        shown = self.stepwell("show", task).stdout.splitlines()
        lines = {line.split("pending")[0].split()[-1]: line for line in shown if "pending" in line}
        self.assertTrue(lines["one"].endswith("waits for bad"), lines)
        self.assertTrue(lines["far"].endswith("waits for one"), lines)
        self.assertTrue(lines["many"].endswith("waits for f0, f1, f2 and 2 more"), lines)
        steps = self.json("show", task)["steps"]
        self.assertEqual(steps["one"]["waits_for"], ["bad"])
        self.assertEqual(len(steps["many"]["waits_for"]), 5)
        self.assertNotIn("waits_for", steps["good"])

    def test_graphs_of_a_file_and_of_a_task(self):
        self.template(command("a", "true"), command('say "hi" \\', "false", after=["a"]), name='the "graph" \\')
        task = self.run_task(code=1)["task_id"]
        for subject, states in (("t.yaml", False), (task, True)):
            text = self.stepwell("graph", subject).stdout
            self.assertEqual(text.splitlines()[1], "✗ └─ say \"hi\" \\" if states else "└─ say \"hi\" \\")
            mermaid = self.stepwell("graph", subject, "--format", "mermaid").stdout
            self.assertEqual(mermaid.splitlines()[0], "graph TD")
            self.assertIn("s0 --> s1", mermaid)
            self.assertIn("say #quot;hi#quot;", mermaid)
            dot = self.stepwell("graph", subject, "--format", "dot").stdout
            self.assertTrue(dot.startswith('digraph "the \\"graph\\" \\\\" {'), dot)
            self.assertIn("s0 -> s1;", dot)
            self.assertIn('label="say \\"hi\\" \\\\' + ("\\nerror" if states else "") + '"]', dot)
            self.assertEqual("complete" in mermaid + dot, states)


class Input(Sandbox):
    SCHEMA = {
        "type": "object", "required": ["day"],
        "properties": {"day": {"type": "string"}, "shops": {"type": "array", "items": {"type": "integer"}}},
    }

    def test_input_reaches_the_steps_as_it_was_given(self):
        self.template(shell("a", "python3 -c 'import json,sys; print(json.dumps(json.load(sys.stdin)[\"input\"]))'"))
        self.assertEqual(self.run_task()["steps"]["a"]["result"], {})
        given = {"n": 12345678901234567890, "text": "ä\n\u0000\U0001F600", "deep": [[[{"": None}]]]}
        self.put("in.json", json.dumps(given))
        for word, stdin in ((json.dumps(given), None), ("@in.json", None), ("@-", json.dumps(given))):
            report = self.json("run", "t.yaml", "--input", word, stdin=stdin)
            self.assertEqual(report["input"], given)
            self.assertEqual(report["steps"]["a"]["result"], given)
        text = '{"a": 1.10, "b": 1e3, "a\\u0062": 0.1000000000000000055}'
        self.assertIn("1.10", self.stepwell("run", "t.yaml", "--input", text, "-o", "json").stdout)

    def test_input_that_is_no_object_is_refused(self):
        self.template(command("a", "true"))
        for word in ("[]", "1", "null", '"x"', "", "{", "{} {}", "{'a': 1}", "@missing.json", "@."):
            with self.subTest(word):
                self.assertTrue(self.stepwell("run", "t.yaml", "--input", word, code=2).stderr.startswith("error: "))
        self.assertFalse((self.folder / ".stepwell").exists())

    def test_input_that_does_not_fit_is_refused_at_its_place(self):
        self.template(command("a", "true"), input_schema=self.SCHEMA)
        missing = self.stepwell("run", "t.yaml", code=2).stderr
        self.assertIn("refused: 'day' is missing", missing)
        wrong = self.stepwell("run", "t.yaml", "--input", '{"day": 1, "shops": [1, "two"]}', code=2).stderr
        self.assertIn("/day: ", wrong)
        self.assertIn("/shops/1: ", wrong)
        self.assertFalse((self.folder / ".stepwell").exists())
        self.run_task("--input", '{"day": "monday", "shops": [1, 2.0]}')


class Sizes(Sandbox):
    def test_any_language_names_steps_templates_and_keys(self):
        name, key = "Nächtliche Auswertung 夜間", "Ключ/2026-11-24 \U0001F319"
        self.template(
            command("holen – Übersee", "echo", '"é"'), shell("読み込む", "exit 1", after=["holen – Übersee"]), name=name,
            namespace_name="ünïcode",
        )
        report = self.run_task("--key", key, code=1)
        self.assertEqual(list(report["steps"]), ["holen – Übersee", "読み込む"])
        task = report["task_id"]
        self.assertEqual(self.run_task("--key", key, code=1)["task_id"], task)
        self.assertEqual(self.json("list", "--name", name)[0]["key"], key)
        self.json("retry", task, "--step", "読み込む", code=1)
        self.json("resolve", task, "読み込む")
        self.assertEqual(self.json("show", task)["state"], "complete")
        self.assertIn("読み込む", self.stepwell("events", task).stdout)

    def test_keys_are_within_their_namespace_and_name(self):
        self.template(command("a", "true"))
        self.template(command("a", "true"), file="u.yaml", name="u")
        self.template(command("a", "true"), file="v.yaml", namespace_name="v")
        ids = [self.run_task("--key", "k", file=file)["task_id"] for file in ("t.yaml", "u.yaml", "v.yaml")]
        self.assertEqual(len(set(ids)), 3)

    def test_a_thousand_steps_and_their_join(self):
        count = 1000
        fan = [command(f"s{i}", "true") for i in range(count)]
        self.template(*fan, command("join", "true", after=[step["name"] for step in fan]))
        report = self.run_task()
        self.assertEqual(report["state"], "complete")
        self.assertEqual({s["attempts"] for s in report["steps"].values()}, {1})
        self.assertEqual(self.count("attempt.started"), count + 1)
        self.assertIn("join", self.stepwell("show", report["task_id"]).stdout)

    def test_a_result_of_a_megabyte_is_passed_on(self):
        script = "import json,sys; print(json.dumps(len(json.load(sys.stdin)['dependencies']['big'])))"
        self.template(
            command("big", "python3", "-c", "print('\"' + 'x' * 1000000 + '\"')"),
            command("small", "python3", "-c", script, after=["big"]),
        )
        self.assertEqual(self.run_task()["steps"]["small"]["result"], 1000000)


class Starting(Sandbox):
    def test_what_init_writes_runs_as_it_says(self):
        done = self.stepwell("init", "hello")
        hello = self.folder / "hello"
        self.assertEqual(sorted(os.listdir(hello)), ["handlers.py", "pipeline.yaml"])
        self.assertIn("stepwell run pipeline.yaml --worker 'python3 -m stepwell worker handlers.py'", done.stdout)
        self.stepwell("validate", "pipeline.yaml", cwd=hello)
        report = self.json("run", "pipeline.yaml", "--worker", PYTHON_WORKER, "--input", '{"name": "Ada"}', cwd=hello)
        self.assertEqual(report["steps"]["report"]["result"], {"report": "Hello, Ada! There are 2 files here."})
        [line] = self.json("logs", report["task_id"], "greet", cwd=hello)
        self.assertEqual(line["text"], "greeting Ada")

    def test_init_overwrites_nothing(self):
        self.put("handlers.py", "mine")
        done = self.stepwell("init", code=4)
        self.assertIn("nothing was written", done.stderr)
        self.assertEqual(os.listdir(self.folder), ["handlers.py"])
        self.assertEqual((self.folder / "handlers.py").read_text(), "mine")
        self.put("file", "")
        self.stepwell("init", "file", code=1)
        self.stepwell("init", "no/such/folder", code=1)
