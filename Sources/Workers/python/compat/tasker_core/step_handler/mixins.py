"""`tasker_core.step_handler.mixins`: HTTP requests of a handler, and decisions, which Stepwell does not have."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from typing import Any, Mapping, NoReturn, Optional
from urllib.parse import urlencode, urljoin

from ..errors import NetworkError, NotSupportedError, TimeoutError
from ..types import ErrorType, StepHandlerResult

__all__ = ["APIMixin", "ApiResponse", "DecisionMixin"]

_RETRYABLE = frozenset({408, 429, 500, 501, 502, 503, 504})


class ApiResponse:
    """An answer: `status_code`, `headers`, and `body`, which is JSON if the answer says so, else text."""

    def __init__(self, status_code: int, headers: Mapping[str, str], content: bytes) -> None:
        self.status_code = status_code
        self.headers = {name.lower(): value for name, value in headers.items()}
        self.content = content
        is_json = "json" in self.headers.get("content-type", "")
        self.body: Any = json.loads(content) if is_json and content else content.decode("utf-8", "replace")

    def __getitem__(self, key: Any) -> Any:
        return self.body[key]

    @property
    def ok(self) -> bool:
        """Whether the request has succeeded."""
        return 200 <= self.status_code < 300

    @property
    def is_retryable(self) -> bool:
        """Whether another try may help: 408, 429, and 500 to 504."""
        return self.status_code in _RETRYABLE

    @property
    def retry_after(self) -> Optional[int]:
        """The seconds of `Retry-After`, if there are any."""
        text = self.headers.get("retry-after", "").strip()
        return int(text) if text.isdigit() else None


class APIMixin:
    """Requests relative to `base_url`, with results and failures that fit their answers."""

    base_url: str = ""
    default_timeout: float = 30.0
    default_headers: Mapping[str, str] = {}

    def get(self, path: str, params: Optional[Mapping[str, Any]] = None, **options: Any) -> ApiResponse:
        """Send a GET request."""
        return self.request("GET", path, params=params, **options)

    def post(self, path: str, json: Any = None, **options: Any) -> ApiResponse:
        """Send a POST request with a JSON body."""
        return self.request("POST", path, json=json, **options)

    def put(self, path: str, json: Any = None, **options: Any) -> ApiResponse:
        """Send a PUT request with a JSON body."""
        return self.request("PUT", path, json=json, **options)

    def patch(self, path: str, json: Any = None, **options: Any) -> ApiResponse:
        """Send a PATCH request with a JSON body."""
        return self.request("PATCH", path, json=json, **options)

    def delete(self, path: str, **options: Any) -> ApiResponse:
        """Send a DELETE request."""
        return self.request("DELETE", path, **options)

    def request(
        self,
        method: str,
        path: str,
        *,
        params: Optional[Mapping[str, Any]] = None,
        json: Any = None,
        data: Optional[bytes] = None,
        headers: Optional[Mapping[str, str]] = None,
        timeout: Optional[float] = None,
    ) -> ApiResponse:
        """Send a request. Raises `NetworkError` or `TimeoutError`, which are retryable."""
        url = urljoin(self.base_url.rstrip("/") + "/", path.lstrip("/")) if self.base_url else path
        if params:
            url += ("&" if "?" in url else "?") + urlencode(params, doseq=True)
        if not url.startswith(("http://", "https://")):
            raise ValueError(f"{url!r} is no http address; set base_url")
        all_headers = {"Accept": "application/json", **self.default_headers, **(headers or {})}
        if json is not None:
            data = _json_bytes(json)
            all_headers.setdefault("Content-Type", "application/json")
        wish = urllib.request.Request(url, data, all_headers, method=method)
        try:
            with urllib.request.urlopen(wish, timeout=timeout or self.default_timeout) as answer:
                return ApiResponse(answer.status, dict(answer.headers.items()), answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return ApiResponse(error.code, dict(error.headers.items()), error.read())
        except (socket.timeout, urllib.error.URLError, OSError) as error:
            reason = getattr(error, "reason", error)
            if isinstance(reason, socket.timeout):
                raise TimeoutError(f"{method} {url}: no answer in time") from error
            raise NetworkError(f"{method} {url}: {reason}") from error

    def api_success(self, response: Any = None, result: Any = None, **more: Any) -> StepHandlerResult:
        """A result: `result`, or the body of a response."""
        metadata = dict(more.get("metadata") or {})
        if isinstance(response, ApiResponse):
            metadata.setdefault("status_code", response.status_code)
            response = response.body
        return StepHandlerResult.success(response if result is None else result, metadata)

    def api_failure(self, response: ApiResponse, message: Optional[str] = None) -> StepHandlerResult:
        """A failure: retryable for 408, 429 and 500 to 504, with the wait that the server asks for."""
        kind = ErrorType.RETRYABLE_ERROR if response.is_retryable else ErrorType.PERMANENT_ERROR
        return StepHandlerResult.failure(
            message or f"the service answered {response.status_code}", kind, response.is_retryable,
            {"status_code": response.status_code}, f"HTTP_{response.status_code}", response.retry_after,
        )

    def connection_error(self, error: BaseException, doing: str = "a request") -> StepHandlerResult:
        """A retryable failure for a connection that failed."""
        return StepHandlerResult.failure(f"no connection while {doing}: {error}", ErrorType.RETRYABLE_ERROR)

    def timeout_error(self, error: BaseException, doing: str = "a request") -> StepHandlerResult:
        """A retryable failure for an answer that did not come in time."""
        return StepHandlerResult.failure(f"no answer in time while {doing}: {error}", ErrorType.TIMEOUT)


class DecisionMixin:
    """Mixin: what chooses steps fails for good, and says why."""

    def decision_success(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: it would choose steps."""
        raise NotSupportedError("decision_success chooses the steps that follow")

    def decision_success_with_outcome(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: it would choose steps."""
        raise NotSupportedError("decision_success_with_outcome chooses the steps that follow")

    def route_to_steps(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: it would choose steps."""
        raise NotSupportedError("route_to_steps chooses the steps that follow")

    def skip_branches(self, *_: Any, **__: Any) -> NoReturn:
        """Not supported: it would choose steps."""
        raise NotSupportedError("skip_branches chooses the steps that follow")

    def decision_failure(self, message: str, *_: Any, **__: Any) -> StepHandlerResult:
        """A failure for good."""
        return StepHandlerResult.failure(message, ErrorType.PERMANENT_ERROR, retryable=False)


def _json_bytes(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode("utf-8")


def api(base_url: str, timeout: float, headers: Optional[Mapping[str, str]]) -> APIMixin:
    """The object that `@api_handler` passes as `api`."""
    made = APIMixin()
    made.base_url, made.default_timeout = base_url, timeout
    made.default_headers = dict(headers or {})
    return made
