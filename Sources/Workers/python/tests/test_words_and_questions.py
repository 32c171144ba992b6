"""What a handler says and asks while it runs: prints and log lines, far results, checkpoints, heartbeats."""

from __future__ import annotations

import os
import subprocess
import sys
import unittest

from engine import FORKING, ScriptedEngine


class Words(unittest.TestCase):
    """What handlers print and log."""

    def log_lines(self, body: str, **members: object) -> "list[tuple[str, str]]":
        source = "@step_handler('talk')\ndef talk(context):\n" + body
        with ScriptedEngine(source) as engine:
            lease = engine.attempt("talk", **members)
            *lines, last = engine.read_until("result")
            self.assertEqual({line["lease"] for line in lines} | {last["lease"]}, {lease})
            self.assertEqual({line["type"] for line in lines} | {"log"}, {"log"})
            return [(line["level"], line["text"]) for line in lines]

    def test_print_goes_to_the_log_line_by_line(self) -> None:
        body = "    print('one', 'two'); print('a\\n\\nb'); print('unfinished', end='')"
        texts = ["one two", "a", "", "b", "unfinished"]
        self.assertEqual(self.log_lines(body), [("info", text) for text in texts])

    def test_bytes_and_odd_text_go_to_the_log(self) -> None:
        body = "    sys.stdout.buffer.write(b'raw\\n'); print('\\ud800')"
        self.assertEqual(self.log_lines(body), [("info", "raw"), ("info", "\\ud800")])

    def test_a_very_long_line_is_cut(self) -> None:
        lines = self.log_lines("    print('x' * 200_000)")
        self.assertEqual("".join(text for _, text in lines), "x" * 200_000)
        self.assertEqual(max(len(text) for _, text in lines), 65536)

    def test_logging_and_context_log_keep_their_levels(self) -> None:
        body = """
    context.log.debug("d %s", 1); context.log.info("i"); context.log.warning("w"); context.log.error("e")
    logging.info("root"); logging.getLogger("mine").critical("c"); logging.debug("not shown")
    try:
        1 / 0
    except ZeroDivisionError:
        logging.exception("oh")
"""
        lines = self.log_lines(body)
        self.assertEqual(
            lines[:6],
            [("debug", "d 1"), ("info", "i"), ("warning", "w"), ("error", "e"), ("info", "root"),
             ("error", "c")],
        )
        self.assertEqual(lines[6], ("error", "oh"))
        self.assertEqual(lines[-1], ("error", "ZeroDivisionError: division by zero"))

    def test_threads_of_the_handler_can_log(self) -> None:
        body = """
    thread = threading.Thread(target=lambda: context.log.info("from a thread"))
    thread.start(); thread.join()
"""
        self.assertEqual(self.log_lines(body), [("info", "from a thread")])

    def test_children_and_c_code_cannot_reach_the_protocol(self) -> None:
        source = """
            print("while importing")

            @step_handler("children")
            def children(context):
                subprocess.run(["echo", "from a child"], check=True)
                os.write(1, b"straight to one\\n")
                sys.__stdout__.write("by the old name\\n"); sys.__stdout__.flush()
                return sys.stdin.read() + repr(os.read(0, 10))
        """
        with ScriptedEngine(source) as engine:
            self.assertEqual(engine.run("children")["result"], "b''")
            engine.send({"type": "drain"})
            self.assertEqual(engine.read()["type"], "drained")
            errors = engine.errors()
        for words in ("while importing", "from a child", "straight to one", "by the old name"):
            self.assertIn(words, errors)

    def test_a_forked_child_has_no_part_in_the_conversation(self) -> None:
        with ScriptedEngine(FORKING) as engine:
            self.assertEqual(engine.run("fork")["result"], 0)
            engine.end_of_input()
            errors = engine.errors()
        self.assertIn("printed in the fork", errors)
        self.assertIn("logged in the fork", errors)

    def test_prints_of_two_attempts_do_not_mix(self) -> None:
        source = """
            both = threading.Barrier(2)

            @step_handler("talk")
            def talk(context):
                for number in range(50):
                    print(context.get_input("who"), end="")
                    both.wait()
                    print(number)

            @step_handler("atalk")
            async def atalk(context):
                await asyncio.to_thread(print, "in a thread of", context.get_input("who"))
        """
        with ScriptedEngine(source, concurrency=2) as engine:
            leases = {engine.attempt("talk", input={"who": who}): who for who in "ab"}
            texts = {lease: [] for lease in leases}  # type: dict[int, list[str]]
            ended = 0
            while ended < 2:
                message = engine.read()
                if message["type"] == "log":
                    texts[message["lease"]].append(message["text"])
                ended += message["type"] == "result"
            for lease, who in leases.items():
                self.assertEqual(texts[lease], [f"{who}{number}" for number in range(50)])
            engine.attempt("atalk", input={"who": "c"})
            self.assertEqual(engine.read()["text"], "in a thread of c")


class Questions(unittest.TestCase):
    """Messages that want an answer."""

    SOURCE = """
        @step_handler("far")
        def far(context):
            found = [context.get_dependency_result(name) for name in ("near", "far", "far", "none")]
            return {"found": found, "keys": context.get_dependency_result_keys()}

        @step_handler("save")
        def save(context):
            before = context.checkpoint
            context.save_cursor(7, items_processed=3, accumulated_results={"sum": 1})
            return [before, context.checkpoint_cursor, context.checkpoint_items_processed]

        @step_handler("progress")
        async def progress(context):
            context.heartbeat()
            context.heartbeat({"done": 0.5})
            context.heartbeat({"odd": object})
    """

    def test_a_far_result_is_fetched_once(self) -> None:
        with ScriptedEngine(self.SOURCE) as engine:
            question = engine.run(
                "far", dependencies={"near": 1}, fetchable=["far"], dependency_names=["near"]
            )
            self.assertEqual((question["type"], question["step"]), ("fetch", "far"))
            reply = {"type": "fetched", "lease": question["lease"], "id": question["id"]}
            engine.send({**reply, "result": {"x": 2}})
            answer = engine.read()
            self.assertEqual(answer["result"]["found"], [1, {"x": 2}, {"x": 2}, None])
            self.assertEqual(answer["result"]["keys"], ["near", "far"])

    def test_threads_of_a_handler_get_each_its_own_answer(self) -> None:
        source = """
            from concurrent.futures import ThreadPoolExecutor

            @step_handler("all")
            def all_of_them(context):
                with ThreadPoolExecutor(20) as pool:
                    found = pool.map(context.get_dependency_result, [f"s{number}" for number in range(20)])
                    saved = pool.submit(context.save_checkpoint, 1)
                    return [*found, saved.result()]
        """
        with ScriptedEngine(source) as engine:
            lease = engine.attempt("all", fetchable=[f"s{number}" for number in range(20)])
            message = engine.read()
            while message["type"] in ("fetch", "checkpoint"):
                if message["type"] == "fetch":
                    engine.send({"type": "fetched", "lease": lease, "id": message["id"], "result": message["step"]})
                else:
                    engine.send({"type": "checkpointed", "lease": lease})
                message = engine.read()
            self.assertEqual(message["result"], [*(f"s{number}" for number in range(20)), None])

    def test_threads_of_a_handler_are_stopped_with_it(self) -> None:
        source = """
            @step_handler("both")
            def both(context):
                for step in ("a", "b"):
                    threading.Thread(target=context.get_dependency_result, args=(step,)).start()
                context.heartbeat()
                while True:
                    time.sleep(0.01)
        """
        with ScriptedEngine(source) as engine:
            lease = engine.attempt("both", fetchable=["a", "b"])
            # Until a thread has begun, CPython 3.11 takes it for the one that starts it, and the exception may be raised there.
            engine.read_until("heartbeat")
            engine.cancel(lease)
            self.assertEqual(engine.read_until("stopped")[-1]["lease"], lease)

    def test_a_refused_fetch_is_a_retryable_failure(self) -> None:
        with ScriptedEngine(self.SOURCE) as engine:
            question = engine.run("far", fetchable=["far"])
            reply = {"type": "fetched", "lease": question["lease"], "id": question["id"]}
            engine.send({**reply, "error": "gone"})
            answer = engine.read()
            self.assertEqual((answer["type"], answer["retryable"]), ("failure", True))
            self.assertIn("gone", answer["message"])

    def test_a_checkpoint_is_saved_before_the_handler_goes_on(self) -> None:
        with ScriptedEngine(self.SOURCE) as engine:
            message = engine.run("save", checkpoint={"cursor": 5})
            self.assertEqual(message["type"], "checkpoint")
            data = {"cursor": 7, "items_processed": 3, "accumulated_results": {"sum": 1}}
            self.assertEqual(message["data"], data)
            engine.send({"type": "checkpointed", "lease": message["lease"]})
            self.assertEqual(engine.read()["result"], [{"cursor": 5}, 7, 3])

    def test_a_refused_checkpoint_is_a_failure(self) -> None:
        with ScriptedEngine(self.SOURCE, welcome={"result_bytes_max": 80}) as engine:
            message = engine.run("save")
            engine.send({"type": "checkpointed", "lease": message["lease"], "error": "lease lost"})
            self.assertIn("lease lost", engine.read()["message"])
        with ScriptedEngine(self.SOURCE, welcome={"result_bytes_max": 20}) as engine:
            answer = engine.run("save")
            self.assertIn("the limit is 20", answer["message"])
            self.assertFalse(answer["retryable"])

    def test_heartbeats(self) -> None:
        with ScriptedEngine(self.SOURCE) as engine:
            lease = engine.attempt("progress")
            beats = engine.read_until("result")[:-1]
            self.assertEqual(beats[0], {"type": "heartbeat", "lease": lease})
            self.assertEqual(beats[1]["progress"], {"done": 0.5})
            self.assertIsInstance(beats[2]["progress"], str)


if __name__ == "__main__":
    unittest.main()
