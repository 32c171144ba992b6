"""`stepwell serve --templates`: files that change while it runs, as editors, deployments and careless people change them."""

from __future__ import annotations

import os
import shutil
import signal
import unittest
from pathlib import Path
from typing import List

from serving import CHAIN, RawWorker, ServingTest
from support import Stepwell, wait_until


def chain(version: str, name: str = "chain") -> str:
    return CHAIN.replace("1.0.0", version).replace("name: chain", f"name: {name}")


class Watch(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.folder = Path(self.templates(CHAIN))
        self.file = self.folder / "0.yaml"
        self.server = self.serve(self.stepwell, "--templates", str(self.folder)).ready()

    # What is known, and what was said

    def versions(self, name: str = "chain") -> List[str]:
        return [each["version"] for each in self.server.get("/templates")["templates"] if each["name"] == name]

    def wait_for(self, version: str, name: str = "chain") -> None:
        wait_until(lambda: version in self.versions(name), f"{name} {version} is known\n{self.server.process}")

    def wait_for_line(self, *parts: str) -> str:
        def find() -> str:
            lines = self.server.process.stderr.splitlines()
            return next((line for line in lines if all(part in line for part in parts)), "")

        return wait_until(find, f"it says {parts}: {self.server.process}")

    # Ways to save

    def test_every_way_to_save_is_noticed(self) -> None:
        def in_place() -> None:
            self.file.write_text(chain("2.0.0"))

        def beside_and_rename() -> None:
            (self.folder / ".0.yaml.new").write_text(chain("3.0.0"))
            os.rename(self.folder / ".0.yaml.new", self.file)

        def old_one_renamed_first() -> None:
            os.rename(self.file, self.folder / "0.yaml~")
            self.file.write_text(chain("4.0.0"))
            os.unlink(self.folder / "0.yaml~")

        def unlinked_first() -> None:
            self.file.unlink()
            self.file.write_text(chain("5.0.0"))

        def linked() -> None:
            (self.folder / "note.txt").write_text(chain("6.0.0"))
            os.link(self.folder / "note.txt", self.folder / "6.yml")

        def linked_by_name() -> None:
            (self.folder / "other.txt").write_text(chain("7.0.0"))
            os.symlink("other.txt", self.folder / "7.yaml")

        def appended_in_parts() -> None:
            half = len(chain("8.0.0")) // 2
            with open(self.file, "w") as file:
                for part in (chain("8.0.0")[:half], chain("8.0.0")[half:]):
                    file.write(part)
                    file.flush()

        ways = [
            in_place, beside_and_rename, old_one_renamed_first, unlinked_first, linked, linked_by_name, appended_in_parts]
        for number, way in enumerate(ways, 2):
            with self.subTest(way.__name__):
                way()
                self.wait_for(f"{number}.0.0")
        self.assertNotIn(" error ", self.server.process.stderr)

    def test_a_file_that_is_still_written_is_left_alone(self) -> None:
        # What is there so far would be a whole template, of one step.
        whole = chain("2.0.0")
        begun = whole[:whole.index("  - { name: second")]
        with open(self.folder / "slow.yaml", "w") as file:
            file.write(begun)
            file.flush()
            (self.folder / "1.yaml").write_text(chain("1.0.0", "other"))
            self.wait_for("1.0.0", "other")
            self.assertEqual(self.versions(), ["1.0.0"])
            file.write(whole[len(begun):])
        self.wait_for("2.0.0")
        [found] = [each for each in self.server.get("/templates")["templates"] if each["version"] == "2.0.0"]
        self.assertEqual(found["steps"], 2)

    def test_folders_come_and_go(self) -> None:
        (self.folder / "team").mkdir()
        (self.folder / "team" / "a.yaml").write_text(chain("1.0.0", "a"))
        self.wait_for("1.0.0", "a")
        (self.folder / "team" / "a.yaml").write_text(chain("1.1.0", "a"))
        self.wait_for("1.1.0", "a")
        outside = self.new_folder() / "ready"
        (outside / "deep").mkdir(parents=True)
        (outside / "deep" / "b.yaml").write_text(chain("1.0.0", "b"))
        os.rename(outside, self.folder / "moved")
        self.wait_for("1.0.0", "b")
        os.rename(self.folder / "moved", self.folder / "again")
        self.wait_for_line("moved/deep/b.yaml is gone", "'default/b' 1.0.0 stays known")
        (self.folder / "again" / "deep" / "b.yaml").write_text(chain("1.1.0", "b"))
        self.wait_for("1.1.0", "b")
        shutil.rmtree(self.folder / "team")
        self.wait_for_line("team/a.yaml is gone")
        # A folder of that name again.
        (self.folder / "team").mkdir()
        (self.folder / "team" / "a.yaml").write_text(chain("1.2.0", "a"))
        self.wait_for("1.2.0", "a")

    def test_the_whole_folder_is_put_in_place_of_another(self) -> None:
        base = self.new_folder()
        for number in (1, 2, 3):
            (base / f"release-{number}").mkdir()
            (base / f"release-{number}" / "0.yaml").write_text(chain(f"{number}.0.0"))
        os.symlink("release-1", base / "current")
        self.server.process.signal(signal.SIGTERM)
        self.server.process.wait()
        self.server = self.serve(self.stepwell, "--templates", str(base / "current")).ready()
        os.symlink("release-2", base / "next")
        os.rename(base / "next", base / "current")
        self.wait_for("2.0.0")
        # Away altogether for a while.
        os.unlink(base / "current")
        self.wait_for_line("the templates cannot be read", "current")
        os.rename(base / "release-3", base / "current")
        self.wait_for("3.0.0")
        (base / "current" / "0.yaml").write_text(chain("4.0.0"))
        self.wait_for("4.0.0")

    def test_a_folder_whose_files_all_lead_through_one_link(self) -> None:
        """As Kubernetes mounts a ConfigMap."""
        for number in (1, 2):
            (self.folder / f"..{number}").mkdir()
            (self.folder / f"..{number}" / "map.yaml").write_text(chain(f"{number}.0.0", "map"))
        os.symlink("..1", self.folder / "..data")
        os.symlink("..data/map.yaml", self.folder / "map.yaml")
        self.wait_for("1.0.0", "map")
        os.symlink("..2", self.folder / "..next")
        os.rename(self.folder / "..next", self.folder / "..data")
        self.wait_for("2.0.0", "map")

    # What is wrong

    def test_what_cannot_be_read_is_told_with_its_place_and_leaves_the_old_version(self) -> None:
        bad = chain("2.0.0").replace("callable: second", "calable: second")
        self.file.write_text(bad)
        line = self.wait_for_line("0.yaml:", "calable")
        self.assertRegex(line, r"error \[template_refused\] .*0\.yaml:\d+:\d+: .* error=unknown_key")
        self.assertEqual(self.versions(), ["1.0.0"])
        self.server.post("/tasks", {"name": "chain"}, status=201)
        # The same again is no news; whoever asks is told again.
        self.file.write_text(bad)
        self.file.write_text(": {")
        self.wait_for_line("0.yaml:", "error=yaml_syntax")
        self.assertEqual(self.server.process.stderr.count("calable"), line.count("calable"))
        self.server.process.signal(signal.SIGHUP)
        wait_until(lambda: "templates read again: 0 new, 1 in all" in self.server.process.stderr, "it has read again")
        self.assertGreater(self.server.process.stderr.count("error=yaml_syntax"), 1)
        self.file.write_text(chain("2.0.0"))
        self.wait_for("2.0.0")

    def test_another_text_needs_another_version(self) -> None:
        self.file.write_text(chain("1.0.0").replace("callable: second", "callable: third"))
        self.wait_for_line("0.yaml:", "version 1.0.0", "error=template_changed")
        self.server.post("/tasks", {"name": "chain"})
        self.assertIn("second", str(self.server.get("/templates/default/chain")))
        self.assertNotIn("third", str(self.server.get("/templates/default/chain")))
        # Another comment is no other text.
        self.file.write_text("# The same\n" + chain("1.0.0"))
        (self.folder / "1.yaml").write_text(chain("1.0.0", "last"))
        self.wait_for("1.0.0", "last")
        self.assertEqual(self.server.process.stderr.count("error=template_changed"), 1)

    def test_a_file_at_fault_does_not_keep_the_next_start_from_its_work(self) -> None:
        self.server.post("/tasks", {"name": "chain"}, status=201)
        self.assertIn("stepwell_template_faults 0\n", self.server.get("/metrics"))
        self.file.write_text(": {")
        (self.folder / "1.yaml").write_text(chain("1.0.0", "fresh"))
        self.wait_for_line("0.yaml:", "error=yaml_syntax")
        self.server.process.kill()
        self.server = self.serve(self.stepwell, "--templates", str(self.folder)).ready()
        self.wait_for_line("[template_refused]", "0.yaml:", "error=yaml_syntax")
        self.assertIn("stepwell_template_faults 1\n", self.server.get("/metrics"))
        worker = RawWorker(self.server, ["first", "second"])
        worker.succeed(worker.attempts()[0])
        # What was known before is, and so is what is sound beside it.
        for name in ("chain", "fresh"):
            self.server.post("/tasks", {"name": name}, status=201)
        self.file.write_text(chain("2.0.0"))
        self.wait_for("2.0.0")
        self.assertIn("stepwell_template_faults 0\n", self.server.get("/metrics"))

    def test_another_text_does_not_keep_the_next_start_from_its_work(self) -> None:
        self.file.write_text(CHAIN.replace("callable: second", "callable: third"))
        self.wait_for_line("error=template_changed")
        self.server.process.kill()
        self.server = self.serve(self.stepwell, "--templates", str(self.folder)).ready()
        self.wait_for_line("[template_refused]", "0.yaml:", "error=template_changed")
        worker = RawWorker(self.server, ["first", "second"])
        self.server.post("/tasks", {"name": "chain"}, status=201)
        worker.succeed(worker.attempts()[0])
        self.assertEqual(worker.attempts()[0]["handler"], "second")

    def test_tasks_of_a_file_that_is_deleted_go_on(self) -> None:
        worker = RawWorker(self.server, ["first", "second"])
        self.server.post("/tasks", {"name": "chain"})
        [first] = worker.attempts()
        self.file.unlink()
        self.wait_for_line("0.yaml is gone", "'default/chain' 1.0.0 stays known")
        worker.succeed(first, 1)
        [second] = worker.attempts()
        worker.succeed(second, 2)
        self.assertEqual(self.server.get("/tasks/last?wait=30s")["state"], "complete")
        self.server.post("/tasks", {"name": "chain"}, status=201)
        self.stepwell.run("verify")

    def test_a_running_task_keeps_its_version(self) -> None:
        worker = RawWorker(self.server, ["first", "second", "third"])
        self.server.post("/tasks", {"name": "chain"})
        [first] = worker.attempts()
        self.file.write_text(chain("2.0.0").replace("callable: second", "callable: third"))
        self.wait_for("2.0.0")
        worker.succeed(first, 1)
        [second] = worker.attempts()
        self.assertEqual(second["handler"], "second")
        self.assertEqual(self.server.get("/tasks/last")["version"], "1.0.0")
        self.assertEqual(self.server.post("/tasks", {"name": "chain"})["version"], "2.0.0")


if __name__ == "__main__":
    unittest.main()
