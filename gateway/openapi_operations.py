"""The operations of the gateway in its OpenAPI document: parameters, bodies, answers and refusals."""

from collections.abc import Iterable
from typing import Any

from crossdock.kernel.event import BATCH, NDJSON, STRUCTURED
from crossdock.kernel.problems import Problem
from gateway import answers
from gateway.catalog import SCHEMA
from gateway.idempotency import MAX_KEY
from gateway.journey import STATUSES
from gateway.openapi_parts import MANY, NAME, TEXT, TIME, Json, ref
from gateway.status import LIMIT, MOST

_JSON, _PROBLEM = "application/json", "application/problem+json"
_WIRE = ["bad_request", "request_timeout", "headers_too_large", "unavailable"]  # whatever is asked
_HEAD = "invalid_envelope"  # a header is given twice
_ASK = [_HEAD, "unauthorized", "quota_exceeded"]
_LOOK_UP = [*_ASK, "invalid_request", "not_allowed"]
_SEND = [
    "unauthorized", "invalid_json", "too_deep", "number_not_exact", "invalid_envelope", "reserved_character",
    "bad_encoding", "bad_idempotency_key", "type_not_accepted", "idempotency_in_flight",
    "idempotency_mismatch", "body_too_large", "batch_too_large", "unsupported_media_type", "unsupported_encoding",
    "schema_violation", "unknown_type", "unknown_version", "quota_exceeded",
    "bad_dedupe_key", "expression_failed",
]  # fmt: skip
_CALL = [*_SEND, "not_found", "no_events"]


def send(event: Json, shown: Json) -> Json:
    """Return the operation that sends events of this schema, with examples."""
    first = next(iter(shown.values()))["value"]
    body = {
        STRUCTURED: {"schema": event, "examples": shown},
        BATCH: {"schema": MANY, "example": [first]},
        NDJSON: {"schema": {**TEXT, "description": "an event a line, in structured mode; read as it comes"}},
        _JSON: {"schema": {"description": "binary mode: the data, with the envelope in ce-* headers"},
                "example": first["data"]},
    }  # fmt: skip
    told = (
        "One event in structured or binary mode, a batch, or a stream of lines. 202: all that is not refused is stored."
    )
    return _operation("sendEvents", "Send events", told, _SEND, [_IDEMPOTENCY, _ENCODING], _STORED, body)


def at_source(name: str, parameters: list[Json], body: Json) -> Json:
    """Return the operations at the address of one webhook, or of any source, that takes such a body."""
    call = _operation(
        f"callSource{name}", "Send to one source", "A webhook as its sender signs it, or events of that source.", _CALL,
        [*parameters, *([] if name else [_ANY_KEY]), _ENCODING], _STORED | _PLAIN, body,
        security=[{}, {"bearer": []}, {"apiKey": []}, {"basic": []}],
    )  # fmt: skip
    challenge = _operation(
        f"challengeSource{name}", "Ask whether this address is meant for you", "Where the source has a handshake.",
        [_HEAD, "unauthorized", "invalid_request", "not_found"], parameters,
        _ok(TEXT, "text/plain", "The challenge"), security=[{}],
    )  # fmt: skip
    return {
        "post": call,
        "get": challenge,
        "options": _options(f"sourceOptions{name}", ["not_found"], *parameters),
    }


def _operation(
    name: str, summary: str, description: str, codes: Iterable[str], parameters: list[Json], answered: Json,
    body: Json | None = None, **more: Any,
) -> Json:  # fmt: skip
    made: Json = {"operationId": name, "summary": summary, "description": description, "parameters": parameters}
    if body:
        made["requestBody"] = {"required": True, "content": body}
    refused = _problems([*_WIRE, *codes], answered)
    for status in answered.keys() & refused.keys():
        refused[status]["content"] |= answered[status]["content"]
    if any(one["name"] == _IDEMPOTENCY["name"] for one in parameters):
        for status in _KEPT & refused.keys():
            refused[status].setdefault("headers", {}).update(_named("Idempotency-Replayed"))
    return made | {"responses": answered | refused} | more


def _problems(codes: Iterable[str], answered: Json) -> Json:
    """Return the answers to what is refused, each with an example of every code; batches are answered item by item."""
    made: Json = {}
    for code in codes:
        shown = answers.problem_document([Problem(code, "what is wrong")])
        status = str(shown["status"])
        content: Json = {_PROBLEM: {"schema": ref("Problem"), "examples": {}}}
        answer = made.setdefault(status, {"description": shown["title"], "content": content})
        answer["content"][_PROBLEM]["examples"][code] = {"value": shown}
        if headers := _WITH.get(status):
            answer["headers"] = _named(*headers)
    if "202" in answered:
        for status in {"413", "422", "429", "503"} & made.keys():
            made[status]["content"][_JSON] = {"schema": ref("Batch")}
    return made


def _named(*headers: str) -> Json:
    return {name: {"$ref": f"#/components/headers/{name}"} for name in headers}


def _ok(schema: Json, media: str = _JSON, description: str = "As asked", **more: Any) -> Json:
    return {"200": {"description": description, "content": {media: {"schema": schema, **more}}}}


def _query(name: str, schema: Json, description: str) -> Json:
    return {"name": name, "in": "query", "schema": schema, "description": description}


def _options(name: str, codes: Iterable[str], *parameters: Json) -> Json:
    allowed = _named("WebHook-Allowed-Origin", "WebHook-Allowed-Rate")
    answered = {"200": {"description": "You may send", "headers": allowed}, "204": {"description": "The methods"}}
    told = "The handshake of CloudEvents webhooks, with WebHook-Request-Origin; or which methods there are."
    return _operation(name, "May I send?", told, [_HEAD, *codes], [*parameters, _WHO], answered, security=[{}])


SECURITY: Json = {
    "bearer": {"type": "http", "scheme": "bearer", "description": "an API key, or a JWT where a source takes one"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "basic": {"type": "http", "scheme": "basic", "description": "where a source takes it"},
}
HEADERS: Json = {
    "Retry-After": {"description": "seconds to wait", "schema": {"type": "string", "pattern": "^[0-9]+$"}},
    "WWW-Authenticate": {"schema": TEXT},
    "RateLimit": {"description": "what is left", "schema": TEXT},
    "RateLimit-Policy": {"description": "the limits", "schema": TEXT},
    "Deprecation": {"description": "since when the source is deprecated (RFC 9745)", "schema": TEXT},
    "Sunset": {"description": "when the source ends (RFC 8594)", "schema": TEXT},
    "Link": {"description": "where to read about that", "schema": TEXT},
    "WebHook-Allowed-Origin": {"description": "the one that asks", "schema": TEXT},
    "WebHook-Allowed-Rate": {"description": "requests a minute, or * for any number", "schema": TEXT},
    "Idempotency-Replayed": {"description": "this is the answer to the first request", "schema": {"const": "true"}},
}
_WITH = {"401": ["WWW-Authenticate"], "429": ["Retry-After", "RateLimit", "RateLimit-Policy"], "503": ["Retry-After"]}
_ON_STORED = _named("RateLimit", "RateLimit-Policy", "Deprecation", "Sunset", "Link", "Idempotency-Replayed")
_KEPT = {"400", "403", "413", "415", "422"}  # refusals that a second request with the same Idempotency-Key gets again
_STORED: Json = {
    "202": {
        "description": "Stored on disk",
        "headers": _ON_STORED,
        "content": {
            _JSON: {
                "schema": {"anyOf": [ref("Stored"), ref("Batch")]},
                "examples": {
                    "one": {"value": {"id": "till-4/000123", "status": "accepted"}},
                    "many": {"value": {"accepted": 1, "duplicate": 0, "refused": 0, "items": [
                        {"index": 0, "id": "till-4/000123", "status": "accepted"}]}},
                },
            }
        },
    }
}  # fmt: skip
_SOURCE: Json = {
    "name": "source", "in": "path", "required": True, "description": "its name, see the catalog",
    "schema": {"type": "string", "minLength": 1, "maxLength": 64},
}  # fmt: skip
_QUOTED, _BARE = rf'"([ !#-\[\]-~]|\\["\\]){{1,{MAX_KEY}}}"', rf"[!#-+\--:<-\[\]-~]{{1,{MAX_KEY}}}"
_IDEMPOTENCY: Json = {
    "name": "Idempotency-Key", "in": "header", "schema": {"type": "string", "pattern": f"^({_QUOTED}|{_BARE})$"},
    "description": "a second request with the same key and body gets the first one's answer",
}  # fmt: skip
_WHO: Json = {"name": "WebHook-Request-Origin", "in": "header", "schema": TEXT, "description": "who would send"}
_ANY_KEY = _IDEMPOTENCY | {"schema": TEXT, "description": "as for events; not looked at where webhooks are taken"}
_ENCODING: Json = {
    "name": "Content-Encoding", "in": "header", "schema": {"enum": ["", "identity", "gzip", "deflate", "zstd"]},
}  # fmt: skip
_ID: Json = {"name": "id", "in": "path", "required": True, "schema": NAME, "description": "as you sent it"}
_ORIGIN = _query("source", NAME, "the events' `source`; needed where several of your sources use one id")
_LIST = _operation(
    "listEvents", "What became of my events",
    "Oldest first. A page may be thin, even empty, while there is a `next`; the journal may be a moment behind.",
    _LOOK_UP,
    [
        _query("since", TIME, "accepted at this time or later"),
        _query("until", TIME, "accepted before this time"),
        _query("status", {"enum": list(STATUSES)}, "only these"),
        _ORIGIN,
        _query("limit", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}, "events of a page"),
        _query("cursor", {"type": "string", "minLength": 4, "maxLength": 64}, "`next` of the page before"),
    ],
    _ok(ref("Page")),
)  # fmt: skip
_STATUS = _operation(
    "eventStatus", "What became of my event", "Its journey so far; your own events only.",
    [*_LOOK_UP, "not_found", "ambiguous_id"], [_ID, _ORIGIN], _ok(ref("Journey")),
)  # fmt: skip
_ANY: Json = {
    _JSON: {"schema": {"description": "what the source takes; a list is answered item by item"}, "example": {}}
}
_PLAIN: Json = {
    str(status): {"description": "Stored, in the source's own words", "headers": _ON_STORED}
    for status in (200, 201, 204)
}
_CATALOG = _operation(
    "catalog", "What I may send, and how", "Your sources.", [*_ASK, "invalid_request"], [], _ok(ref("Catalog"))
)
_SCHEMA = _operation(
    "schema", "The schema of an event's data", "JSON Schema 2020-12 of a type you may send.",
    [*_ASK, "invalid_request", "not_found"],
    [{"name": name, "in": "path", "required": True, "schema": NAME} for name in ("type", "version")],
    _ok({"type": "object"}, SCHEMA),
)  # fmt: skip
_DOCUMENT = _operation(
    "openapi", "This document", "With a key: your event types.", _ASK, [], _ok({"type": "object"}),
    security=[{}, {"bearer": []}],
)  # fmt: skip
_LIVEZ = _operation("livez", "The process lives", "Needs no key.", [], [], _ok(TEXT, "text/plain"), security=[{}])
_READYZ = _operation(
    "readyz", "The broker answers", "Needs no key.", [], [],
    _ok(TEXT, "text/plain") | {"503": {"description": "It does not", "content": {"text/plain": {"schema": TEXT}}}},
    security=[{}],
)  # fmt: skip
PATHS: Json = {
    "/v1/events": {"get": _LIST, "options": _options("eventsOptions", ())},
    "/v1/events/{id}": {"get": _STATUS},
    "/v1/sources/{source}": at_source("", [_SOURCE], _ANY),
    "/v1/catalog": {"get": _CATALOG},
    "/v1/schemas/{type}/{version}": {"get": _SCHEMA},
    "/openapi.json": {"get": _DOCUMENT},
    "/livez": {"get": _LIVEZ},
    "/readyz": {"get": _READYZ},
}
