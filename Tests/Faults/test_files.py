"""What people and machines do to the files of a store: old copies, rights, names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import unittest
from typing import List

import scene
from support import Running, wait_until
from workload import step

GATE = "until test -e go; do sleep 0.01; done; echo 1"
# Somebody who is not root, and owns nothing.
NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


class Files(scene.Scene):
    def setUp(self) -> None:
        super().setUp()
        self.open_scene()

    def gated(self) -> Running:
        """A run whose first step waits for the file `go`."""
        self.words = ["run", self.write_template(step("first", GATE), step("after", "echo 2", "first")), "--key", "k"]
        run = self.stepwell.start(*self.words)
        wait_until(lambda: self.effects.exists() or run.code is not None, "the step begins")
        return run

    def let_go(self) -> None:
        (self.stepwell.folder / "go").touch()

    def check_complete(self) -> None:
        events = self.stepwell.events()
        self.assertEqual(self.broken(events) + self.incomplete(events), [])

    def complete(self) -> List[str]:
        """A store with a complete task; what ran it."""
        run = self.gated()
        self.let_go()
        self.assertEqual(run.wait(), 0, str(run))
        return self.words

    def test_an_old_copy_is_sound_and_only_a_noted_head_tells(self) -> None:
        words = self.complete()
        data, old = self.stepwell.store / "data.mdb", self.stepwell.folder / "old"
        shutil.copy(data, old)
        self.stepwell.run(*words[:2], "--key", "another")
        noted = self.stepwell.json("audit", "head")["hash"]
        self.stepwell.run("verify", "--against", noted)
        shutil.copy(old, data)
        self.stepwell.run("verify")
        refused = self.stepwell.run("verify", "--against", noted, code=9)
        self.assertIn("[unknown_hash]", refused.stderr)

    def test_a_store_that_is_moved_while_it_is_written_goes_on_at_its_new_place(self) -> None:
        run = self.gated()
        place = self.stepwell.folder / "elsewhere"
        self.stepwell.store.rename(place)
        self.let_go()
        self.assertEqual(run.wait(), 0, str(run))
        self.stepwell.store = place
        self.check_complete()

    def test_a_lock_file_that_is_deleted_keeps_nothing_from_being_recorded(self) -> None:
        run = self.gated()
        (self.stepwell.store / "lock.mdb").unlink()
        self.assertGreater(len(self.stepwell.events()), 3)
        self.let_go()
        self.assertEqual(run.wait(), 0, str(run))
        self.check_complete()

    def test_a_deleted_lock_of_the_engine_is_made_again(self) -> None:
        words = self.complete()
        (self.stepwell.store / "engine.lock").unlink()
        self.stepwell.run(*words[:2], "--key", "another")
        self.check_complete()

    def test_who_may_not_write_is_told_and_changes_nothing(self) -> None:
        if os.getuid() != 0 or shutil.which("setpriv") is None:
            print(f"\nNOT TESTED: {self.id()}: another user asks for root and setpriv", file=sys.stderr)
            self.skipTest("another user asks for root and setpriv")
        words = self.complete()
        os.chmod(self.stepwell.folder, 0o755)
        program = self.stepwell.folder / "stepwell"
        shutil.copy(self.binary, program)
        template = self.stepwell.folder / "t.yaml"
        shutil.copy(words[1], template)
        before = (self.stepwell.store / "data.mdb").read_bytes()
        for command in (["run", str(template), "--key", "another"], ["events"], ["verify"], ["list"]):
            done = subprocess.run(
                [*NOBODY, str(program), *command, "--store", str(self.stepwell.store)],
                env=self.environment, cwd="/", capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 1, f"{command}: {done}")
            self.assertIn("[store_not_writable]", done.stderr)
        self.assertEqual((self.stepwell.store / "data.mdb").read_bytes(), before)
        self.check_complete()

    def test_a_file_system_that_is_mounted_read_only_is_told(self) -> None:
        self.complete()
        mount = "mount --bind {0} {0} && mount -o remount,bind,ro {0} && exec {1} run {2} --key another --store {0}".format(
            self.stepwell.store, self.binary, self.words[1])
        done = subprocess.run(
            ["unshare", "--mount", "sh", "-c", mount], env=self.environment, capture_output=True, text=True, check=False)
        if "unshare" in done.stderr or "mount:" in done.stderr:
            print(f"\nNOT TESTED: {self.id()}: {done.stderr.strip()}", file=sys.stderr)
            self.skipTest(done.stderr.strip())
        self.assertEqual(done.returncode, 1, str(done))
        self.assertIn("[store_not_writable]", done.stderr)
        self.check_complete()


if __name__ == "__main__":
    unittest.main()
