"""A worker by docs/worker-protocol.md alone, that gives a result when it is told to stop."""

import json
import sys


def say(**message):
    print(json.dumps(message), flush=True)


say(type="hello", protocol=1, handlers=[{"name": "histories.late"}])
for line in sys.stdin:
    message = json.loads(line)
    if message["type"] == "cancel":
        say(type="result", lease=message["lease"], result={"late": True})
    elif message["type"] == "drain":
        say(type="drained")
        break
