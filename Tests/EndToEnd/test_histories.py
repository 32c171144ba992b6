"""The stores that earlier formats have written (Tests/Histories), as the present binary sees them."""

from __future__ import annotations

import json
import shutil
import unittest

from support import REPOSITORY, EndToEndTest, Stepwell


class Histories(EndToEndTest):
    def test_every_task_is_where_it_was_and_waits_for_what_it_waited_for(self) -> None:
        folders = sorted((REPOSITORY / "Tests" / "Histories").glob("format-*"))
        self.assertTrue(folders)
        for folder in folders:
            with self.subTest(folder.name):
                store = self.new_folder() / "store"
                store.mkdir()
                shutil.copy(folder / "data.mdb", store)
                stepwell = Stepwell(self, store)
                expected = json.loads((folder / "expected.json").read_text(encoding="utf-8"))
                self.assertEqual(stepwell.json("audit", "head")["hash"], expected["head_hash"])
                waits = 0
                for task in expected["tasks"]:
                    moment = stepwell.json("replay", task["task_id"])
                    self.assertEqual(moment["waits"], task["waits"])
                    waits += len(task["waits"])
                    states = {name: step["state"] for name, step in moment["task"]["steps"].items()}
                    self.assertEqual(states, task["steps"])
                self.assertGreater(waits, 5)


if __name__ == "__main__":
    unittest.main()
