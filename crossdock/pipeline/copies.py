"""Copies of canonical events that go to one route again, and what the journal says of each before it is sent."""

from collections.abc import Mapping
from typing import NamedTuple

from crossdock.kernel.event import Event
from crossdock.kernel.stream import DEAD_LETTER, ORIGIN, RAW_SEQ, SOURCE, Message, Record
from crossdock.pipeline.process import business_key
from crossdock.pipeline.recorder import now_ms
from dlq.record import DELIVER, headers_of, letter_id
from journal import entry
from journal.entry import Entry


class Copy(NamedTuple):
    """What is sent, and the line that says so."""

    record: Record
    line: Entry


def copy_of(route: str, message: Message, event: Event, part_of: str, detail: str, named: Mapping[str, str]) -> Copy:
    """Return the copy of a stored event for a route; `part_of` is what its key begins with, `named` more headers."""
    letter, headers = letter_id(DELIVER, route, message.origin), headers_of(message)
    headers |= {ORIGIN: str(message.origin), DEAD_LETTER: letter, **named}
    line = Entry(
        at=now_ms(),
        stage=entry.REPLAY,
        outcome=entry.REPLAYED,
        partner=str(event.extensions.get("partner", "")),
        source=message.headers.get(SOURCE, ""),
        id=event.id,
        type=event.type,
        raw=int(message.headers.get(RAW_SEQ, 0)),
        seq=message.origin,
        route=route,
        key=business_key(event),
        detail=detail,
        dead_letter=letter,
    )
    return Copy(Record(f"replay.{route}", message.payload, f"{part_of}/{route}/{message.seq}", headers), line)
