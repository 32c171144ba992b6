"""Secrets reach handlers and nothing else: the whole store is searched for them, in all usual forms, after every run."""

import base64
import json
import signal
import sys
import textwrap
import unittest
from pathlib import Path

from sandbox import PYTHON_WORKER, Sandbox, call, command, shell
from serving import Server
from support import Running, Stepwell, wait_until

VALUE = 'tr0ub4dor"&3-öffne'
HANDLERS = """
    import base64, os, sys, time
    from pathlib import Path
    from stepwell import PermanentError, StepHandler

    class Tell(StepHandler):
        handler_name = "tell"

        def call(self, context):
            key = context.get_config("key")
            print("printed", key)
            context.log.warning("logged %s", base64.b64encode(("user:" + key).encode()).decode())
            context.save_checkpoint({"key": key, "at": 1})
            context.heartbeat({"key": key})
            Path("seen").write_text(key, encoding="utf-8")
            if context.get_config("wait"):
                while not Path("go").exists():
                    time.sleep(0.01)
            if context.get_config("fail"):
                raise PermanentError("cannot use " + key, error_code=key, context={"key": key})
            return self.success({"key": key, key: [key, repr(key)], "b": base64.b64encode(key.encode()).decode()})
"""


def forms(value=VALUE):
    """What must be nowhere, as bytes."""
    yield value.encode()
    for ascii in (True, False):
        yield json.dumps(value, ensure_ascii=ascii)[1:-1].encode()
    yield value.encode().hex().encode()
    for before in ("", "u", "us"):
        text = base64.b64encode((before + value).encode())
        yield text[4:-4]


class Secretive(Sandbox):
    def setUp(self):
        super().setUp()
        self.put("handlers.py", textwrap.dedent(HANDLERS))
        self.secrets = self.put("secrets/api-key", VALUE + "\n").parent
        self.words = ["--secrets", str(self.secrets)]

    def search(self, folder=None, *texts):
        """No file of the store has the secret, and none of the texts."""
        files = [path for path in Path(folder or self.folder / ".stepwell").rglob("*") if path.is_file()]
        self.assertTrue(any(path.name == "data.mdb" for path in files))
        for name, content in [*((path, path.read_bytes()) for path in files), *((t[:80], t.encode()) for t in texts)]:
            for form in forms():
                self.assertNotIn(form, content, f"{form!r} in {name}")

    def seen(self):
        return (self.folder / "seen").read_text(encoding="utf-8")

    def config(self, **more):
        return {"handler": {"callable": "tell", "initialization": {"key": "secret:api-key", **more}}}


class Secrets(Secretive):
    def run_and_search(self, *steps, code=0, words=None):
        self.template(*steps)
        done = self.stepwell("run", "t.yaml", *(self.words if words is None else words), "--worker", PYTHON_WORKER, code=code)
        texts = [self.stepwell(*words).stdout for words in (
            ["events", "-o", "jsonl"], ["show", "last"], ["logs", "last"], ["export", "last"], ["explain", "last"])]
        self.search(None, done.stdout, done.stderr, *texts)
        return done, "\n".join(texts)

    def test_a_worker_that_succeeds(self):
        _, texts = self.run_and_search({**call("a", "tell"), **self.config()})
        self.assertEqual(self.seen(), VALUE)
        event = next(event for event in self.events() if event["type"] == "attempt.succeeded")
        self.assertEqual(event["data"]["result"]["key"], "[secret:api-key]")
        self.assertIn("printed [secret:api-key]", texts)

    def test_a_worker_that_fails(self):
        self.run_and_search({**call("a", "tell"), **self.config(fail=True)}, code=1)
        failure = next(event for event in self.events() if event["type"] == "attempt.failed")["data"]
        self.assertIn("cannot use [secret:api-key]", failure["message"])

    def test_a_command_gets_it_in_its_environment_alone(self):
        script = (
            'printf %s "$KEY" > seen; tr "\\0" " " < /proc/$$/cmdline > argv; env > all; '
            'echo "said $KEY" >&2; printf \'{"k":"x%s"}\' "$(printf %s "$KEY" | base64)"')
        _, texts = self.run_and_search(
            {**shell("a", script), "handler": {
                "command": ["sh", "-c", script], "env": {"KEY": "secret:api-key"},
                "initialization": {"key": "secret:api-key"}}})
        self.assertEqual(self.seen(), VALUE)
        self.assertIn("said [secret:api-key]", texts)
        self.assertNotIn(VALUE, (self.folder / "argv").read_text(encoding="utf-8"))

    def test_a_command_that_fails_or_writes_no_json(self):
        for script, word in [
            ('echo "cannot use $KEY" >&2; exit 1', "cannot use [secret:api-key]"), ('echo "$KEY$KEY$KEY$KEY$KEY$KEY"', "not one JSON")]:
            handler = {"command": ["sh", "-c", script], "env": {"KEY": "secret:api-key"}}
            _, texts = self.run_and_search({**shell("a", script), "handler": handler}, code=1)
            self.assertIn(word, texts)

    def test_variables_give_secrets_and_are_not_inherited(self):
        self.environment["STEPWELL_SECRET_API_KEY"] = VALUE
        handler = {"command": ["sh", "-c", "env > all; printf %s \"$KEY\" > seen"], "env": {"KEY": "secret:api-key"}}
        self.run_and_search({**command("a"), "handler": handler}, words=[])
        self.assertEqual(self.seen(), VALUE)
        self.assertNotIn("STEPWELL_SECRET_", (self.folder / "all").read_text(encoding="utf-8"))

    def test_credentials_of_systemd(self):
        self.environment["CREDENTIALS_DIRECTORY"] = str(self.secrets)
        self.run_and_search({**call("a", "tell"), **self.config()}, words=[])
        self.assertEqual(self.seen(), VALUE)

    def test_a_missing_secret_is_told_and_the_next_attempt_finds_it(self):
        (self.secrets / "api-key").rename(self.folder / "kept")
        self.template({**call("a", "tell"), **self.config(), "retry": {"max_attempts": 50, "initial_delay": 0.1, "max_delay": 0.1}})
        run = self.start("run", "t.yaml", *self.words, "--worker", PYTHON_WORKER)
        self.wait_for("attempt.failed", run, "a")
        failure = next(event for event in self.events() if event["type"] == "attempt.failed")["data"]
        self.assertEqual((failure["error_type"], failure["retryable"]), ("secret_missing", True))
        self.assertIn("there is no secret 'api-key', which step 'a' of tests/t 1 needs", failure["message"])
        (self.folder / "kept").rename(self.secrets / "api-key")
        self.assertEqual(run.wait(), 0)
        self.assertEqual(self.seen(), VALUE)
        self.search()

    def test_a_short_secret_is_refused(self):
        (self.secrets / "api-key").write_text("abc\n")
        self.template({**call("a", "tell"), **self.config()})
        self.stepwell("run", "t.yaml", *self.words, "--worker", PYTHON_WORKER, code=1)
        failure = next(event for event in self.events() if event["type"] == "attempt.failed")["data"]
        self.assertEqual(failure["error_type"], "secret_unusable")

    def test_a_crash_in_the_middle(self):
        self.template({**call("a", "tell"), **self.config(wait=True)})
        run = self.start("run", "t.yaml", *self.words, "--worker", PYTHON_WORKER)
        self.wait_for("attempt.checkpointed", run, "a")
        run.kill()
        self.search(None, run.stderr)
        self.put("go", "")
        self.stepwell("resume", "last", *self.words, "--worker", PYTHON_WORKER)
        checkpoint = next(event for event in self.events() if event["type"] == "attempt.checkpointed")
        self.assertEqual(checkpoint["data"]["checkpoint"], {"key": "[secret:api-key]", "at": 1})
        self.search()

    def test_an_attempt_is_run_again_with_the_secret_of_today(self):
        self.run_and_search({**call("a", "tell"), **self.config()})
        done = self.stepwell("replay-step", "last", "a", "--worker", PYTHON_WORKER, *self.words)
        self.assertIn("as recorded", done.stdout)
        self.search(None, done.stdout, done.stderr)
        done = self.stepwell("replay-step", "last", "a", "--worker", PYTHON_WORKER, code=1)
        self.assertIn("secret_missing", done.stdout)
        self.stepwell("replay-step", "last", "a", "--dump", "attempt.json", *self.words)
        text = (self.folder / "attempt.json").read_text(encoding="utf-8")
        self.assertIn('"key":"secret:api-key"', text)
        self.search(None, text)

    def test_a_folder_that_is_not_there(self):
        self.template(command("a", "true"))
        done = self.stepwell("run", "t.yaml", "--secrets", "nowhere", code=2)
        self.assertIn("there is no folder 'nowhere'", done.stderr)


class RemoteSecrets(Secretive):
    def test_a_worker_elsewhere_and_a_server_that_is_killed(self):
        self.template({**call("a", "tell"), **self.config(wait=True)}, file="templates/t.yaml")
        stepwell = Stepwell(self)
        options = ["--templates", str(self.folder / "templates"), "--lease", "5", *self.words]
        server = Server(stepwell, *options).ready()
        words = [sys.executable, "-m", "stepwell", "worker", "handlers.py", "--server"]
        worker = Running(self, [*words, server.url], self.environment, self.folder)
        task = server.post("/tasks", {"namespace": "tests", "name": "t"})["task_id"]
        wait_until(lambda: stepwell.events("attempt.checkpointed"), "the worker has saved a checkpoint")
        server.process.kill()
        self.search(stepwell.store, server.process.stderr)
        again = Server(stepwell, *options, port=server.port).ready()
        self.put("go", "")
        wait_until(lambda: again.get(f"/tasks/{task}")["state"] == "complete", "the task is complete")
        self.assertEqual(self.seen(), VALUE)
        worker.signal(signal.SIGTERM)
        again.process.signal(signal.SIGTERM)
        again.process.wait()
        self.search(stepwell.store, again.process.stderr, json.dumps(stepwell.events()))


if __name__ == "__main__":
    unittest.main()
