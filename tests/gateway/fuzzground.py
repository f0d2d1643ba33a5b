"""The project that hostile inputs are let loose on, and how an input of bytes stands for a request."""

from collections.abc import Coroutine, Mapping
from pathlib import Path
from typing import Any

from crossdock.adapters.wire import frame_with_headers, read_headers
from crossdock.kernel.event import Event
from crossdock.kernel.jsontext import sorted_dumps
from crossdock.kernel.stream import Message, Record
from crossdock.project import Project, load
from tests.smallproject import ENV, STOCK, edited, source, write, write_schema

_HOOK = """\
source: {name}
partner: stores
accept: webhook
types: [any.thing]
verify: {{hmac: {{secret: "k", header: X-Signature}}}}
event: {event}
on_invalid: {on_invalid}
limits: {{body: 512KiB}}
"""
_ONE = '{id: headers."x-id", type: \'"any.thing"\', subject: body.subject, time: body.at, topic: query.topic}'
_MANY = "{each: body.items, id: body.id, type: '\"any.thing\"', good: body.good}"
CHANGES = {
    "gateway/tills.yaml": source("tills", "stores", "match: /till/", "limits: {body: 512KiB}").replace(
        "[pos.sale]", "[pos.sale, any.thing]"
    ),
    "gateway/kiosks.yaml": source(
        "kiosks", "stores", "match: /kiosk/", "on_invalid: quarantine", 'dedupe: {key: "receipt ? receipt : $event.id"}'
    ).replace("[pos.sale]", "[pos.sale, any.thing]"),
    "gateway/hook.yaml": _HOOK.format(name="hook", event=_ONE, on_invalid="quarantine"),
    "gateway/lots.yaml": _HOOK.format(name="lots", event=_MANY, on_invalid="warn"),
    **edited(STOCK, "[inventory.sold]", "[inventory.sold, any.thing]"),
}
_MOST_FIELDS = 500  # more than the server lets through
_FIELD, _BODY = b"\x1e", b"\x1d"  # between headers, and before the body: a line end may stand in a value


def ground(root: Path) -> Project:
    """Write and load a project with sources of every kind; its type `any.thing` is any JSON."""
    write(root, CHANGES)
    write_schema(root, "any.thing", "1.0", {})
    return load(root, ENV)


def message(headers: Mapping[str, str], body: bytes = b"") -> bytes:
    """Return a request as bytes that can be bent."""
    return _FIELD.join(f"{name}: {value}".encode("latin-1") for name, value in headers.items()) + _BODY + body


def fields(raw: bytes) -> list[tuple[bytes, bytes]]:
    """Return the headers that bytes stand for, in lower case as a server hands them over."""
    head = raw.partition(_BODY)[0]
    pairs = [line.partition(b":") for line in head.split(_FIELD, _MOST_FIELDS)[:_MOST_FIELDS]]
    return [(name.lower(), value.strip(b" \t")) for name, _, value in pairs]


def request_parts(raw: bytes) -> tuple[dict[str, str], bytes]:
    """Return headers and body that bytes stand for."""
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in fields(raw)}
    return headers, raw.partition(_BODY)[2]


def handed_out(record: Record) -> Message:
    """Return a record as a worker gets it from the broker."""
    block, _, rest = frame_with_headers(record.subject, "", record.headers, record.payload).partition(b"\r\n")
    headers = read_headers(rest[: int(block.split()[2])])[1]
    return Message(1, record.subject, record.payload, headers, 1, 0.0)


def told(event: Event) -> tuple[dict[str, Any], bytes]:
    """Return all that an event says, in a form in which 1, 1.0 and true differ."""
    data = event.data if isinstance(event.data, bytes) else sorted_dumps(event.data)
    return {name: (type(value), value) for name, value in event.attributes().items()}, data


def drive(act: Coroutine[Any, Any, Any]) -> Any:
    """Return what a coroutine returns that waits for nothing but its turn."""
    while True:
        try:
            act.send(None)
        except StopIteration as end:
            return end.value
