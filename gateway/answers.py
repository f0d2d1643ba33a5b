"""HTTP answers of the gateway: JSON, and problems as RFC 9457 `application/problem+json`."""

from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_STATUS = {
    "unauthorized": 401,
    "type_not_accepted": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "body_too_large": 413,
    "batch_too_large": 413,
    "unsupported_media_type": 415,
    "headers_too_large": 431,
    "schema_violation": 422,
    "unknown_type": 422,
    "unknown_version": 422,
    "unavailable": 503,
}
_TITLES = {
    "unauthorized": "No valid API key",
    "type_not_accepted": "This partner may not send this type",
    "not_found": "No such thing here",
    "method_not_allowed": "Method not allowed",
    "body_too_large": "Body too large",
    "batch_too_large": "Too many events in one batch",
    "unsupported_media_type": "Content type not supported",
    "headers_too_large": "Too many or too long attributes",
    "schema_violation": "The data breaks its schema",
    "unknown_type": "Unknown event type",
    "unknown_version": "Unknown schema version",
    "unavailable": "Not stored: try again",
    "invalid_json": "Not JSON",
    "too_deep": "Nested too deep",
    "number_not_exact": "A number cannot be kept exactly",
    "invalid_envelope": "Not a CloudEvents 1.0 event",
}
RETRY_AFTER = "2"
_SAID = 3  # problems told in the detail; all are in errors


def status_of(problems: Sequence[Problem]) -> int:
    """Return the HTTP status of the first problem; 400 for what has no better one."""
    return _STATUS.get(problems[0].code, 400)


def problem_document(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the members of an RFC 9457 document."""
    first = problems[0]
    said = "; ".join(f"{problem.pointer} {problem.message}".strip() for problem in problems[:_SAID])
    more = f" and {len(problems) - _SAID} more" if len(problems) > _SAID else ""
    return {
        "type": f"urn:crossdock:problem:{first.code}",
        "title": _TITLES.get(first.code, "The request cannot be accepted"),
        "status": status_of(problems),
        "detail": " - ".join(part for part in (said + more, first.hint) if part),
        "errors": [problem.as_error() for problem in problems],
    }


async def send_problem(send: Send, problems: Sequence[Problem]) -> None:
    """Answer with a problem document and the headers its status asks for."""
    status = status_of(problems)
    headers = {}
    if status == 401:
        headers["www-authenticate"] = "Bearer"
    if status == 503:
        headers["retry-after"] = RETRY_AFTER
    if status == 413:
        headers["connection"] = "close"  # the rest of the body is not read
    if status == 405:
        headers["allow"] = "POST"
    await send_json(send, status, problem_document(problems), headers, b"application/problem+json")


async def send_json(
    send: Send, status: int, document: Any, headers: Mapping[str, str] | None = None, media: bytes = b"application/json"
) -> None:
    """Answer with a JSON document."""
    body = jsontext.dumps(document)
    listed = [(b"content-type", media), (b"content-length", str(len(body)).encode())]
    listed += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": listed})
    await send({"type": "http.response.body", "body": body})
