"""The protocol, spoken by a real worker process with an engine that is a script."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import unittest

import test_words_and_questions as questions
from engine import PACKAGE, ScriptedEngine
from stepwell.payload import parse

BASICS = """
    class Echo(StepHandler):
        handler_name = "echo"
        handler_version = "2.1.0"

        def call(self, context):
            return self.success(
                {
                    "input": context.input_data, "config": context.step_config,
                    "near": context.get_dependency_result("near"),
                    "attempt": context.attempt, "step": context.step_name,
                },
                metadata={"by": "echo"},
            )

        def shout(self, context):
            return self.success(context.get_input("text").upper())

        async def later(self, context):
            await asyncio.sleep(0)
            return self.success("later")

    @step_handler("greet.größe")
    @inputs("name")
    def greet(name):
        return f"hé {name} 🌍"

    @step_handler("give")
    def give(context):
        return eval(context.get_input("expression"))

    @step_handler("broken")
    def broken(context):
        raise eval(context.get_input("expression"))
"""

WAITING = """
    # The handlers say that they have begun by a heartbeat and are ended by `cancel` alone.
    @step_handler("spin")
    def spin(context):
        context.heartbeat({"spinning": True})
        while True:
            pass

    @step_handler("stubborn")
    def stubborn(context):
        context.heartbeat()
        while True:
            try:
                while True:
                    pass
            except Exception:
                pass

    @step_handler("polite")
    def polite(context):
        context.heartbeat()
        while not context.is_cancelled:
            pass
        return "stopped by itself"

    @step_handler("asleep")
    async def asleep(context):
        context.heartbeat()
        try:
            await asyncio.Event().wait()
        finally:
            print("tidied up")

    @step_handler("saving")
    def saving(context):
        context.save_checkpoint({"page": 1})

    @step_handler("quick")
    def quick(context):
        return threading.current_thread().name
"""


class Conversation(unittest.TestCase):
    def test_hello_names_handlers_versions_and_concurrency(self) -> None:
        with ScriptedEngine(BASICS, concurrency=3) as engine:
            self.assertEqual(engine.hello["type"], "hello")
            self.assertEqual(engine.hello["protocol"], 1)
            self.assertEqual(engine.hello["concurrency"], 3)
            self.assertIn({"name": "echo", "version": "2.1.0"}, engine.hello["handlers"])
            self.assertIn({"name": "greet.größe", "version": "1.0.0"}, engine.hello["handlers"])
            self.assertTrue(engine.hello["sdk"].startswith("stepwell-python "))

    def test_an_attempt_is_answered_with_its_result(self) -> None:
        with ScriptedEngine(BASICS) as engine:
            answer = engine.run(
                "echo", input={"a": [1, None]}, config={"b": 2}, dependencies={"near": {"c": 3.5}}
            )
            self.assertEqual(answer["type"], "result")
            self.assertEqual(answer["metadata"], {"by": "echo"})
            self.assertEqual(
                answer["result"],
                {
                    "input": {"a": [1, None]},
                    "config": {"b": 2},
                    "near": {"c": 3.5},
                    "attempt": 1,
                    "step": "the_step",
                },
            )

    def test_names_and_texts_of_any_script(self) -> None:
        with ScriptedEngine(BASICS) as engine:
            answer = engine.run("greet.größe", input={"name": "Łucja 李"})
            self.assertEqual(answer["result"], "hé Łucja 李 🌍")

    def test_methods_are_dispatched_and_unknown_ones_fail_for_good(self) -> None:
        with ScriptedEngine(BASICS) as engine:
            self.assertEqual(engine.run("echo", method="shout", input={"text": "a"})["result"], "A")
            self.assertEqual(engine.run("echo", method="later")["result"], "later")
            for handler, method in (
                ("echo", "whisper"), ("echo", "success"), ("echo", "__init__"), ("give", "other"),
                ("nobody", "call"),
            ):
                answer = engine.run(handler, method=method)
                self.assertEqual(answer["type"], "failure", method)
                self.assertEqual(answer["error_type"], "permanent_error")
                self.assertFalse(answer["retryable"])

    def test_results_that_are_not_json_fail_for_good_and_name_the_place(self) -> None:
        for expression, words in (
            ("{'rows': [{'price': float('nan')}]}", "result.rows[0].price is nan"),
            ("float('-inf')", "result is -inf"),
            ("{'a b': {1, 2}}", 'result["a b"] is a set'),
            ("[1, __import__('datetime').date(2026, 1, 2)]", "result[1] is a date"),
            ("{(1, 2): 3}", "keys are strings"),
            ("'\\ud800'", "not valid Unicode"),
            ("(lambda a: a.append(a) or a)([])", "result[0] contains itself"),
            ("StepHandlerResult.success(1, metadata={'when': object()})", "metadata.when is a object"),
            ("StepHandlerResult.success(1, metadata=[1])", "metadata is a list, not a dict"),
            ("__import__('functools').reduce(lambda a, _: [a], range(100000), 1)", "too deeply"),
        ):
            with self.subTest(expression), ScriptedEngine(BASICS) as engine:
                answer = engine.run("give", input={"expression": expression})
                self.assertEqual(answer["type"], "failure")
                self.assertIn(words, answer["message"])
                self.assertEqual(answer["error_type"], "result_not_json")
                self.assertFalse(answer["retryable"])

    def test_a_result_over_the_limit_fails_for_good_and_names_the_limit(self) -> None:
        with ScriptedEngine(BASICS, welcome={"result_bytes_max": 1000}) as engine:
            fits = engine.run("give", input={"expression": "'x' * 998"})
            self.assertEqual(fits["type"], "result")
            answer = engine.run("give", input={"expression": "'x' * 999"})
            self.assertEqual(answer["error_type"], "result_too_large")
            self.assertFalse(answer["retryable"])
            self.assertIn("1001 bytes; the limit is 1000", answer["message"])

    def test_large_messages_pass_both_ways(self) -> None:
        with ScriptedEngine(BASICS) as engine:
            rows = ["ü" * 1000] * 5000  # ten megabytes
            answer = engine.run("give", input={"expression": "context.input_data['rows']", "rows": rows})
            self.assertEqual(answer["result"], rows)

    def test_errors_become_failures(self) -> None:
        with ScriptedEngine(BASICS) as engine:
            answer = engine.run("broken", input={"expression": "RetryableError('wait', retry_after=1.5)"})
            self.assertEqual(
                (answer["type"], answer["message"], answer["error_type"], answer["retryable"]),
                ("failure", "wait", "retryable_error", True),
            )
            self.assertEqual(answer["retry_after_ms"], 1500)
            self.assertIn("in broken", answer["backtrace"])
            answer = engine.run("broken", input={"expression": "RetryableError(retry_after=1e300)"})
            self.assertEqual((answer["message"], answer["retry_after_ms"]), ("RetryableError", 1 << 53))
            answer = engine.run("broken", input={"expression": "NotFoundError('no', error_code='E1')"})
            self.assertFalse(answer["retryable"])
            self.assertEqual((answer["error_type"], answer["error_code"]), ("permanent_error", "E1"))
            answer = engine.run("broken", input={"expression": "KeyError('total')"})
            self.assertEqual(answer["message"], "KeyError: 'total'")
            self.assertEqual(answer["error_type"], "handler_error")
            self.assertEqual(answer["metadata"], {"exception_type": "KeyError"})
            self.assertTrue(answer["retryable"])

    def test_nothing_that_a_handler_raises_ends_the_worker(self) -> None:
        with ScriptedEngine(BASICS) as engine:
            for expression in (
                "SystemExit(3)",
                "KeyboardInterrupt()",
                "RecursionError()",
                "type('Odd', (Exception,), {'__str__': lambda self: 1 / 0})()",
                "type('Odder', (Exception,), {'__str__': lambda self: sys.exit(1)})()",
                "RetryableError('x', retry_after='soon', metadata={1: object()})",
            ):
                answer = engine.run("broken", input={"expression": expression})
                self.assertEqual(answer["type"], "failure", expression)
            self.assertEqual(engine.run("give", input={"expression": "1"})["result"], 1)

    def test_a_number_of_more_digits_than_python_reads_is_infinite_and_ends_nothing(self) -> None:
        with ScriptedEngine(BASICS) as engine:
            line = b'{"type":"rejected","lease":77,"reason":"late","n":%s}\n' % (b"9" * 5000)
            engine.send_bytes(line)
            self.assertEqual(engine.run("give", input={"expression": "1"})["result"], 1)
        self.assertEqual(parse(b'{"n":[-%s,7]}' % (b"9" * 5000)), {"n": [-math.inf, 7]})

    def test_unknown_members_and_messages_of_the_engine_are_ignored(self) -> None:
        with ScriptedEngine(BASICS) as engine:
            engine.send({"type": "weather", "sunny": True})
            engine.send({"type": "rejected", "lease": 77, "reason": "late"})
            engine.send({"type": "cancel", "lease": 77, "reason": "timeout"})
            answer = engine.run("give", input={"expression": "1"}, colour="blue")
            self.assertEqual(answer["result"], 1)


class Cancelling(unittest.TestCase):
    def test_a_handler_that_never_looks_is_stopped(self) -> None:
        for handler in ("spin", "stubborn", "asleep"):
            with self.subTest(handler), ScriptedEngine(WAITING) as engine:
                lease = engine.attempt(handler)
                self.assertEqual(engine.read()["type"], "heartbeat")
                engine.cancel(lease, "timeout")
                *between, last = engine.read_until("stopped")
                self.assertEqual(last, {"type": "stopped", "lease": lease})
                self.assertEqual(
                    [m["text"] for m in between], ["tidied up"] if handler == "asleep" else []
                )
                self.assertEqual(engine.run("quick")["type"], "result")

    def test_a_handler_that_looks_may_end_by_itself(self) -> None:
        # The strike may be faster than the handler's look; both are proper ends.
        with ScriptedEngine(WAITING) as engine:
            lease = engine.attempt("polite")
            engine.read()
            engine.cancel(lease)
            self.assertIn(engine.read()["type"], ("stopped", "result"))

    def test_a_handler_that_waits_for_the_engine_is_stopped(self) -> None:
        with ScriptedEngine(WAITING) as engine:
            lease = engine.attempt("saving")
            self.assertEqual(engine.read()["type"], "checkpoint")
            engine.cancel(lease, "shutdown")
            self.assertEqual(engine.read(), {"type": "stopped", "lease": lease})

    def test_an_attempt_that_has_not_begun_is_stopped(self) -> None:
        with ScriptedEngine(WAITING, concurrency=1) as engine:
            first = engine.attempt("spin")
            engine.read()
            second = engine.attempt("spin")
            engine.cancel(second)
            engine.cancel(second)
            engine.cancel(first)
            self.assertEqual(engine.read(), {"type": "stopped", "lease": first})
            self.assertEqual(engine.read(), {"type": "stopped", "lease": second})

    def test_a_late_cancel_never_hits_the_next_attempt(self) -> None:
        with ScriptedEngine(WAITING, concurrency=1) as engine:
            for _ in range(300):
                first = engine.attempt("quick")
                engine.cancel(first)
                second = engine.attempt("quick")
                self.assertIn(engine.read()["type"], ("result", "stopped"))
                answer = engine.read()
                self.assertEqual((answer["type"], answer["lease"]), ("result", second))

    def test_other_attempts_go_on(self) -> None:
        with ScriptedEngine(WAITING, concurrency=3) as engine:
            leases = [engine.attempt("spin") for _ in range(2)]
            self.assertEqual({engine.read()["lease"] for _ in leases}, set(leases))
            self.assertEqual(engine.run("quick")["type"], "result")
            engine.cancel(leases[1])
            self.assertEqual(engine.read(), {"type": "stopped", "lease": leases[1]})
            engine.cancel(leases[0])
            self.assertEqual(engine.read(), {"type": "stopped", "lease": leases[0]})


class Ending(unittest.TestCase):
    def test_drain_finishes_what_runs(self) -> None:
        with ScriptedEngine(questions.Questions.SOURCE) as engine:
            message = engine.run("save")
            engine.send({"type": "drain"})
            engine.send({"type": "checkpointed", "lease": message["lease"]})
            self.assertEqual(engine.read()["type"], "result")
            self.assertEqual(engine.read(), {"type": "drained"})
            self.assertEqual(engine.exit_status(), 0)
            self.assertEqual(engine.errors(), "")

    def test_termination_is_a_drain_that_takes_nothing_more(self) -> None:
        with ScriptedEngine(questions.Questions.SOURCE) as engine:
            message = engine.run("save")
            engine.process.send_signal(signal.SIGINT)  # has no effect
            engine.process.send_signal(signal.SIGTERM)
            engine.send({"type": "checkpointed", "lease": message["lease"]})
            self.assertEqual(engine.read()["type"], "result")
            self.assertEqual(engine.read(), {"type": "drained"})
            self.assertEqual(engine.exit_status(), 0)

    def test_the_end_of_input_ends_the_worker_at_once(self) -> None:
        with ScriptedEngine(WAITING) as engine:
            engine.attempt("stubborn")
            engine.read()
            engine.end_of_input()
            self.assertEqual(engine.exit_status(), 0)

    def test_garbage_ends_the_worker_with_words(self) -> None:
        for line in (b"garbage\n", b"[1]\n", b"{}\n", b'"x"\n', b'{"type":"attempt"}\n', b"\xff\n"):
            with self.subTest(line), ScriptedEngine(WAITING) as engine:
                engine.send_bytes(line)
                self.assertEqual(engine.exit_status(), 1)
                self.assertIn("cannot read the engine's message", engine.errors())

    def test_half_a_line_is_the_engines_death_not_garbage(self) -> None:
        with ScriptedEngine(WAITING) as engine:
            engine.send_bytes(b'{"type":"att')
            engine.end_of_input()
            self.assertEqual(engine.exit_status(), 0)
            self.assertEqual(engine.errors(), "")


class Concurrency(unittest.TestCase):
    SOURCE = """
        together = threading.Barrier(4)

        @step_handler("meet")
        def meet(context):
            together.wait()
            return context.get_input("n")

        @step_handler("ameet")
        async def ameet(context):
            together.wait()
            return context.get_input("n")
    """

    def test_as_many_attempts_run_together_as_were_promised(self) -> None:
        with ScriptedEngine(self.SOURCE, concurrency=4) as engine:
            for handler in ("meet", "ameet"):
                leases = {engine.attempt(handler, input={"n": n}): n for n in range(4)}
                answers = [engine.read() for _ in leases]
                self.assertEqual({a["lease"]: a["result"] for a in answers}, leases)

    def test_thousands_of_attempts(self) -> None:
        source = "@step_handler('double')\n@inputs('n')\ndef double(n): return n * 2\n"
        with ScriptedEngine(source, concurrency=8) as engine:
            wanted = {}
            for n in range(5000):
                wanted[engine.attempt("double", input={"n": n})] = n * 2
                if n >= 8:
                    answer = engine.read()
                    self.assertEqual(answer["result"], wanted.pop(answer["lease"]))
            self.assertEqual(len(wanted), 8)


class CommandLine(unittest.TestCase):
    def test_a_person_at_a_terminal_is_told_what_a_worker_is(self) -> None:
        leader, follower = os.openpty()
        try:
            done = subprocess.run(
                [sys.executable, "-m", "stepwell", "worker", "x.py"],
                stdin=follower, capture_output=True, env={**os.environ, "PYTHONPATH": str(PACKAGE)},
            )
        finally:
            os.close(leader)
            os.close(follower)
        self.assertEqual(done.returncode, 2)
        self.assertIn(b"started by the engine", done.stderr)


if __name__ == "__main__":
    unittest.main()
