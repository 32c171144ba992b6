"""Every address of the API, asked for by those who may not: without a token, with a wrong one, with another role, for a task of
another namespace."""

from __future__ import annotations

import http.client
import json
import unittest
from typing import Any, Dict, List, Tuple

from serving import CHAIN, RawWorker, ServingTest
from support import Stepwell, wait_until

OPEN = {"/v1/health/live", "/v1/health/ready", "/v1/openapi.json"}
# What belongs to no single namespace.
OF_ALL = {
    ("get", "/v1/workers"), ("post", "/v1/workers/{worker}/drain"), ("get", "/v1/state"), ("get", "/v1/stats"),
    ("get", "/v1/metrics"), ("post", "/v1/webhooks"), ("get", "/v1/webhooks"), ("get", "/v1/webhooks/{webhook}"),
    ("delete", "/v1/webhooks/{webhook}"), ("post", "/v1/webhooks/{webhook}/enable"),
}
OTHER = CHAIN.replace("namespace_name: default", "namespace_name: other")
BODIES = {
    "retryTask": {}, "cancelTask": {}, "resolveStep": {"result": 1}, "forkTask": {"from": "first"},
    "createTask": {"name": "chain"}, "createTasks": {"tasks": [{"name": "chain", "namespace": "other"}, {"name": "chain"}]},
    "registerWorker": {"type": "hello", "protocol": 1, "handlers": [{"name": "first"}]},
    "addWebhook": {"url": "http://127.0.0.1:1/"}, "pollAttempts": {}, "deliverMessages": {"number": 1, "messages": []},
}


class EveryAddress(ServingTest):
    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.server = self.serve(self.stepwell, "--templates", self.templates(CHAIN, OTHER)).ready()
        self.worker = RawWorker(self.server, ["first"])
        self.task = self.server.post("/tasks", {"name": "chain", "idempotency_key": "secret"}, status=201)["task_id"]
        [self.attempt] = self.worker.attempts()
        document = self.server.get("/openapi.json")
        self.operations: List[Tuple[str, str, Dict[str, Any]]] = [
            (method, path, operation) for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ]
        self.assertGreater(len(self.operations), 30)

    def token(self, name: str, role: str, *options: str) -> str:
        token = self.stepwell.json("token", "create", name, "--role", role, *options)["token"]
        wait_until(lambda: self.server.request("GET", "/tasks")[0] == 401, "a token is needed")
        wait_until(
            lambda: self.ask("get", "/v1/templates/none/none", {}, f"Bearer {token}")[1] != "token_unknown", "it is known")
        return token

    def ask(self, method: str, path: str, operation: Dict[str, Any], authorization: str = "") -> Tuple[int, str]:
        """The status and the code of an answer; of a stream only the head is read."""
        for name, value in {
            "task": self.task, "other": self.task, "step": "first", "namespace": "default", "name": "chain",
            "worker": self.worker.id,
        }.items():
            path = path.replace("{" + name + "}", value)
        body = json.dumps(BODIES.get(operation.get("operationId", ""), {})).encode() if method == "post" else None
        if operation.get("operationId") == "putTemplate":
            body = CHAIN.encode()
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=60)
        try:
            connection.request(
                method.upper(), path, body, {"Authorization": authorization} if authorization else {})
            answer = connection.getresponse()
            if answer.getheader("Content-Type") == "text/event-stream":
                return answer.status, ""
            text = answer.read()
            is_problem = answer.getheader("Content-Type") == "application/problem+json"
            return answer.status, json.loads(text)["code"] if is_problem else ""
        finally:
            connection.close()

    def events(self) -> List[str]:
        """The types of all events, which nobody who is refused may add to."""
        return [event["type"] for event in self.stepwell.events()]

    def test_nobody_comes_in_without_a_good_token(self) -> None:
        old = self.token("old", "admin", "--expires", "0")
        gone = self.token("gone", "admin")
        self.stepwell.run("token", "revoke", "gone")
        wait_until(lambda: self.ask("get", "/v1/tasks", {}, f"Bearer {gone}")[0] == 401, "it is revoked")
        before = self.events()
        for method, path, operation in self.operations:
            with self.subTest(method=method, path=path):
                if path in OPEN:
                    self.assertEqual(self.ask(method, path, operation)[0], 200)
                    continue
                for authorization, code in {
                    "": "token_missing", "Bearer x": "token_unknown", "Basic eDp4": "token_malformed",
                    "Bearer": "token_malformed", f"Bearer {old}": "token_expired", f"Bearer {gone}": "token_unknown",
                }.items():
                    self.assertEqual(self.ask(method, path, operation, authorization), (401, code))
        self.assertEqual(self.events(), before)

    def test_a_role_reaches_only_what_is_its_own(self) -> None:
        worker, viewer = self.token("box", "worker"), self.token("eye", "viewer")
        before = self.events()
        for method, path, operation in self.operations:
            with self.subTest(method=method, path=path):
                is_work = operation["operationId"] in ("registerWorker", "pollAttempts", "deliverMessages")
                if path not in OPEN and not is_work:
                    self.assertEqual(self.ask(method, path, operation, f"Bearer {worker}"), (403, "not_allowed"))
                if is_work or method != "get" and operation["operationId"] != "validateTemplate":
                    self.assertEqual(self.ask(method, path, operation, f"Bearer {viewer}"), (403, "not_allowed"))
        self.assertEqual(self.events(), before)

    def test_a_token_of_one_namespace_reaches_nothing_of_another(self) -> None:
        narrow = f"Bearer {self.token('narrow', 'admin', '--namespace', 'other')}"
        before = self.events()
        tried = set()
        for method, path, operation in self.operations:
            with self.subTest(method=method, path=path):
                if "{task}" in path:
                    self.assertEqual(self.ask(method, path, operation, narrow), (404, "unknown_task"))
                elif operation["operationId"] in ("pollAttempts", "deliverMessages"):
                    self.assertEqual(self.ask(method, path, operation, narrow), (404, "unknown_worker"))
                elif (method, path) in OF_ALL:
                    self.assertEqual(self.ask(method, path, operation, narrow), (403, "not_allowed"))
                    tried.add((method, path))
        self.assertEqual(tried, OF_ALL)
        by_path = {(method, path): operation for method, path, operation in self.operations}
        for place, expected in {
            ("post", "/v1/tasks"): (403, "not_allowed"), ("post", "/v1/tasks/batch"): (403, "not_allowed"),
            ("put", "/v1/templates"): (403, "not_allowed"),
            ("get", "/v1/templates/{namespace}/{name}"): (404, "unknown_template"),
        }.items():
            self.assertEqual(self.ask(*place, by_path[place], narrow), expected, place)
        for word in ("secret", self.task[:8], "last"):
            self.assertEqual(self.server.request("GET", f"/tasks/{word}", Authorization=narrow)[0], 404, word)

        def found(path: str, body: Any = None) -> Any:
            return self.server.request("POST" if body else "GET", path, body, Authorization=narrow)[1]

        for action in ("cancel", "retry"):
            self.assertEqual(found("/tasks/bulk", {"action": action})["tasks"], [])
            self.assertEqual(found("/tasks/bulk", {"action": action, "namespace": "default"})["tasks"], [])
        for query in ("", "?namespace=default", "?key=secret", "?name=chain"):
            self.assertEqual(found(f"/tasks{query}")["tasks"], [], query)
        self.assertEqual(found("/events?limit=1000")["events"], [])
        self.assertEqual({template["namespace"] for template in found("/templates")["templates"]}, {"other"})
        self.assertEqual(self.events(), before)

    def test_a_worker_of_one_namespace_is_given_nothing_of_another(self) -> None:
        narrow = f"Bearer {self.token('narrow', 'worker', '--namespace', 'other')}"
        admin = f"Bearer {self.token('admin', 'admin')}"

        def post(path: str, body: Any, token: str = narrow) -> Tuple[int, Any]:
            return self.server.request("POST", path, body, Authorization=token)

        hello = {"type": "hello", "protocol": 1, "handlers": [{"name": "first"}, {"name": "second"}], "concurrency": 9}
        status, answer = post("/workers", {**hello, "namespaces": ["default"]})
        self.assertEqual((status, answer["code"]), (403, "not_allowed"))
        session = post("/workers", {**hello, "namespaces": ["default", "other"]})[1]["worker_id"]
        waiting = post("/tasks", {"name": "chain"}, admin)[1]["task_id"]
        wanted = post("/tasks", {"name": "chain", "namespace": "other"}, admin)[1]["task_id"]
        [attempt] = post(f"/workers/{session}/poll", {"wait_ms": 5000})[1]["messages"]
        self.assertEqual((attempt["task_id"], attempt["namespace"]), (wanted, "other"))
        # Nor may it report on what others hold, or make up a lease.
        stolen = {"number": 1, "messages": [{"type": "result", "lease": self.attempt["lease"], "result": 1}]}
        status, answer = post(f"/workers/{session}/messages", stolen)
        self.assertEqual((status, answer["code"]), (400, "malformed_message"))
        state = self.server.request("GET", f"/tasks/{waiting}", Authorization=admin)[1]["state"]
        self.assertEqual(state, "pending")

    def test_a_session_is_not_for_a_later_token_of_the_same_name(self) -> None:
        self.token("admin", "admin")
        hello = {"type": "hello", "protocol": 1, "handlers": [{"name": "second"}]}

        def renewed(*options: str) -> str:
            self.stepwell.run("token", "revoke", "box", code=None)
            return f"Bearer {self.token('box', 'worker', *options)}"

        first = renewed("--namespace", "default")
        session = self.server.request("POST", "/workers", hello, Authorization=first)[1]["worker_id"]
        for options, expected in ((["--namespace", "default"], 200), (["--namespace", "other"], 404), ([], 404)):
            status, _ = self.server.request("POST", f"/workers/{session}/poll", {}, Authorization=renewed(*options))
            self.assertEqual(status, expected, options)

    def test_a_word_that_fits_tasks_of_others_too_tells_nothing_of_them(self) -> None:
        self.server.post("/tasks", {"name": "chain", "namespace": "other", "idempotency_key": "secret"}, status=201)
        wide, narrow = self.token("wide", "viewer"), self.token("narrow", "viewer", "--namespace", "other")
        status, answer = self.server.request("GET", "/tasks/secret", Authorization=f"Bearer {wide}")
        self.assertEqual((status, answer["code"]), (409, "ambiguous_task"))
        self.assertIn(self.task, answer["detail"])
        # For a token of one namespace the words mean what is there.
        own = self.server.request("GET", "/tasks?namespace=other", Authorization=f"Bearer {narrow}")[1]["tasks"][0]["task_id"]
        self.server.request("POST", "/tasks", {"name": "chain"}, Authorization=f"Bearer {self.token('any', 'admin')}")
        for word in ("secret", "last", own[:2], own.upper()):
            status, answer = self.server.request("GET", f"/tasks/{word}", Authorization=f"Bearer {narrow}")
            self.assertEqual((status, answer.get("task_id")), (200, own), word)

    def test_nobody_hears_which_other_namespaces_have_a_template(self) -> None:
        self.server.request("PUT", "/templates", CHAIN.replace("name: chain", "name: hush", 1).encode())
        wide, narrow = self.token("wide", "admin"), self.token("narrow", "admin", "--namespace", "other")

        def cures(token: str) -> List[str]:
            task = {"name": "hush", "namespace": "other"}
            return [self.server.request(method, path, body, Authorization=f"Bearer {token}")[1]["cure"] for method, path, body in (
                ("POST", "/tasks", task), ("POST", "/tasks/batch", {"tasks": [task]}), ("GET", "/templates/other/hush", None),
                ("GET", "/templates/other/hush/graph", None))]

        self.assertEqual(cures(wide), ["there is one in: default"] * 4)
        self.assertEqual(cures(narrow), ["'GET /v1/templates' lists them"] * 4)


class PagesInABrowser(ServingTest):
    """Without tokens whoever is on this machine may do everything; a page that somebody looks at there may not."""

    def setUp(self) -> None:
        super().setUp()
        self.stepwell = Stepwell(self)
        self.server = self.serve(self.stepwell, "--templates", self.templates(CHAIN)).ready()

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Tuple[int, str]:
        status, answer = self.server.request(method, path, body, **headers)
        return status, answer.get("code", "")

    def test_a_page_reaches_nothing(self) -> None:
        refused = (403, "foreign_page")
        here = f"127.0.0.1:{self.server.port}"
        hook = {"url": "http://127.0.0.1:1/"}
        for origin in ("https://evil.example", "null", "http://localhost:3000", f"http://x{here}"):
            self.assertEqual(self.ask("POST", "/webhooks", hook, Origin=origin), refused, origin)
        # A name that leads here since the page was loaded: for the browser all of it is one place.
        for host in ("evil.example", f"Evil.Example:{self.server.port}", "127.0.0.1.evil.example", "localhost.evil.example"):
            self.assertEqual(self.ask("GET", "/tasks", Host=host), refused, host)
            self.assertEqual(self.ask("PUT", "/templates", CHAIN.encode(), Host=host, Origin=f"http://{host}"), refused)
        self.assertEqual(self.server.get("/webhooks")["webhooks"], [])
        self.assertEqual(self.ask("GET", "/health/live", Host="evil.example"), (200, ""))
        self.assertIn('stepwell_access_refusals_total{code="foreign_page"} 12', self.server.get("/metrics"))

    def test_programs_do(self) -> None:
        for host in ("localhost", "LOCALHOST:7420", "api.localhost", "host.docker.internal:7420", "127.0.0.1:1", "[::1]:7420", "stepwell:7420"):
            self.assertEqual(self.ask("GET", "/tasks", Host=host), (200, ""), host)
        here = f"localhost:{self.server.port}"
        self.assertEqual(self.ask("GET", "/tasks", Host=here, Origin=f"http://{here}"), (200, ""))

    def test_a_token_is_proof_enough(self) -> None:
        token = self.stepwell.json("token", "create", "ann", "--role", "admin")["token"]
        wait_until(lambda: self.ask("GET", "/tasks", Authorization=f"Bearer {token}")[0] == 200, "it is known")
        page = {"Host": "stepwell.example.org", "Origin": "https://other.example.org"}
        self.assertEqual(self.ask("GET", "/tasks", **page), (401, "token_missing"))
        self.assertEqual(self.ask("GET", "/tasks", Authorization=f"Bearer {token}", **page), (200, ""))

    def test_where_other_machines_come_in_the_server_may_have_a_name(self) -> None:
        server = self.serve(Stepwell(self), "--insecure", host="0.0.0.0").ready()
        self.assertEqual(server.request("GET", "/tasks", Host="stepwell.example.org")[0], 200)
        answer = server.request("GET", "/tasks", Host="stepwell.example.org", Origin="https://evil.example")
        self.assertEqual((answer[0], answer[1]["code"]), (403, "foreign_page"))


if __name__ == "__main__":
    unittest.main()
