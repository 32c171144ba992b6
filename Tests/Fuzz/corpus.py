"""Requests as they should be, from which Tests/Fuzz makes those that are almost right: each address of the served description, and
by hand what needs more than an example."""

import collections
import json

HELLO = {
    "type": "hello", "protocol": 1, "handlers": [{"name": "fuzz.work", "version": "1.0.0"}], "concurrency": 4, "sdk": "fuzz 1",
    "name": "fuzz", "namespaces": ["api"], "labels": {"host": "box"},
}
# The lease 777777 and the number 888888 stand for those of the session.
LEASE, NUMBER = 777777, 888888
MESSAGES = [
    {"type": "result", "lease": LEASE, "result": {"rows": [1, 2.5, None, "ä"]}, "metadata": {"a": 1}},
    {"type": "failure", "lease": LEASE, "message": "no", "error_type": "timeout", "retryable": True, "retry_after_ms": 5},
    {"type": "stopped", "lease": LEASE}, {"type": "heartbeat", "lease": LEASE, "progress": {"done": 0.5}},
    {"type": "checkpoint", "lease": LEASE, "data": [1, 2]}, {"type": "log", "lease": LEASE, "level": "info", "text": "line"},
    {"type": "fetch", "lease": LEASE, "id": 3, "step": "work"}, {"type": "log", "text": "to whom it may concern"},
]
TASK = {
    "name": "fuzz", "namespace": "api", "version": "1.0.0", "context": {"n": 1}, "priority": 3, "tags": ["a", "b"],
    "correlation_id": "c", "idempotency_key": "k", "initiator": "i", "source_system": "s", "reason": "r",
}
TEMPLATE = """name: new
namespace_name: api
version: 2.0.0
steps:
  - name: a
    handler: { callable: a, initialization: { x: [1, 2.5, null, "ä"] } }
    retry: { max_attempts: 5, backoff: fibonacci, initial_delay: 2, max_delay: 60, jitter: true }
    timeout_seconds: 5
  - { name: b, handler: { command: ["true", "{{ context.n }}"] }, dependencies: [a] }
"""
BODIES = {
    "createTask": TASK, "createTasks": {"tasks": [TASK, {**TASK, "idempotency_key": "l"}]},
    "actOnTasks": {"action": "retry", "namespace": "api", "dry_run": True, "limit": 2},
    "retryTask": {"steps": ["work"], "reason": "r"}, "resolveStep": {"result": {"a": 1}, "reason": "r"},
    "forkTask": {"from": "work", "input": {"a": 1}, "results": {"work": 1}, "reason": "r"},
    "registerWorker": HELLO, "pollAttempts": {"after": 0, "wait_ms": 0, "attempts_max": 4},
    "deliverMessages": {"number": 1, "messages": MESSAGES[:2]},
    "putTemplate": "name: half\nsteps: [", "validateTemplate": TEMPLATE,
}
# Not `last`: the tasks of honest clients are left alone.
PATHS = {
    "task": "k", "other": "l", "step": "work", "namespace": "api", "name": "fuzz", "worker": "nobody",
    # Of a handler that no step has: a limit of another would hold up honest clients.
    "scope": "handler", "target": "fuzz.idle",
}
QUERY = {
    "limit": "3", "after": "1", "state": "pending", "namespace": "api", "name": "fuzz", "key": "k", "version": "1.0.0", "step": "work",
    "environment": "test", "at": "5", "reason": "r",
}
# These read much, or give much.
HEAVY = {"getState", "exportTask", "diffTasks", "explainTask", "getStatistics", "getMetrics", "getOpenAPI", "listEvents", "getHealth", "listWorkers"}
WAITS = {"wait": "5s"}


def encoded(body):
    return body.encode() if isinstance(body, str) else json.dumps(body, ensure_ascii=False).encode() if body is not None else b""


def entries(description):
    """Weight, kind, method, path and body."""
    for path, methods in description["paths"].items():
        for method, operation in methods.items():
            name = operation["operationId"]
            content = operation.get("requestBody", {}).get("content", {})
            body = encoded(BODIES.get(name, next((kind.get("example") for kind in content.values()), None)))
            address = path.format_map(collections.defaultdict(lambda: "x", PATHS))
            names = [parameter["name"] for parameter in operation.get("parameters", []) if parameter["in"] == "query"]
            query = "&".join(f"{each}={QUERY[each]}" for each in names if each in QUERY)
            query = "?" + query if query else ""
            if any("text/event-stream" in answer.get("content", {}) for answer in operation["responses"].values()):
                yield 4, "loose", method.upper(), address + query, b""
                continue
            yield 1 if name in HEAVY else 4, "client", method.upper(), address + query, body
            if "wait" in names:
                yield 4, "loose", method.upper(), f"{address}?wait=5s", body
    for address in ("", "/steps", "/events?limit=2", "/steps/work?x=1"):
        yield 1, "client", "GET", f"/v1/tasks/last{address}", b""
    # Else all sessions that are idle would take the work from those that are going to poll for it.
    yield 1, "hello", "POST", "/v1/workers", encoded({**HELLO, "handlers": [{"name": "fuzz.idle"}, {"name": "fuzz.rest"}]})
    yield 1, "crew", "POST", "/v1/workers", encoded({**HELLO, "concurrency": 1})
    fresh = {"name": "fuzz", "namespace": "api", "context": {"n": 1}}
    yield 1, "supply", "POST", "/v1/tasks/batch", encoded({"tasks": [fresh] * 4})
    yield 1, "poll", "POST", "/v1/workers/@S/poll", encoded({"after": 0, "wait_ms": 0, "attempts_max": 1})
    yield 1, "loose", "POST", "/v1/workers/@S/poll", encoded({"after": 1, "wait_ms": 10000})
    for first, message in enumerate(MESSAGES):
        yield 1, "note" if "lease" not in message else "line", "-", "-", encoded(message)
        second = MESSAGES[(first + 3) % len(MESSAGES)]
        yield 3, "worker", "POST", "/v1/workers/@S/messages", encoded({"number": NUMBER, "messages": [message]})
        yield 1, "worker", "POST", "/v1/workers/@S/messages", encoded({"number": NUMBER, "messages": [message, second]})
    yield 1, "worker", "POST", "/v1/workers/@S/messages", encoded({"number": NUMBER, "messages": [MESSAGES[0], {"type": "drained"}]})
    # Were it changed at will, it would now and then be a new template, which a server keeps for ever. A known version keeps its text.
    right = "name: kept\nnamespace_name: api\nversion: 1.0.0\nsteps:\n  - { name: a, handler: { callable: a } }\n"
    for text in (right, right + "  - { name: b, handler: { callable: a } }\n", right[:-4], "\ufeff" + right + "---\n", "\t" + right, "{"):
        yield 1, "exact", "PUT", "/v1/templates", encoded(text)


def written(description):
    return b"".join(
        f"{weight} {kind} {method} {path} {len(body)}\n".encode() + body + b"\n"
        for weight, kind, method, path, body in entries(description))
