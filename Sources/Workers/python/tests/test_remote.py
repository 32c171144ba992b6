"""The worker at a server. What all SDKs have in common is in Tests/WorkerConformance."""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import sys
import tempfile
import textwrap
import threading
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Dict, List, Sequence

from engine import FORKING, PACKAGE, PRELUDE

ROOT = PACKAGE.parents[2]
sys.path.insert(0, str(ROOT / "Tests" / "WorkerConformance"))
sys.path.insert(0, str(PACKAGE))

from server import Server  # noqa: E402 - found by the path above
from stepwell.transport import Address, BadAddress, Connection  # noqa: E402
from transcript import ATTEMPT  # noqa: E402

Message = Dict[str, Any]


class RemoteEngine(Server):
    """The conformance suite's server, with a worker that runs the given source."""

    def __init__(self, source: str, options: Sequence[str] = ()) -> None:
        super().__init__({}, None)
        self.folder = tempfile.TemporaryDirectory()
        file = Path(self.folder.name) / "handlers.py"
        file.write_text(PRELUDE + textwrap.dedent(source), encoding="utf-8")
        command = [sys.executable, "-m", "stepwell", "worker", str(file), *options]
        self.start(command, {"PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1"}, ROOT)
        self.hello = self.receive()

    def __enter__(self) -> RemoteEngine:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()
        self.folder.cleanup()

    def attempt(self, lease: int, handler: str, **members: Any) -> None:
        self.send({**ATTEMPT, "lease": lease, "handler": handler, **members})

    def until(self, kind: str) -> List[Message]:
        messages = [self.receive()]
        while messages[-1]["type"] != kind:
            messages.append(self.receive())
        return messages


SOURCE = """
    print("while importing")

    @step_handler("talk")
    def talk(context):
        print("printed"); logging.getLogger("mine").warning("logged"); context.log.debug("fine")
        return {}

    @step_handler("asleep")
    async def asleep(context):
        context.heartbeat({"asleep": True})
        try:
            await asyncio.Event().wait()
        finally:
            print("why:", context.cancel_reason)

    @step_handler("save")
    def save(context):
        for number in range(3):
            context.save_checkpoint({"text": "x" * context.get_config("bytes"), "number": number})
        return {}
"""


class AtAServer(unittest.TestCase):
    def test_words_go_to_the_log_of_the_step(self) -> None:
        with RemoteEngine(SOURCE) as engine:
            engine.attempt(1, "talk")
            *logs, _ = engine.until("result")
            self.assertEqual(
                [(m["level"], m["text"]) for m in logs], [("info", "printed"), ("warning", "logged"), ("debug", "fine")]
            )

    def test_async_handlers_share_a_loop_and_hear_why_they_stop(self) -> None:
        with RemoteEngine(SOURCE, ["--async", "--concurrency", "200"]) as engine:
            for lease in range(1, 201):
                engine.attempt(lease, "asleep")
            self.assertEqual({engine.receive()["lease"] for _ in range(200)}, set(range(1, 201)))
            engine.send({"type": "cancel", "lease": 7, "reason": "timeout"})
            self.assertEqual(engine.receive()["text"], "why: timeout")
            self.assertEqual(engine.receive(), {"type": "stopped", "lease": 7})
            engine.restart(forgets=True)
            # Words of attempts that the server has forgotten are not delivered, only their ends.
            self.assertEqual(
                sorted(m.get("lease", 0) for m in [engine.receive() for _ in range(200)] if m["type"] != "log"),
                [0, *(lease for lease in range(1, 201) if lease != 7)],
            )
            engine.attempt(201, "talk")
            self.assertEqual(engine.until("result")[-1]["lease"], 201)

    def test_a_checkpoint_that_the_server_does_not_take_fails_the_attempt(self) -> None:
        with RemoteEngine(SOURCE) as engine:
            engine.faults.append({"on": "deliver", "status": 413, "code": "body_too_large"})
            engine.attempt(1, "save", config={"bytes": 100})
            answer = engine.receive()
            self.assertEqual((answer["type"], answer["retryable"]), ("failure", True))
            self.assertIn("too many for the server", answer["message"])

    def test_a_delivery_that_is_too_large_is_split(self) -> None:
        source = """
            @step_handler("save")
            def save(context):
                context.save_checkpoint(1)

            @step_handler("talk")
            def talk(context):
                for number in range(40):
                    print(number)
                open(context.get_config("done"), "w").close()
        """
        with RemoteEngine(source) as engine:
            done = f"{engine.folder.name}/done"
            os.mkfifo(done)
            engine.attempt(1, "save")
            self.assertEqual(engine.receive()["type"], "checkpoint")
            # Its delivery is not answered until all the words wait for the next one.
            engine.attempt(2, "talk", config={"done": done})
            with open(done, "rb"):
                engine.faults.append({"on": "deliver", "status": 413})
                engine.send({"type": "checkpointed", "lease": 1})
            said = [engine.receive() for _ in range(42)]
            self.assertEqual([m["text"] for m in said if m["type"] == "log"], [str(number) for number in range(40)])
            self.assertEqual({m["lease"] for m in said if m["type"] == "result"}, {1, 2})
            self.assertEqual(engine.unused_faults(), [])

    def test_a_forked_child_has_no_part_in_the_conversation(self) -> None:
        with RemoteEngine(FORKING) as engine:
            for lease in (1, 2):
                engine.attempt(lease, "fork")
                self.assertEqual(engine.receive(), {"type": "result", "lease": lease, "result": 0})
            engine.signal("TERM")
            self.assertEqual(engine.receive()["type"], "drained")
            self.assertEqual(engine.exit_status(), 0)
            errors = engine.errors()
        self.assertIn("printed in the fork", errors)
        self.assertIn("logged in the fork", errors)
        self.assertNotIn("does not answer", errors)

    def test_a_forked_child_that_comes_back_from_the_handler_ends(self) -> None:
        source = """
            @step_handler("fork")
            def fork(context):
                return os.fork()

            @step_handler("reap")
            def reap(context):
                return os.waitpid(context.get_input("pid"), 0)[1]
        """
        with RemoteEngine(source) as engine:
            engine.attempt(1, "fork")
            pid = engine.receive()["result"]
            engine.attempt(2, "reap", input={"pid": pid})
            self.assertEqual(engine.receive(), {"type": "result", "lease": 2, "result": 0})

    def test_a_worker_that_leaves_does_not_wait_for_the_threads_of_a_handler(self) -> None:
        source = """
            from concurrent.futures import ThreadPoolExecutor
            pool = ThreadPoolExecutor()

            @step_handler("leave_behind")
            def leave_behind(context):
                pool.submit(time.sleep, 3600)
        """
        with RemoteEngine(source) as engine:
            engine.attempt(1, "leave_behind")
            engine.until("result")
            engine.signal("TERM")
            self.assertEqual(engine.receive()["type"], "drained")
            self.assertEqual(engine.exit_status(), 0)

    def test_trouble_and_its_end_are_told_once(self) -> None:
        with RemoteEngine(SOURCE) as engine:
            engine.faults.append({"on": "poll", "status": 503, "times": 3})
            engine.attempt(1, "talk")
            engine.until("result")
            engine.attempt(2, "talk")
            engine.until("result")
            engine.send({"type": "drain"})
            self.assertEqual(engine.receive()["type"], "drained")
            self.assertEqual(engine.exit_status(), 0)
            errors = engine.errors()
            self.assertEqual(errors.count("does not answer"), 1)
            self.assertEqual(errors.count("answers again"), 1)

    def test_a_wrong_address_or_a_wrong_server_ends_the_worker_with_words(self) -> None:
        def run(url: str) -> "subprocess.CompletedProcess[str]":
            return subprocess.run(
                [sys.executable, "-m", "stepwell", "worker", str(PACKAGE / "conformance.py"), "--server", url],
                env={**os.environ, "PYTHONPATH": str(PACKAGE)}, capture_output=True, text=True, timeout=30,
            )

        for url, words in (
            ("localhost:7420", "write http://HOST:PORT"),
            ("ftp://x", "write http://HOST:PORT"),
            ("http://me:secret@x", "use a token"),
            ("http://x:port", "is no address"),
            ("unix:", "write unix:/run/stepwell.sock"),
        ):
            done = run(url)
            self.assertEqual(done.returncode, 2, url)
            self.assertIn(words, done.stderr)
            self.assertNotIn("secret", done.stderr)

        class Other(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.send_error(404)

            def log_message(self, *_: Any) -> None:
                pass

        server = ThreadingHTTPServer(("127.0.0.1", 0), Other)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = run(f"http://127.0.0.1:{server.server_address[1]}")
        server.shutdown()
        server.server_close()
        self.assertEqual(done.returncode, 1)
        self.assertIn("does not take this worker: 404 Not Found", done.stderr)

    def test_a_server_that_is_not_there_is_waited_for_and_left_by_a_signal(self) -> None:
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))  # bound, but nobody listens
            process = subprocess.Popen(
                [sys.executable, "-m", "stepwell", "worker", str(PACKAGE / "conformance.py"),
                 "--server", f"http://127.0.0.1:{taken.getsockname()[1]}"],
                env={**os.environ, "PYTHONPATH": str(PACKAGE)}, stderr=subprocess.PIPE, text=True,
            )
            assert process.stderr
            self.assertIn("does not answer", process.stderr.readline())
            process.terminate()
            self.assertEqual(process.wait(30), 0)
            process.stderr.close()


class Addresses(unittest.TestCase):
    def test_what_an_address_says(self) -> None:
        self.assertEqual(Address.parse("http://[::1]:80/base/")[1:], ("::1", 80, False, "", "/base"))
        self.assertEqual(Address.parse("https://x")[1:], ("x", None, True, "", ""))
        self.assertEqual(Address.parse("unix:/run/größe.sock").path, "/run/größe.sock")
        self.assertEqual(Address.parse("unix:here").path, "here")
        self.assertEqual(Address.parse("unix:///run/a").path, "/run/a")
        for url in ("", "http://", "http://x?y", "x", "http://x#y", "unix://run/a"):
            with self.assertRaises(BadAddress, msg=url):
                Address.parse(url)

    def test_tls_checks_the_certificate(self) -> None:
        class Hello(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"{}")

            def log_message(self, *_: Any) -> None:
                pass

        with tempfile.TemporaryDirectory() as folder:
            key, certificate = f"{folder}/key.pem", f"{folder}/certificate.pem"
            subprocess.run(
                ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                 "-keyout", key, "-out", certificate, "-days", "1", "-subj", "/CN=localhost",
                 "-addext", "subjectAltName=DNS:localhost"],
                check=True, capture_output=True,
            )
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate, key)
            server = ThreadingHTTPServer(("127.0.0.1", 0), Hello)
            server.socket = context.wrap_socket(server.socket, server_side=True)
            threading.Thread(target=server.serve_forever, daemon=True).start()
            address = Address.parse(f"https://localhost:{server.server_address[1]}")
            with self.assertRaises(ssl.SSLCertVerificationError):
                Connection(address, None, address.trusted()).request("GET", "/")
            os.environ["SSL_CERT_FILE"] = certificate
            try:
                connection = Connection(address, None, address.trusted())
                self.assertEqual(connection.request("GET", "/").json(), {})
                connection.close()
            finally:
                del os.environ["SSL_CERT_FILE"]
                server.shutdown()
                server.server_close()


if __name__ == "__main__":
    unittest.main()
