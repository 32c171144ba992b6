"""replay --step-by-step on a terminal: the keys walk, and the terminal is given back however it ends."""

import fcntl
import signal
import struct
import termios
import unittest

from sandbox import Sandbox, command, shell
from terminal import Terminal, without_escapes

RIGHT, LEFT, HOME, END = b"\x1b[C", b"\x1b[D", b"\x1b[H", b"\x1b[4~"


class Screen(Terminal):
    """A command that draws the whole screen, and whose keys a test presses."""

    def __init__(self, test, *words, rows=24, columns=100):
        super().__init__(test, [test.binary, *words], test.environment, test.folder, rows, columns)

    def last(self):
        # The last line is drawn last of all.
        whole = [screen for screen in self.drawn.decode("utf-8", "replace").split("\x1b[2J") if "quit" in screen]
        return without_escapes(whole[-1]) if whole else ""


class Walking(Sandbox):
    def setUp(self):
        super().setUp()
        self.template(
            shell("größe", "exit 1", retry={"max_attempts": 2, "initial_delay": 0.05}), command("b", "true"),
            *[command(f"s{n}", "true", after=["b"]) for n in range(40)])
        self.run_task(code=1)
        self.count_of_events = len(self.events("last"))

    def given_back(self, screen):
        self.assertIn(b"\x1b[?1049l", screen.drawn)
        self.assertIn(b"\x1b[?25h", screen.drawn)
        # Python's list holds the flags, the speeds and the special characters.
        self.assertEqual(termios.tcgetattr(screen.slave), screen.settings)

    def test_the_keys_walk(self):
        screen = Screen(self, "replay", "last", "--step-by-step")
        total = self.count_of_events
        first = screen.shows(f"event 1 of {total}")
        self.assertIn("task.submitted", first)
        self.assertIn("the task is pending", first)
        for keys, place in ((RIGHT, 2), (b"j", 3), (LEFT, 2), (b"k", 1), (LEFT, 1), (END, total), (RIGHT, total),
                            (HOME, 1), (b"jjj", 4), (b"\x1b[6~", 14), (b"\x1b[5~", 4), (b"G", total), (b"g", 1)):
            screen.press(keys)
            screen.shows(f"event {place} of {total}")
        screen.press(b"f")
        failed = screen.shows("attempt.failed")
        self.assertIn("größe", failed)
        screen.press(b"f")
        screen.shows("attempt.failed")
        screen.press(b"f")
        screen.shows("step.failed")
        screen.press(b"F")
        screen.shows("attempt.failed")
        screen.press(RIGHT)
        decision = screen.shows("step.failed")
        self.assertIn("because of #", decision)
        self.assertIn("größe: in_progress → error", decision)
        self.assertIn("▸ ✗ größe", decision)
        screen.press(b"q")
        self.assertEqual(screen.end(), 0)
        self.given_back(screen)

    def test_it_begins_at_a_moment_and_fits_a_small_terminal(self):
        last = self.events("last")[-1]["seq"]
        screen = Screen(self, "replay", "last", "--step-by-step", "--at", str(last), rows=8, columns=40)
        drawn = screen.shows(f"event {self.count_of_events} of")
        lines = drawn.replace("\r", "").split("\n")
        self.assertLessEqual(len(lines), 8)
        self.assertLessEqual(max(map(len, lines)), 80, "the help follows without a line's end")
        screen.press(b"q")
        self.assertEqual(screen.end(), 0)

    def test_it_is_drawn_again_when_the_terminal_has_another_size(self):
        screen = Screen(self, "replay", "last", "--step-by-step", "--at", "20")
        wide = screen.shows("event 18 of")
        self.assertIn("s9", wide)
        fcntl.ioctl(screen.slave, termios.TIOCSWINSZ, struct.pack("HHHH", 12, 50, 0, 0))
        lines = screen.shows("event 18 of").replace("\r", "").split("\n")
        self.assertLessEqual(len(lines), 12)
        screen.press(b"q")
        self.assertEqual(screen.end(), 0)

    def test_ctrl_c_and_signals_give_the_terminal_back(self):
        for end in (lambda s: s.press(b"\x03"), lambda s: s.process.send_signal(signal.SIGTERM),
                    lambda s: s.process.send_signal(signal.SIGINT)):
            screen = Screen(self, "replay", "last", "--step-by-step")
            screen.shows("event 1 of")
            end(screen)
            self.assertEqual(screen.end(), 130)
            self.given_back(screen)

    def test_without_a_terminal_all_is_printed(self):
        code, drawn = self.terminal("replay", "last", "--step-by-step", "-o", "jsonl")
        self.assertEqual((code, len(drawn.splitlines())), (0, self.count_of_events))
        code, drawn = self.terminal("replay", "last", "--step-by-step", env={"TERM": "dumb"})
        self.assertEqual(code, 0)
        self.assertNotIn("\x1b", drawn)


if __name__ == "__main__":
    unittest.main()
