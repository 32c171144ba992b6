"""The file of tokens, changed by several commands at once."""

from __future__ import annotations

import json
import os
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

    def test_the_first_token_makes_the_store(self) -> None:
        stepwell = Stepwell(self)
        stepwell.run("token", "create", "first", "--role", "admin")
        self.serve(stepwell).ready()
        self.assertTrue((stepwell.store / "data.mdb").exists())

    @unittest.skipUnless(os.geteuid() == 0, "needs root")
    def test_what_root_writes_the_owner_of_the_store_can_read(self) -> None:
        stepwell = Stepwell(self)
        stepwell.run("token", "create", "one", "--role", "viewer")
        os.chown(stepwell.store, 65534, 65534)
        stepwell.run("token", "create", "two", "--role", "viewer")
        found = (stepwell.store / "tokens.json").stat()
        self.assertEqual((found.st_uid, found.st_gid, found.st_mode & 0o777), (65534, 65534, 0o600))


if __name__ == "__main__":
    unittest.main()
