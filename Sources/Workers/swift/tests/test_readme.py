"""What README.md tells people to type works as it is written there; WorkerTests holds its Swift to what is built."""

import json
import os
import re
import shutil
import socket
import subprocess
import tempfile
import unittest
from pathlib import Path

SDK = Path(__file__).resolve().parent.parent
ROOT = SDK.parents[2]
PAGE = (SDK / "README.md").read_text(encoding="utf-8")
BINARY = Path(os.environ.get("STEPWELL_BIN") or ROOT / ".build/release/stepwell").resolve()
PRICES = ROOT / ".build/debug/Prices"
LIMIT = 120


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.M | re.S)


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Tutorial(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder, True)
        self.assertTrue(PRICES.is_file(), "swift build --product Prices makes it")
        self.assertTrue(BINARY.is_file(), "STEPWELL_BIN names the built stepwell")
        (self.folder / "bin").mkdir()
        (self.folder / "bin/stepwell").symlink_to(BINARY)
        self.package = self.folder / "prices"
        self.package.mkdir()
        self.environment = {
            **os.environ, "PATH": f"{self.folder}/bin:{os.environ['PATH']}", "STEPWELL_STORE": str(self.folder / "store"),
        }
        self.environment.pop("STEPWELL_URL", None)

    def shell(self, script):
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", script], cwd=self.package, env=self.environment, text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=LIMIT)
        self.assertEqual(done.returncode, 0, f"{script}\n{done.stdout}")
        return done.stdout

    def write(self, path, text):
        file = self.package / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def test_the_package_names_what_there_is(self):
        (self.folder / "stepwell").symlink_to(ROOT)
        manifest, handlers, program, tests = blocks("swift")
        self.write("Package.swift", manifest)
        self.write("Sources/Prices/Handlers.swift", handlers)
        self.write("Sources/Prices/Main.swift", program)
        self.write("Tests/PricesTests/PricesTests.swift", tests)
        described = json.loads(self.shell("swift package describe --type json 2>/dev/null"))
        wanted = {name for target in described["targets"] for name in target.get("product_dependencies", [])}
        offered = set(re.findall(r"\.library\(name: \"(\w+)\"", (ROOT / "Package.swift").read_text(encoding="utf-8")))
        self.assertEqual(wanted, {"StepwellWorker", "StepwellTestKit"})
        self.assertLessEqual(wanted, offered)

    def test_the_commands(self):
        run, test, serve = blocks("sh")
        (template,) = blocks("yaml")
        self.write("shop.yaml", template)
        # What is built and tested is what the page shows: WorkerTests compares them.
        self.write(".build/debug/.keep", "")
        (self.package / ".build/debug/Prices").symlink_to(PRICES)
        self.assertEqual(run.splitlines()[0], "swift build")
        self.assertEqual(test, "swift test\n")
        said = self.shell(run.split("\n", 1)[1] + "stepwell logs last fetch\n")
        self.assertIn("shop.add_up  1.0.0\nshop.fetch_prices  1.0.0\n", said)
        self.assertIn("complete", said)
        self.assertIn("fetching prices in EUR", said)
        port = free_port()
        *started, submitted = serve.replace("stepwell serve", f"stepwell serve --listen 127.0.0.1:{port}").splitlines()
        ready = f"until curl -sf 127.0.0.1:{port}/v1/health/ready; do kill -0 %1 && sleep 0.05; done"
        script = "\n".join([
            "trap 'kill %1 %2; wait' EXIT", *started, ready, f"STEPWELL_URL=http://127.0.0.1:{port} {submitted}",
        ])
        self.assertIn('complete {"sum":7}', self.shell(script.replace("127.0.0.1:7420", f"127.0.0.1:{port}")))


if __name__ == "__main__":
    unittest.main()
