"""HTTP answers of the gateway: JSON, and problems as RFC 9457 `application/problem+json`."""

from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, NamedTuple

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
JSON, PROBLEM = b"application/json", b"application/problem+json"

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


class Answer(NamedTuple):
    """An answer before it is written; `last` says that the connection ends with it."""

    status: int
    body: bytes
    media: bytes = JSON
    headers: tuple[tuple[bytes, bytes], ...] = ()
    last: bool = False


_HEADERS = {
    401: ((b"www-authenticate", b"Bearer"),),
    405: ((b"allow", b"POST"),),
    503: ((b"retry-after", RETRY_AFTER.encode()),),
}


def problem(problems: Sequence[Problem]) -> Answer:
    """Return a problem document with the headers its status asks for."""
    status = status_of(problems)
    body = jsontext.dumps(problem_document(problems))
    return Answer(status, body, PROBLEM, _HEADERS.get(status, ()), last=status == 413)  # of 413 the rest is not read


def taken(event_id: str, duplicate: bool) -> Answer:
    """Return the answer for an event that is stored."""
    text = b'{"id":%b,"status":"duplicate"}' if duplicate else b'{"id":%b,"status":"accepted"}'
    return Answer(202, text % jsontext.dumps(event_id))


async def send_answer(send: Send, answer: Answer) -> None:
    """Write an answer as an ASGI application does."""
    headers = [(b"content-type", answer.media), (b"content-length", b"%d" % len(answer.body)), *answer.headers]
    if answer.last:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
