"""A worker that needs 15 ms to start: it speaks the protocol without the SDK.

faults.checkpointed fails twice, each time after it has saved a checkpoint, and ends when it is given the second one.
faults.held waits for a file. Both leave in the file of effects when they began, what they were given, and what is saved.
"""

import json
import os
import sys
import time


def say(**message):
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def hear():
    line = sys.stdin.readline()
    if not line:
        sys.exit(0)
    return json.loads(line)


def leave(attempt, what, note=""):
    words = [what, attempt["task_id"], attempt["step"], str(attempt["attempt"]), attempt["idempotency_key"], str(note)]
    with open(os.environ["EFFECTS"], "ab", buffering=0) as file:
        file.write((" ".join(words).strip() + "\n").encode())


def held(attempt):
    leave(attempt, "start")
    while not os.path.exists("go"):
        time.sleep(0.002)
    leave(attempt, "end")
    say(type="result", lease=attempt["lease"], result=1)


def checkpointed(attempt):
    leave(attempt, "start")
    at = attempt.get("checkpoint", 0)
    leave(attempt, "given", at)
    if at == 2:
        leave(attempt, "end")
        return say(type="result", lease=attempt["lease"], result=at)
    say(type="checkpoint", lease=attempt["lease"], data=at + 1)
    answer = hear()
    if answer == {"type": "checkpointed", "lease": attempt["lease"]}:
        leave(attempt, "saved", at + 1)
    say(type="failure", lease=attempt["lease"], message=f"not yet at {at}")


say(type="hello", protocol=1, handlers=[{"name": "faults.checkpointed"}, {"name": "faults.held"}])
hear()
while True:
    message = hear()
    if message["type"] == "attempt":
        {"faults.checkpointed": checkpointed, "faults.held": held}[message["handler"]](message)
    elif message["type"] == "drain":
        say(type="drained")
        sys.exit(0)
