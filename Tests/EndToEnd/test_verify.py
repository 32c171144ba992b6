"""`stepwell verify` and `stepwell audit`, from outside."""

from __future__ import annotations

import json
import unittest

from support import EndToEndTest, Stepwell, shell_step

RESULT = '{"total": 3849}'


class Verify(EndToEndTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.template = self.write_template(
            shell_step("extract", "printf '{\"total\": %d}' 3849"), shell_step("load", "echo {}", dependencies=["extract"]))
        self.stepwell.run("run", self.template)

    def test_a_sound_store_is_told_with_its_head(self) -> None:
        head = self.stepwell.json("audit", "head")
        report = self.stepwell.json("verify")
        self.assertTrue(report["ok"])
        self.assertEqual((report["head_seq"], report["head_hash"]), (head["seq"], head["hash"]))
        self.assertEqual((report["tasks"], report["tasks_open"]), (1, 0))
        self.assertEqual(report["events"], head["seq"])
        self.assertIn(head["hash"], self.stepwell.run("verify").stdout)

    def test_a_noted_hash_is_found_after_another_night(self) -> None:
        noted = self.stepwell.run("audit", "head").stdout.split()[-1]
        self.stepwell.run("run", self.template)
        self.assertIn("the noted hash", self.stepwell.run("verify", "--against", noted).stdout)
        self.assertIn("[unknown_hash]", self.stepwell.run("verify", "--against", "0" * 64, code=9).stderr)
        self.assertIn("64 hexadecimal digits", self.stepwell.run("verify", "--against", "7", code=2).stderr)

    def test_a_flipped_bit_is_named_and_not_run_past(self) -> None:
        bad = self.stepwell.events("attempt.succeeded", "extract")[0]["seq"]
        data = self.stepwell.store / "data.mdb"
        whole = data.read_bytes()
        # Pages that are not used any more may hold the bytes too.
        data.write_bytes(whole.replace(RESULT.encode(), RESULT.replace("3849", "3848").encode()))
        found = self.stepwell.run("verify", "-o", "json", code=9)
        self.assertEqual(json.loads(found.stdout)["first_bad_seq"], bad)
        self.assertIn(f"event #{bad}", found.stderr)
        for command in ["events"], ["show", self.stepwell.only_task()]:
            self.assertIn(f"event #{bad}", self.stepwell.run(*command, code=9).stderr)


if __name__ == "__main__":
    unittest.main()
