"""The event codec for all events and all input: round trips, and nothing but `Refused` for what is wrong."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from crossdock.kernel import jsontext
from crossdock.kernel.event import BATCH, STRUCTURED, Event, decode, decode_structured, encode_binary, encode_structured
from crossdock.kernel.problems import Refused

REFUSED_CHARACTERS = "\ufffe\uffff" + "".join(map(chr, range(0xFDD0, 0xFDF0)))
TEXT = st.text(
    st.characters(exclude_categories=["Cc", "Cs"], exclude_characters=REFUSED_CHARACTERS), min_size=1, max_size=60
)
TIMES = st.datetimes(timezones=st.timezones()).map(lambda moment: moment.strftime("%Y-%m-%dT%H:%M:%SZ"))
NUMBERS = st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False, allow_infinity=False)
NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters=REFUSED_CHARACTERS), max_size=20)
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | NAMES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=4),
    max_leaves=12,
)
RESERVED = {"id", "source", "type", "time", "subject", "dataschema", "datacontenttype", "specversion", "data"}
EXTENSION_NAMES = st.from_regex(r"[a-z0-9]{1,20}", fullmatch=True).filter(lambda name: name not in RESERVED)


def events(values: st.SearchStrategy[Any], data: st.SearchStrategy[Any] = JSON) -> st.SearchStrategy[Event]:
    return st.builds(
        Event,
        id=TEXT,
        source=TEXT,
        type=TEXT,
        data=data,
        time=st.just("") | TIMES.filter(lambda text: text[0] != "-" and len(text) == 20),
        subject=st.just("") | TEXT,
        dataschema=st.just("") | TEXT,
        datacontenttype=st.just("application/json"),
        exact=st.just(False),
        extensions=st.dictionaries(EXTENSION_NAMES, values, max_size=3),
    )


def said(event: Event) -> tuple[Any, ...]:
    """Everything an event says; `exact` is only how it was read. Written out, as 1 and 1.0 are equal to Python."""
    return event.attributes(), event.data if isinstance(event.data, bytes) else jsontext.sorted_dumps(event.data)


@given(events(TEXT | st.booleans() | st.integers(-(2**31), 2**31 - 1)))
def test_what_is_written_in_structured_mode_is_read_back_the_same(event: Event) -> None:
    assert said(decode_structured(encode_structured(event))) == said(event)


@given(events(TEXT))
def test_what_is_written_in_binary_mode_is_read_back_the_same(event: Event) -> None:
    headers, body = encode_binary(event)
    assert said(decode(headers, body)) == said(event)


@given(events(TEXT, st.binary(min_size=1, max_size=50)), st.sampled_from(["application/octet-stream", "text/csv"]))
def test_bytes_survive_both_modes(event: Event, media: str) -> None:
    sent = Event(event.id, event.source, event.type, event.data, datacontenttype=media)
    assert said(decode(*encode_binary(sent))) == said(sent)
    assert said(decode_structured(encode_structured(sent))) == said(sent)


@given(events(TEXT | st.booleans() | st.integers(-(2**31), 2**31 - 1)))
def test_headers_are_always_printable_ascii_without_spaces(event: Event) -> None:
    headers, _ = encode_binary(event)
    assert all(0x21 <= ord(character) <= 0x7E for value in headers.values() for character in value)


@given(JSON, st.booleans())
def test_an_event_of_any_client_keeps_its_values(data: Any, ascii_only: bool) -> None:
    document = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": data}
    body = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert jsontext.sorted_dumps(decode_structured(body).data) == jsontext.sorted_dumps(data)


HEADER_NAMES = st.sampled_from(["ce-id", "ce-source", "ce-type", "ce-time", "ce-x", "ce-data"]) | st.text(
    max_size=8
).map(lambda text: "ce-" + text)
MEDIA = st.sampled_from(["application/json", STRUCTURED, BATCH, "text/plain", ""]) | st.text(max_size=20)


@settings(max_examples=300)
@given(st.dictionaries(HEADER_NAMES, st.text(max_size=20), max_size=5), MEDIA, st.booleans(), st.binary(max_size=60))
def test_whatever_comes_in_is_an_event_or_refused(
    headers: dict[str, str], media: str, versioned: bool, body: bytes
) -> None:
    version = {"ce-specversion": "1.0"} if versioned else {}
    try:
        event = decode({**headers, **version, "content-type": media}, body)
    except Refused as refused:
        assert refused.problems and all(problem.code and problem.message for problem in refused.problems)
    else:
        assert said(decode_structured(encode_structured(event))) == said(event)


@settings(max_examples=300)
@given(st.dictionaries(st.text(max_size=12) | st.sampled_from(sorted(RESERVED)), JSON, max_size=6))
def test_whatever_json_object_comes_in_is_an_event_or_refused(members: dict[str, Any]) -> None:
    envelope = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}
    for document in (members, {**envelope, **members}, {**members, **envelope}):
        try:
            event = decode_structured(json.dumps(document).encode())
        except Refused:
            continue
        assert said(decode_structured(encode_structured(event))) == said(event)
