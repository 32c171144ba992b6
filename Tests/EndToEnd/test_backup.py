"""Stores as things that one keeps: copies beside an engine, restoring, what a store holds."""

from __future__ import annotations

import json
import signal
from pathlib import Path

from sandbox import Sandbox, shell
from support import wait_until


class Backup(Sandbox):
    def backup(self, *words, code=0):
        return self.stepwell("backup", *words, code=code)

    def files(self, name):
        return sorted(path.name for path in (self.folder / name).iterdir())

    def test_a_copy_is_whole_and_says_where_it_ends(self):
        self.template(shell("a", "echo 1"))
        self.run_task("--key", "ключ")
        done = json.loads(self.backup("copy", "-o", "json").stdout)
        last = self.events()[-1]
        self.assertEqual((done["head"], done["head_time"]), (last["seq"], last["time"]))
        self.assertEqual(len(done["head_hash"]), 64)
        self.assertEqual(done["bytes"], (self.folder / "copy" / "data.mdb").stat().st_size)
        self.assertEqual(self.files("copy"), ["data.mdb", "engine.lock"])
        self.assertEqual(self.json("list", "--store", "copy"), self.json("list"))
        text = self.backup("other").stdout
        self.assertIn(done["head_hash"], text)
        self.assertIn(f"#{done['head']}", text)

    def test_a_copy_can_be_taken_while_an_engine_writes(self):
        self.template(shell("a", "echo begun >&2; until test -e gate; do sleep 0.02; done; echo 1"), shell("b", "echo 2", ["a"]))
        engine = self.start("run", "t.yaml")
        self.wait_for("attempt.started", engine, "a")
        self.backup("copy")
        self.put("gate", "")
        self.assertEqual(engine.wait(), 0)
        [task] = self.json("list", "--store", "copy")
        self.assertEqual(task["state"], "in_progress")
        # The copy goes on by itself: the attempt that ran is lost, and runs again.
        [report] = [self.json("resume", "--store", "copy")]
        self.assertEqual(report["state"], "complete")
        self.assertEqual(report["steps"]["a"]["lost"], 1)

    def test_nothing_is_overwritten(self):
        self.template(shell("a", "echo 1"))
        self.run_task()
        self.put("mine/notes", "text")
        for directory in ["mine", ".stepwell"]:
            refused = self.backup(directory, code=4)
            self.assertIn("[not_empty]", refused.stderr)
        self.assertEqual(self.files("mine"), ["notes"])
        self.assertIn("[store_not_found]", self.backup("copy", "--store", "missing", code=3).stderr)
        self.assertFalse((self.folder / "copy").exists())
        self.assertIn("[not_a_store]", self.backup("mine/notes", code=9).stderr)

    def test_a_copy_that_is_killed_is_no_store_and_the_next_one_is_whole(self):
        self.large_store()
        killed = self.start("backup", "copy")
        unfinished = self.folder / "copy" / ".unfinished" / "data.mdb"
        wait_until(lambda: unfinished.exists() or killed.code is not None, "the copy has begun")
        killed.kill()
        if not (self.folder / "copy" / "data.mdb").exists():
            self.assertIn("[store_not_found]", self.stepwell("list", "--store", "copy", code=3).stderr)
            self.backup("copy")
        self.assertEqual(self.files("copy"), ["data.mdb", "engine.lock"])
        self.assertEqual(self.json("list", "--store", "copy"), self.json("list"))

    def test_an_interrupted_copy_leaves_nothing(self):
        self.large_store()
        copying = self.start("backup", "copy")
        wait_until(lambda: (self.folder / "copy").exists() or copying.code is not None, "the copy has begun")
        copying.signal(signal.SIGINT)
        code = copying.wait()
        self.assertIn(code, (0, 130))
        if code == 130:
            self.assertFalse((self.folder / "copy").exists())
        else:
            self.assertEqual(self.files("copy"), ["data.mdb", "engine.lock"])

    def large_store(self) -> None:
        """One with a payload of 30 MB, so that a copy takes a while."""
        self.template(shell("a", "printf '\"%015000000d\"' 0"), shell("b", "printf '\"%015000000d\"' 0"))
        self.run_task()

    def test_on_a_full_disk_nothing_is_left(self):
        self.large_store()
        disk = self.small_disk("1m")
        for target in [disk / "copy", disk]:
            refused = self.backup(target, code=1)
            self.assertIn("[disk_full]", refused.stderr)
            self.assertEqual(list(disk.iterdir()), [])
        self.assertIn("[disk_full]", self.stepwell("restore", ".stepwell", "--store", disk / "new", code=1).stderr)
        self.assertEqual(list(disk.iterdir()), [])


class Restore(Sandbox):
    def setUp(self):
        super().setUp()
        self.template(shell("a", "echo 1"), shell("b", "test -e ready && echo 2", ["a"]))
        self.run_task("--key", "night", code=1)
        self.stepwell("backup", "copy")

    def test_a_lost_store_comes_back_and_goes_on(self):
        before = self.json("list")
        for file in (self.folder / ".stepwell").iterdir():
            file.unlink()
        dry = self.json("restore", "copy", "--dry-run")
        self.assertEqual((dry["dry_run"], dry["replaces"], dry["aside"], dry["tasks_open"]), (True, False, None, 1))
        self.assertEqual(self.stepwell("list", code=3).stdout, "")
        done = self.json("restore", "copy")
        self.assertEqual((done["head"], done["head_hash"]), (dry["head"], dry["head_hash"]))
        self.assertEqual(self.json("list"), before)
        self.put("ready", "")
        self.assertEqual(self.json("retry", before[0]["task_id"])["state"], "complete")

    def test_a_store_is_kept_unless_it_may_be_put_aside(self):
        self.put("ready", "")
        self.run_task("--key", "another")
        tasks = self.json("list")
        refused = self.stepwell("restore", "copy", code=4)
        self.assertIn("[not_empty]", refused.stderr)
        self.assertEqual(self.json("list"), tasks)
        self.assertTrue(self.json("restore", "copy", "--replace", "--dry-run")["replaces"])
        self.assertEqual(self.json("list"), tasks)
        done = self.json("restore", "copy", "--replace")
        self.assertEqual(Path(done["aside"]).name, ".stepwell.replaced-1")
        self.assertEqual(len(self.json("list")), 1)
        self.assertEqual(self.json("list", "--store", done["aside"]), tasks)

    def test_what_no_backup_holds_is_told(self):
        self.assertEqual(self.stepwell("restore", "copy", "--replace").stderr, "")
        self.stepwell("token", "create", "ann", "--role", "admin")
        self.assertIn("tokens.json stayed there", self.stepwell("restore", "copy", "--replace").stderr)

    def test_a_store_in_use_is_not_replaced(self):
        self.template(shell("wait", "until test -e gate; do sleep 0.02; done; echo 1"), file="w.yaml")
        engine = self.start("run", "w.yaml")
        self.wait_for("attempt.started", engine, "wait")
        refused = self.stepwell("restore", "copy", "--replace", code=4)
        self.assertIn(f"process {engine.pid}", refused.stderr)
        self.put("gate", "")
        self.assertEqual(engine.wait(), 0)
        self.assertEqual(sorted(path.name for path in self.folder.glob("*.r*") if path.is_dir()), [])

    def test_what_is_no_sound_backup_is_refused(self):
        self.assertIn("[store_not_found]", self.stepwell("restore", "missing", "--store", "new", code=3).stderr)
        data = self.folder / "copy" / "data.mdb"
        whole = data.read_bytes()
        damaged = whole.replace(b"exit_status", b"\xff" * 11)
        self.assertNotEqual(damaged, whole)
        data.write_bytes(damaged)
        self.assertIn("[store_corrupt]", self.stepwell("restore", "copy", "--store", "new", code=9).stderr)
        data.write_bytes(whole[: len(whole) // 2])
        self.stepwell("restore", "copy", "--store", "new", code=9)
        self.assertFalse((self.folder / "new").exists())


class Stats(Sandbox):
    def test_everything_is_counted(self):
        self.template(shell("a", "echo 1"), name="ночь")
        self.run_task()
        self.template(shell("a", "exit 1"), file="bad.yaml", name="bad")
        self.run_task(file="bad.yaml", code=1)
        stats = self.json("stats")
        events = self.events()
        self.assertEqual((stats["events"], stats["head"]), (len(events), events[-1]["seq"]))
        self.assertEqual(
            {(group["state"], group["name"]): group["count"] for group in stats["tasks"]},
            {("blocked_by_failures", "bad"): 1, ("complete", "ночь"): 1})
        [blocked] = self.json("list", "--state", "blocked_by_failures")
        self.assertEqual(stats["oldest_open"]["task_id"], blocked["task_id"])
        self.assertEqual(sum(day["events"] for day in stats["days"]), len(events))
        self.assertEqual(stats["tables"]["tasks"]["rows"], 2)
        self.assertEqual(stats["file"]["bytes"], (self.folder / ".stepwell" / "data.mdb").stat().st_size)
        self.assertGreaterEqual(stats["largest"][0]["bytes"], stats["largest"][1]["bytes"])
        self.assertEqual(stats["readers"], [])
        text = self.stepwell("stats").stdout
        for part in [stats["head_hash"], stats["store_id"], "tests/ночь", "by_state"]:
            self.assertIn(part, text)

    def test_it_works_beside_an_engine(self):
        self.template(shell("wait", "until test -e gate; do sleep 0.02; done; echo 1"))
        engine = self.start("run", "t.yaml")
        self.wait_for("attempt.started", engine, "wait")
        self.assertEqual(self.json("stats")["oldest_open"]["state"], "in_progress")
        self.put("gate", "")
        self.assertEqual(engine.wait(), 0)

    def test_a_store_without_events(self):
        self.assertIn("[store_not_found]", self.stepwell("stats", code=3).stderr)
