"""HTTP answers of the gateway: JSON, and problems as RFC 9457 `application/problem+json`."""

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from typing import Any, NamedTuple

from crossdock.kernel import jsontext
from crossdock.kernel.problems import Problem
from crossdock.sourceparts import AnswerStyle
from gateway.encodings import ACCEPTED

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
JSON, PROBLEM, TEXT = b"application/json", b"application/problem+json", b"text/plain; charset=utf-8"
Headers = tuple[tuple[bytes, bytes], ...]

_STATUS = {
    "unauthorized": 401,
    "type_not_accepted": 403,
    "not_allowed": 403,
    "not_found": 404,
    "method_not_allowed": 405,
    "request_timeout": 408,
    "body_too_large": 413,
    "batch_too_large": 413,
    "unsupported_media_type": 415,
    "unsupported_encoding": 415,
    "headers_too_large": 431,
    "no_events": 422,
    "bad_dedupe_key": 422,
    "expression_failed": 422,
    "schema_violation": 422,
    "unknown_type": 422,
    "unknown_version": 422,
    "ambiguous_id": 409,
    "idempotency_in_flight": 409,
    "idempotency_mismatch": 422,
    "quota_exceeded": 429,
    "unavailable": 503,
}
_TYPES = {"quota_exceeded": "https://iana.org/assignments/http-problem-types#quota-exceeded"}  # as registered
_TITLES = {
    "unauthorized": "Nothing proves who sent this",
    "type_not_accepted": "This partner may not send this type",
    "not_allowed": "This key may not do that",
    "ambiguous_id": "Several sources used this id",
    "not_found": "No such thing here",
    "method_not_allowed": "Method not allowed",
    "body_too_large": "Body too large",
    "batch_too_large": "Too many events in one batch",
    "unsupported_media_type": "Content type not supported",
    "unsupported_encoding": "Content encoding not supported",
    "bad_encoding": "The body is not what Content-Encoding says",
    "bad_request": "Not an HTTP request",
    "request_timeout": "The request took too long",
    "headers_too_large": "Too many or too long attributes",
    "no_events": "Nothing to store",
    "bad_dedupe_key": "Nothing to tell it from others by",
    "expression_failed": "An expression of the source failed",
    "schema_violation": "The data breaks its schema",
    "unknown_type": "Unknown event type",
    "unknown_version": "Unknown schema version",
    "bad_idempotency_key": "Not an Idempotency-Key",
    "idempotency_in_flight": "The same request is under way",
    "idempotency_mismatch": "This Idempotency-Key belongs to another request",
    "quota_exceeded": "Over a limit",
    "unavailable": "Not stored: try again",
    "invalid_json": "Not JSON",
    "too_deep": "Nested too deep",
    "number_not_exact": "A number cannot be kept exactly",
    "invalid_envelope": "The envelope of the event is wrong",
}
RETRY_AFTER = "2"
_SAID = 3  # problems told in the detail; all are in errors


def status_of(problems: Sequence[Problem]) -> int:
    """Return the HTTP status of the first problem; 400 for what has no better one."""
    return _STATUS.get(problems[0].code, 400)


def problem_document(problems: Sequence[Problem]) -> dict[str, Any]:
    """Return the members of an RFC 9457 document."""
    first = problems[0]
    said = "; ".join(map(_said, problems[:_SAID]))
    more = f" and {len(problems) - _SAID} more" if len(problems) > _SAID else ""
    return {
        "type": _TYPES.get(first.code, f"urn:crossdock:problem:{first.code}"),
        "title": _TITLES.get(first.code, "The request cannot be accepted"),
        "status": status_of(problems),
        "detail": " - ".join(part for part in (said + more, first.hint) if part),
        "errors": [problem.as_error() for problem in problems],
    }


def _said(problem: Problem) -> str:
    """Return where and what is wrong; the place is left out where the message begins with it."""
    named = problem.message.partition(" ")[0] == problem.pointer.removeprefix("/")
    return problem.message if named else f"{problem.pointer} {problem.message}".strip()


class Answer(NamedTuple):
    """An answer before it is written; `last` says that the connection ends with it.

    `delay` is in seconds that it is kept back: who hammers at a limit waits, and others have the processor meanwhile.
    """

    status: int
    body: bytes
    media: bytes = JSON
    headers: Headers = ()
    last: bool = False
    delay: float = 0.0


_HEADERS = {
    401: ((b"www-authenticate", b"Bearer"),),
    405: ((b"allow", b"GET, POST, OPTIONS"),),
    503: ((b"retry-after", RETRY_AFTER.encode()),),
}


_HEADERS_OF_CODE: dict[str, Headers] = {
    "idempotency_in_flight": ((b"retry-after", b"1"),),
    "unsupported_encoding": ((b"accept-encoding", ACCEPTED.encode()),),
}  # RFC 9110 15.5.16


def problem(problems: Sequence[Problem]) -> Answer:
    """Return a problem document with the headers its status asks for."""
    status = status_of(problems)
    body = jsontext.dumps(problem_document(problems))
    headers: Headers = _HEADERS_OF_CODE.get(problems[0].code, _HEADERS.get(status, ()))
    return Answer(status, body, PROBLEM, headers, last=status == 413)  # of 413 the rest is not read


def taken(event_id: str, word: str, problems: Sequence[Problem] = (), extra: Headers = ()) -> Answer:
    """Return the answer for an event that is stored, with what is wrong with one that is stored all the same."""
    if problems:
        warnings = [problem.as_error() for problem in problems]
        return Answer(202, jsontext.dumps({"id": event_id, "status": word, "warnings": warnings}), headers=extra)
    return Answer(202, b'{"id":%b,"status":"%b"}' % (jsontext.dumps(event_id), word.encode()), headers=extra)


def styled(style: AnswerStyle, answer: Answer) -> Answer:
    """Return an answer as the sender of a webhook wants it when its events are stored."""
    if answer.status != 202:
        return answer
    if style.status == 204:
        return answer._replace(status=204, body=b"", media=TEXT)
    if style.text is None:
        return answer._replace(status=style.status)
    return answer._replace(status=style.status, body=style.text.encode(), media=TEXT)


async def send_answer(send: Send, answer: Answer) -> None:
    """Write an answer as an ASGI application does, in its time."""
    if answer.delay:
        await asyncio.sleep(answer.delay)
    headers = [(b"content-type", answer.media), (b"content-length", b"%d" % len(answer.body)), *answer.headers]
    if answer.last:
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    await send({"type": "http.response.body", "body": answer.body})
