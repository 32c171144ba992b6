"""What the steps of nightly.yaml do, as the task's input says."""

import os
import threading
from pathlib import Path

from stepwell import StepHandler


def first_time(name):
    """Whether nobody has asked for this name before."""
    try:
        os.close(os.open(name, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


class Fetch(StepHandler):
    handler_name = "histories.fetch"

    def call(self, context):
        print("attempt", context.attempt, "von", context.get_config("url"))
        fate = context.get_input("fetch")
        if fate == "flaky" and context.attempt == 1:
            return self.failure("answered 503 💥", "unavailable", retryable=True, error_code="E503", metadata={"n": 1})
        if fate == "waits":
            return self.failure("come back later", "unavailable", retryable=True, retry_after=600)
        if fate == "dies" and first_time("died"):
            os._exit(3)
        return self.success({"größe": [1, 2.50, None], "text": "✓"}, metadata={"source": "cache"})


class Long(StepHandler):
    handler_name = "histories.long"

    def call(self, context):
        if context.has_checkpoint():
            return self.success({"from": context.checkpoint})
        if context.get_input("long") == "hangs":
            context.save_checkpoint({"at": 7})
            threading.Event().wait()
        return self.success(None)


class Check(StepHandler):
    handler_name = "histories.check"

    def call(self, context):
        if context.get_input("check") == "broken" and not Path("mended").exists():
            return self.failure("Tabelle fehlt", "validation_error", retryable=False)
        return self.success({"ok": True})
