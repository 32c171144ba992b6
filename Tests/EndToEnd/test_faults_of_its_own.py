"""A fault that ends a command: the pages of the store are looked at, and it says whether they explain it."""

from __future__ import annotations

import os
import socket
from signal import SIGABRT, SIGBUS, SIGFPE, SIGILL, SIGSEGV, SIGTRAP

from support import SAFETY_NET, EndToEndTest, Running, Stepwell, shell_step, wait_until

PAGE = 4096


class FaultsOfItsOwn(EndToEndTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.stepwell.run("run", self.write_template(shell_step("one", "echo 1")))

    def follow(self) -> Running:
        follower = self.stepwell.start("events", "--follow")
        wait_until(lambda: "task.completed" in follower.stdout + follower.stderr, "all events have been read")
        return follower

    def test_a_fault_that_no_page_explains_is_told_and_ends_the_command_by_its_signal(self) -> None:
        for number in (SIGILL, SIGTRAP, SIGFPE, SIGSEGV, SIGBUS, SIGABRT):
            with self.subTest(number.name):
                follower = self.follow()
                follower.signal(number)
                self.assertEqual(follower.wait(), -number, str(follower))
                self.assertIn(f"a fault of stepwell's own has ended it ({number.name})", follower.stderr)
                self.assertIn("[internal_fault]", follower.stderr)

    def test_a_trap_over_a_damaged_page_tells_of_the_page(self) -> None:
        follower = self.follow()
        data = self.stepwell.store / "data.mdb"
        # The last page of the newest commit's main table: its number is in both of the first two pages.
        with open(data, "r+b") as file:
            metas = [os.pread(file.fileno(), PAGE, number * PAGE) for number in (0, 1)]
            newest = max(metas, key=lambda meta: int.from_bytes(meta[144:152], "little"))
            root = int.from_bytes(newest[128:136], "little")
            os.pwrite(file.fileno(), (root + 1).to_bytes(8, "little"), root * PAGE)
        follower.signal(SIGILL)
        self.assertEqual(follower.wait(), 9, str(follower))
        self.assertIn(f"page {root} of data.mdb: another page is in its place", follower.stderr)
        self.assertIn("[store_corrupt]", follower.stderr)

    def test_a_reader_whose_pages_an_engine_has_used_again_says_so_also_when_the_engine_has_ended(self) -> None:
        follower = self.follow()
        self.stepwell.run("run", self.write_template(shell_step("two", "echo 2")))
        follower.signal(SIGABRT)
        self.assertEqual(follower.wait(), 4, str(follower))
        self.assertIn("[pages_changed]", follower.stderr)

    def test_an_engines_own_fault_is_its_own(self) -> None:
        begun = self.new_folder() / "begun"
        engine = self.stepwell.start("run", self.write_template(shell_step("wait", f"touch {begun}; exec sleep 600")))
        wait_until(begun.exists, "the step runs")
        engine.signal(SIGILL)
        self.assertEqual(engine.wait(), -SIGILL, str(engine))
        self.assertIn("[internal_fault]", engine.stderr)

    def test_without_a_store_nothing_is_said_of_one(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listener:
            listener.settimeout(SAFETY_NET)
            waiting = Running(
                self, [str(self.binary), "list", "--server", f"http://127.0.0.1:{listener.getsockname()[1]}"],
                self.environment, self.new_folder())
            with listener.accept()[0]:
                waiting.signal(SIGILL)
                self.assertEqual(waiting.wait(), -SIGILL, str(waiting))
        self.assertIn("[internal_fault]", waiting.stderr)
        self.assertNotIn("[store_not_found]", waiting.stderr)
