"""On a terminal a wait shows the task's steps as a tree: the same whoever runs the task, an engine here or a server."""

from __future__ import annotations

import re
import signal
import unittest
from pathlib import Path
from typing import Dict, List, Tuple

from remote_cli import RemoteTest
from support import Commands, Stepwell, wait_until
from terminal import Terminal

# `flaky` fails once where there is a file `once`, and for good where there is no file `ready`.
TEMPLATE = """
name: NAME
namespace_name: default
version: 1.0.0
steps:
  - { name: first, handler: { command: ["echo", "1"] } }
  - name: flaky
    handler: { command: ["sh", "-c", "rm once 2>/dev/null && exit 1; test -e ready"] }
    retry: { max_attempts: 2, backoff: none }
    dependencies: [first]
  - { name: wait, handler: { command: ["sh", "-c", "until test -e gate-NAME; do sleep 0.02; done"] }, dependencies: [flaky] }
  - { name: last, handler: { command: ["echo", "4"] }, dependencies: [wait] }
"""
WAITS = r"wait +in_progress .*\n.*last +pending.*\n"


def plain(text: str) -> List[str]:
    """The lines but for ids and times."""
    return re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z|[\d.]+ m?s\b|[0-9a-f]{8}-[0-9a-f]{4}[0-9a-f-]*|\b[\d.]+m?s\b", "", text).splitlines()


class LiveTree(RemoteTest):
    def setUp(self) -> None:
        super().setUp()
        self.alone = Stepwell(self)

    def ways(self) -> Dict[str, Tuple[Commands, Path]]:
        """Who takes the command, and the folder in which the handlers run."""
        served = self.stepwell.folder
        return {
            "alone": (self.alone, self.alone.folder), "elsewhere": (self.remote, served), "beside": (self.stepwell, served)}

    def template(self, name: str) -> str:
        return self.write(f"{name}.yaml", TEMPLATE.replace("NAME", name))

    def on_terminal(self, cli: Commands, *words: str, term: str = "xterm") -> Terminal:
        return Terminal(self, cli.words(*words), cli.variables(TERM=term, NO_COLOR=""), cli.folder)

    def tree(self, drawn: str, name: str) -> List[str]:
        """The tree alone: what was said before the first one is not drawn over."""
        found = re.search(rf"^{name} .*", drawn, re.DOTALL | re.MULTILINE)
        self.assertTrue(found, drawn)
        return plain(found[0])

    def end(self, screen: Terminal, code: int = 0) -> str:
        """What stays when the command has ended."""
        self.assertEqual(screen.end(), code, (screen.drawn, str(self.server.process)))
        return screen.last()

    def test_run_shows_the_same(self) -> None:
        trees, ends = [], []
        for name, (cli, folder) in self.ways().items():
            with self.subTest(name):
                for file in ("once", "ready"):
                    (folder / file).touch()
                screen = self.on_terminal(cli, "run", self.template("same"))
                trees.append(self.tree(screen.shows(WAITS), "same"))
                (folder / "gate-same").touch()
                end = self.end(screen)
                self.assertNotIn("in_progress", end, "the tree is taken away")
                ends.append(plain(end))
                (folder / "gate-same").unlink()
        self.assertEqual(trees[1:], trees[:1] * 2)
        self.assertEqual(ends[1:], ends[:1] * 2)
        self.assertEqual(
            [line.split()[:4] for line in trees[0]],
            [["same", "2/4", "steps", "done"], ["✓", "first", "complete"], ["✓", "└─", "flaky", "complete"],
             ["▶", "└─", "wait", "in_progress"], ["·", "└─", "last", "pending"]])
        self.assertIn("attempt 2 of 2", trees[0][2])

    def test_retry_begins_with_the_task_as_it_is(self) -> None:
        trees = []
        for name, (cli, folder) in self.ways().items():
            with self.subTest(name):
                task = cli.json("run", self.template("again"), code=1)["task_id"]
                (folder / "ready").touch()
                screen = self.on_terminal(cli, "retry", task)
                trees.append(self.tree(screen.shows(WAITS), "again"))
                (folder / "gate-again").touch()
                self.assertIn("complete", self.end(screen))
                for file in ("ready", "gate-again"):
                    (folder / file).unlink()
        self.assertEqual(trees[1:], trees[:1] * 2)

    def test_resume_shows_one_task_after_the_other(self) -> None:
        for name, (cli, folder) in self.ways().items():
            with self.subTest(name):
                (folder / "ready").touch()
                for task in ("one", "two"):
                    cli.run("run", self.template(task), "--timeout", "1", code=6)
                screen = self.on_terminal(cli, "resume")
                for task in ("one", "two"):
                    screen.shows(rf"{task} \S+  2/4 steps done\n(.*\n)*.*{WAITS}")
                    (folder / f"gate-{task}").touch()
                self.assertEqual(self.end(screen).count("complete"), 10, screen.drawn)
                for task in ("one", "two"):
                    (folder / f"gate-{task}").unlink()

    def test_a_dumb_terminal_gets_lines(self) -> None:
        for file in ("ready", "gate-dumb"):
            (self.stepwell.folder / file).touch()
        screen = self.on_terminal(self.remote, "run", self.template("dumb"), term="dumb")
        self.assertIn("step.completed  last", self.end(screen))
        self.assertNotIn(b"\x1b", screen.drawn)

    def test_it_outlives_the_server(self) -> None:
        (self.stepwell.folder / "ready").touch()
        screen = self.on_terminal(self.remote, "run", self.template("long"))
        screen.shows(WAITS)
        port = self.server.port
        self.server.process.kill()
        said = screen.shows(r"trying again(.*\n)*.*last +pending.*\n")
        self.assertEqual(said.count("steps done"), 1, said)
        self.server = self.serve_again(port)
        wait_until(lambda: len(self.stepwell.events("attempt.started", "wait")) == 2, "the step runs again")
        (self.stepwell.folder / "gate-long").touch()
        self.assertIn("complete", self.end(screen))

    def test_an_end_of_the_wait_takes_the_tree_away(self) -> None:
        (self.stepwell.folder / "ready").touch()
        path = self.template("left")
        screen = self.on_terminal(self.remote, "run", path)
        screen.shows(WAITS)
        screen.signal(signal.SIGINT)
        self.assertEqual(self.end(screen, 130).split("\n"), ["the server goes on with it", ""])
        screen = self.on_terminal(self.remote, "run", path, "--timeout", "1")
        screen.shows(WAITS)
        end = self.end(screen, 6)
        self.assertIn("the wait is over", end)
        self.assertNotIn("steps done", end)
        (self.stepwell.folder / "gate-left").touch()


if __name__ == "__main__":
    unittest.main()
