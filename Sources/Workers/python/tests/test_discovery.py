"""Which handlers the worker finds, and what it says when it cannot."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import textwrap
import unittest
from pathlib import Path
from typing import Dict

PACKAGE = Path(__file__).resolve().parents[1]

HANDLER = """
from stepwell import step_handler
@step_handler("{0}")
def handle(context): pass
"""


class Discovery(unittest.TestCase):
    def setUp(self) -> None:
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def write(self, files: Dict[str, str]) -> None:
        for name, source in files.items():
            path = self.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(source), encoding="utf-8")

    def run_command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "stepwell", *arguments],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(PACKAGE), "PYTHONDONTWRITEBYTECODE": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
        )

    def found(self, *targets: str) -> "list[str]":
        done = self.run_command("list", *targets)
        self.assertEqual(done.returncode, 0, done.stderr)
        return [line.split()[0] for line in done.stdout.splitlines()]

    def refusal(self, *targets: str) -> str:
        for command in ("list", "worker"):
            done = self.run_command(command, *targets)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertNotIn("stepwell/discovery.py", done.stderr)
        return done.stderr

    def test_both_forms_in_one_file_with_version_and_place(self) -> None:
        self.write({"handlers.py": """
            from stepwell import StepHandler, step_handler

            class Base(StepHandler):
                pass

            class One(Base):
                handler_name = "shop.one"
                handler_version = "3.2.1"

            @step_handler("shop.two")
            def two(context): pass
        """})
        done = self.run_command("list", "handlers.py")
        one, two = done.stdout.splitlines()
        self.assertRegex(one, r"^shop\.one +3\.2\.1 +.*handlers\.py:7$")
        self.assertRegex(two, r"^shop\.two +1\.0\.0 +.*handlers\.py:11$")

    def test_several_files_that_import_each_other(self) -> None:
        self.write({
            "a/handlers.py": "from helper import make\n" + HANDLER.format("a"),
            "a/helper.py": "import handlers\ndef make(): pass\n" + HANDLER.format("helper"),
            "b/handlers.py": HANDLER.format("b"),
        })
        self.assertEqual(self.found("a/handlers.py", "a/helper.py", "b/handlers.py"), ["a", "b", "helper"])

    def test_handlers_that_a_file_only_imports(self) -> None:
        self.write({
            "all.py": "from one import handle\nfrom two import handle as other\n",
            "one.py": HANDLER.format("one"),
            "two.py": HANDLER.format("two"),
        })
        self.assertEqual(self.found("all.py"), ["one", "two"])
        self.assertEqual(self.found("all.py", "one.py"), ["one", "two"])

    def test_a_package_is_walked_all_the_way_down(self) -> None:
        self.write({
            "app/__init__.py": "",
            "app/__main__.py": "raise SystemExit(1)",
            "app/top.py": HANDLER.format("top"),
            "app/deep/__init__.py": HANDLER.format("deep"),
            "app/deep/er.py": "from ..top import handle as top\n" + HANDLER.format("deeper"),
            "app/tests/__init__.py": "raise SystemExit(1)",
        })
        for target in ("app", "./app", str(self.folder / "app")):
            self.assertEqual(self.found(target), ["deep", "deeper", "top"])
        self.assertEqual(self.found("app.deep"), ["deep", "deeper", "top"])
        self.assertEqual(self.found("app/deep/er.py"), ["deeper", "top"])

    def test_a_folder_without_init(self) -> None:
        self.write({
            "steps/one.py": HANDLER.format("one"),
            "steps/more/my-handlers.py": HANDLER.format("two"),
            "steps/test_one.py": "raise SystemExit(1)",
        })
        self.assertEqual(self.found("steps"), ["one", "two"])

    def test_a_file_named_like_a_module_of_python(self) -> None:
        self.write({"sub/json.py": HANDLER.format("mine"), "sub/time.py": HANDLER.format("time")})
        self.assertEqual(self.found("sub/json.py", "sub/time.py"), ["mine", "time"])

    def test_missing_file_or_package(self) -> None:
        self.assertIn("no such file: nowhere.py", self.refusal("nowhere.py"))
        self.assertIn("no such file: no/where", self.refusal("no/where"))
        self.assertIn("no such file or package: nowhere.deep", self.refusal("nowhere.deep"))

    def test_an_import_error_names_its_line(self) -> None:
        self.write({"bad.py": "x = 1\nimport no_such_thing\n", "worse.py": "import bad\n"})
        text = self.refusal("bad.py")
        self.assertRegex(text, r"cannot import bad\.py\n.*bad\.py:2: ModuleNotFoundError")
        text = self.refusal("worse.py")
        self.assertRegex(text, r"bad\.py:2: ModuleNotFoundError: .*no_such_thing")
        self.assertIn("worse.py", text)

    def test_other_faults_of_a_file(self) -> None:
        self.write({"syntax.py": "def f(:\n", "exits.py": "import sys\n\nsys.exit(5)\n"})
        self.assertRegex(self.refusal("syntax.py"), r"syntax\.py:1: SyntaxError")
        self.assertRegex(self.refusal("exits.py"), r"exits\.py:3: SystemExit: 5")

    def test_no_handlers(self) -> None:
        self.write({
            "none.py": "x = 1\n",
            "nameless.py": "import stepwell\nclass Lost(stepwell.StepHandler): pass\n",
        })
        self.assertIn("no handlers found in none.py", self.refusal("none.py"))
        self.assertRegex(self.refusal("nameless.py"), r"no handler_name: Lost \(.*nameless\.py:2\)")

    def test_two_handlers_of_one_name(self) -> None:
        self.write({"one.py": HANDLER.format("same"), "two.py": HANDLER.format("same")})
        text = self.refusal("one.py", "two.py")
        self.assertRegex(text, r"two handlers are named same:\n  .*one\.py:3\n  .*two\.py:3")

    def test_a_function_that_disagrees_with_its_decorators(self) -> None:
        self.write({"odd.py": HANDLER.format("odd").replace("context", "cart")})
        self.assertRegex(self.refusal("odd.py"), r"odd\.py:3: handler odd: nothing provides .*`cart`")

    def test_usage(self) -> None:
        for arguments in ((), ("worker",), ("worker", "x.py", "--concurrency", "0"), ("dance",)):
            self.assertEqual(self.run_command(*arguments).returncode, 2)
        done = self.run_command("worker", "--help")
        self.assertEqual(done.returncode, 0)
        self.assertIn("@step_handler", done.stdout)


if __name__ == "__main__":
    unittest.main()
