"""The file of tokens, changed by several commands at once."""

from __future__ import annotations

import json
import unittest

from serving import ServingTest
from support import Stepwell


class Tokens(ServingTest):
    def test_commands_at_the_same_time_lose_nothing(self) -> None:
        stepwell = Stepwell(self)
        self.serve(stepwell).ready()
        stepwell.run("token", "create", "gone", "--role", "viewer")
        names = [f"t{number}" for number in range(24)]
        running = [stepwell.start("token", "create", name, "--role", "viewer") for name in names]
        running.append(stepwell.start("token", "revoke", "gone"))
        for command in running:
            self.assertEqual(command.wait(), 0, str(command))
        kept = [token["name"] for token in json.loads((stepwell.store / "tokens.json").read_text())]
        self.assertEqual(sorted(kept), sorted(names))


if __name__ == "__main__":
    unittest.main()
