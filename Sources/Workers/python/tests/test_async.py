"""`--async`: one event loop for all attempts of async handlers."""

from __future__ import annotations

import unittest

from engine import ScriptedEngine

SOURCE = """
    here = []

    @step_handler("meet")
    async def meet(context):
        here.append(context.attempt)
        while len(here) < context.get_config("how_many"):
            await asyncio.sleep(0.001)
        return {"thread": threading.current_thread().name}

    @step_handler("asleep")
    async def asleep(context):
        context.heartbeat({"asleep": True})
        try:
            await asyncio.Event().wait()
        finally:
            print("tidied up")

    class Both(StepHandler):
        handler_name = "both"

        async def call(self, context):
            return self.success({"thread": threading.current_thread().name})

        def plain(self, context):
            return self.success({"thread": threading.current_thread().name})

    @step_handler("talk")
    async def talk(context):
        for number in range(20):
            print(context.get_input("who"), end="")
            await asyncio.sleep(0)
            print(number)
        print("end", end="")

    @step_handler("broken")
    async def broken(context):
        await asyncio.sleep(0)
        raise eval(context.get_input("expression"))

    @step_handler("leave")
    async def leave(context):
        async def out():
            sys.exit(4)

        other = asyncio.create_task(out())
        await asyncio.sleep(0.01)
        asyncio.get_running_loop().stop()
        await asyncio.sleep(0.01)
        return other.done()

    @step_handler("save")
    async def save(context):
        await asyncio.to_thread(context.save_checkpoint, 7)
        return context.checkpoint
"""


class SharedLoop(unittest.TestCase):
    def engine(self, concurrency: int = 4) -> ScriptedEngine:
        return ScriptedEngine(SOURCE, concurrency, options=["--async"])

    def test_hundreds_wait_at_the_same_time_in_one_thread(self) -> None:
        with self.engine(500) as engine:
            leases = {engine.attempt("meet", config={"how_many": 500}) for _ in range(500)}
            answers = [engine.read() for _ in leases]
            self.assertEqual({answer["lease"] for answer in answers}, leases)
            self.assertEqual({answer["result"]["thread"] for answer in answers}, {"stepwell-loop"})

    def test_plain_methods_run_in_threads(self) -> None:
        with self.engine() as engine:
            self.assertEqual(engine.run("both")["result"], {"thread": "stepwell-loop"})
            self.assertEqual(engine.run("both", method="plain")["result"], {"thread": "stepwell-1"})
            self.assertEqual(engine.run("both", method="none")["error_type"], "permanent_error")
            self.assertEqual(engine.run("nobody")["error_type"], "permanent_error")

    def test_a_cancelled_attempt_stops_and_the_others_go_on(self) -> None:
        with self.engine() as engine:
            first, second = engine.attempt("asleep"), engine.attempt("asleep")
            self.assertEqual({engine.read()["lease"], engine.read()["lease"]}, {first, second})
            engine.cancel(second, "timeout")
            self.assertEqual(engine.read()["text"], "tidied up")
            self.assertEqual(engine.read(), {"type": "stopped", "lease": second})
            self.assertEqual(engine.run("both")["type"], "result")
            engine.cancel(first)
            self.assertEqual(engine.read()["lease"], first)
            self.assertEqual(engine.read(), {"type": "stopped", "lease": first})

    def test_a_late_cancel_never_hits_the_next_attempt(self) -> None:
        with self.engine() as engine:
            for _ in range(300):
                first = engine.attempt("both")
                engine.cancel(first)
                second = engine.attempt("both")
                answers = {(m["lease"], m["type"]) for m in (engine.read(), engine.read())}
                self.assertIn((second, "result"), answers)
                self.assertTrue({(first, "result"), (first, "stopped")} & answers)

    def test_prints_of_attempts_do_not_mix(self) -> None:
        with self.engine() as engine:
            leases = {engine.attempt("talk", input={"who": who}): who for who in "ab"}
            texts = {lease: [] for lease in leases}  # type: dict[int, list[str]]
            ended = 0
            while ended < 2:
                message = engine.read()
                if message["type"] == "log":
                    texts[message["lease"]].append(message["text"])
                ended += message["type"] == "result"
            for lease, who in leases.items():
                self.assertEqual(texts[lease], [*(f"{who}{number}" for number in range(20)), "end"])

    def test_nothing_that_a_handler_raises_ends_the_loop(self) -> None:
        with self.engine() as engine:
            for expression in ("SystemExit(3)", "KeyboardInterrupt()", "asyncio.CancelledError()", "KeyError('x')"):
                answer = engine.run("broken", input={"expression": expression})
                self.assertEqual(answer["type"], "failure", expression)
                self.assertIn(expression.partition("(")[0].rpartition(".")[2], answer["message"])

    def test_no_task_of_a_handler_ends_the_loop_of_all(self) -> None:
        with self.engine() as engine:
            self.assertTrue(engine.run("leave")["result"])
            self.assertEqual(engine.run("both")["type"], "result")

    def test_a_checkpoint_waits_in_a_thread(self) -> None:
        with self.engine() as engine:
            message = engine.run("save")
            self.assertEqual(message["type"], "checkpoint")
            self.assertEqual(engine.run("both")["type"], "result")  # the loop is free meanwhile
            engine.send({"type": "checkpointed", "lease": message["lease"]})
            self.assertEqual(engine.read()["result"], 7)

    def test_drain_waits_for_tasks(self) -> None:
        with self.engine() as engine:
            lease = engine.attempt("asleep")
            engine.read()
            engine.send({"type": "drain"})
            engine.cancel(lease, "shutdown")
            self.assertEqual(engine.read()["text"], "tidied up")
            self.assertEqual(engine.read(), {"type": "stopped", "lease": lease})
            self.assertEqual(engine.read(), {"type": "drained"})
            self.assertEqual(engine.exit_status(), 0)


if __name__ == "__main__":
    unittest.main()
