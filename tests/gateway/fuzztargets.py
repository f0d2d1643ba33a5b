"""What reads bytes of strangers, each as a function that ends normally or refuses; what is taken must not change."""

import asyncio
import json
import zlib
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any
from urllib.parse import parse_qsl, unquote

import orjson

from bench.partner import partner_itself
from crossdock.kernel import event as events
from crossdock.kernel import jsontext
from crossdock.kernel.event import Event
from crossdock.kernel.metrics import Metrics
from crossdock.kernel.problems import Refused
from crossdock.kernel.stream import DIGEST, EVENT_ID
from crossdock.pipeline.identity import content_digest
from crossdock.pipeline.process import Processor
from crossdock.project import Project
from crossdock.source import SourceSpec
from gateway import webhook
from gateway.caller import caller_of
from gateway.encodings import coding, inflate, inflated
from gateway.head import MAX_QUERY
from gateway.intake import Accepted, Intake
from gateway.ndjson import lines
from gateway.webhook import Call
from tests.gateway.fuzzground import drive, handed_out, request_parts, told

Target = Callable[[bytes], object]
MOST_INFLATED = 1 << 20
MOST_LINE, MOST_LINES = 200, 500
_CODINGS = ("gzip", "deflate", "zstd")
_SAFE = 2**53
MOST = 1000  # items of an array


def json_text(raw: bytes) -> None:
    """What is read is what stands there, to the last digit, and no key stood there twice."""
    value = jsontext.loads(raw)
    exact = json.loads(raw, object_pairs_hook=_once, parse_float=Decimal)
    assert _same(value, exact), "a value has changed"
    assert jsontext.loads(jsontext.dumps(value)) == value, "what was written is not what was read"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs), "a key is given twice"
    return dict(pairs)


def _same(value: Any, exact: Any) -> bool:
    if isinstance(value, dict):
        return value.keys() == exact.keys() and all(_same(value[key], exact[key]) for key in value)
    if isinstance(value, list):
        return len(value) == len(exact) and all(map(_same, value, exact))
    if isinstance(value, float):
        return isinstance(exact, Decimal) and Decimal(repr(value)) == exact
    return type(value) is type(exact) and bool(value == exact)


def array(raw: bytes) -> None:
    """The items are those of the array, and an array that is JSON is cut."""
    try:
        whole = orjson.loads(raw)
    except orjson.JSONDecodeError:
        whole = None
    try:
        items = jsontext.split_array(raw, MOST)
    except Refused as error:
        code = error.problems[0].code
        cut = not isinstance(whole, list) or code == "too_deep" or (code == "batch_too_large" and len(whole) > MOST)
        assert cut, "sound, but not cut"
        raise
    if whole is not None:
        assert [orjson.loads(item) for item in items] == whole, "other items than the array has"
        return
    for item in items:
        jsontext.loads(item)
    raise AssertionError("all items are sound, but the array is not")


def structured(raw: bytes) -> None:
    """An event that is read can be written in both modes and be read again."""
    lossless(events.decode_structured(raw))


def binary(raw: bytes) -> None:
    """As `structured`, from headers and a body."""
    lossless(events.decode(*request_parts(raw)))


def lossless(event: Event) -> None:
    assert told(events.restore(events.encode_structured(event))) == told(event), "structured mode loses something"
    assert event.exact or not any(_big_integers(event.data)), "a big integer is not guarded"
    if isinstance(event.data, bytes) is events.is_json(event.datacontenttype) or event.data is None:
        return  # bytes that are called JSON, and JSON that is called something else, come back as what they are called
    headers, body = events.encode_binary(event)
    assert all(value.isascii() and not _control(value) for value in headers.values()), "not for a header"
    as_text = {name: events.header_value(value) for name, value in event.attributes().items()}
    again = events.decode(headers, body)
    assert {name: events.header_value(value) for name, value in again.attributes().items()} == as_text
    assert told(again)[1] == told(event)[1], "binary mode changes the data"


def _control(text: str) -> bool:
    return any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in text)


def _big_integers(value: Any) -> Iterator[bool]:
    if isinstance(value, dict | list):
        for child in value.values() if isinstance(value, dict) else value:
            yield from _big_integers(child)
    elif isinstance(value, int):
        yield not -_SAFE <= value <= _SAFE


class Door:
    """What stands between a request and RAW; an event that is let in must come out of RAW as it went in."""

    def __init__(self, project: Project) -> None:
        nothing: Any = None
        self._project = project
        self._intake = Intake(project)
        self._processor = Processor(project, nothing, nothing, nothing, Metrics())

    def event(self, raw: bytes) -> None:
        """Take a CloudEvent of a key's."""
        headers, body = request_parts(raw)
        self._keeps(self._intake.accept(partner_itself(self._project, "stores"), headers, body))

    def webhook(self, name: str, raw: bytes) -> None:
        """Take what a webhook brings, as `gateway.endpoint` does."""
        headers, body = request_parts(raw)
        source = self._project.sources[name]
        call = Call(headers, dict(parse_qsl(headers.pop(":query", "")[:MAX_QUERY])), body)
        refused = None
        for member in webhook.cut(source, call)[: source.limits.batch]:
            try:
                self._member(source, call, member)
            except Refused as error:
                refused = error
        if refused:
            raise refused

    def _member(self, source: SourceSpec, call: Call, member: bytes) -> None:
        event = webhook.make_event(source, call, member)
        self._keeps(self._intake.admit(caller_of([source]), source, event, events.encode_headers(event), member))

    def _keeps(self, accepted: Accepted) -> None:
        message = handed_out(accepted.record)
        assert all(name == "content-type" or name.startswith(("ce-", "Crossdock-")) for name in message.headers)
        work = self._processor._decode(message)
        assert work.event is not None, f"taken, and then a dead letter: {work.problems}"
        assert told(work.event) == told(accepted.event.extended(partner="stores")), "RAW gives back another event"
        assert message.headers[DIGEST] == content_digest(work.event)
        assert unquote(message.headers[EVENT_ID]) == accepted.event.id


def line_by_line(raw: bytes) -> None:
    """Lines are the same whatever the pieces they come in."""
    outcomes = [
        _outcome(_lines(chunks)) for chunks in ([raw], list(_pieces(raw)), [raw[i : i + 1] for i in range(300)])
    ]
    if len(raw) <= 300:
        assert outcomes[2] == outcomes[0], "byte by byte there are other lines"
    assert outcomes[1] == outcomes[0], "other pieces, other lines"
    if isinstance(outcomes[0], list):
        plain = [line.removesuffix(b"\r") for line in raw.split(b"\n")]
        assert outcomes[0] == [line for line in plain if line and not line.isspace()]


async def _lines(chunks: Iterable[bytes]) -> list[bytes]:
    return [line async for line in lines(_stream(chunks), MOST_LINE, MOST_LINES)]


async def _stream(chunks: Iterable[bytes]) -> AsyncIterator[bytes]:
    for chunk in chunks:
        yield chunk


def _pieces(raw: bytes) -> Iterator[bytes]:
    """Cut at places that depend on the bytes alone."""
    rng = Random(zlib.crc32(raw))
    cuts = sorted(rng.randrange(len(raw) + 1) for _ in range(rng.randrange(12)))
    yield from (raw[start:end] for start, end in pairwise([0, *cuts, len(raw)]))


def _outcome(act: Any) -> Any:
    try:
        return drive(act)
    except Refused as error:
        return error.problems[0].code


def compressed(raw: bytes) -> None:
    """The first byte names the coding; whole and in pieces it comes to the same."""
    encoding, body = coding(_CODINGS[raw[0] % 3] if raw else "br"), raw[1:]
    streamed = _outcome(_inflated(body, encoding))
    try:
        whole = inflate(body, encoding, MOST_INFLATED)
    except Refused:
        assert isinstance(streamed, str), "in pieces it is taken, whole it is not"
        raise
    assert streamed == whole, "in pieces it inflates to something else"
    assert len(whole) <= MOST_INFLATED


async def _inflated(body: bytes, encoding: str) -> bytes:
    chunks = inflated(_stream(_pieces(body)), encoding, MOST_INFLATED, asyncio.Lock())
    return b"".join([chunk async for chunk in chunks])
