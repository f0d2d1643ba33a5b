"""Finds replays that came to nothing: never stored, lost, or without the outcome that they had."""

from collections.abc import Iterator

from crossdock.adapters.positions import Positions
from crossdock.adapters.underway import UnderWay
from crossdock.kernel.stream import EVENTS, RAW
from dlq.record import Place
from journal.book import AGAIN, Book
from journal.ledger import Missing
from journal.marks import STATE

STORED_AFTER = 60.0  # seconds after which a replay that was recorded is stored, or never will be


async def gone(book: Book, at: Positions, under_way: UnderWay) -> list[Missing]:
    """Return what was replayed a while ago, has no outcome, and of which no copy waited at some positions.

    Raises:
        Unavailable: the broker does not answer.
    """
    replayed = {place: subject for place, subject in _replayed(book) if place[0] not in at.leaving}
    waiting = await under_way.of(at, replayed) if replayed else {}
    return [_missing(book, *place) for place in replayed if place not in waiting]


def _missing(book: Book, route: str, seq: int) -> Missing:
    stream, source = (EVENTS, "") if route else (RAW, book.source_of(book.raw[seq]))
    return Missing(stream, seq, source, route, "replayed, but no outcome was recorded", book.day(stream, seq))


def _replayed(book: Book) -> Iterator[tuple[Place, str]]:
    """Yield what was replayed a while ago, and the subject in RAW that a copy may have."""
    raw, events = book.stored[RAW], book.stored[EVENTS]
    if any(row[AGAIN] for row in book.source_sums.values()):
        for seq, value in book.raw.open(raw.first, raw.last):
            if value & STATE == AGAIN and ("", seq) not in book.replays:
                yield ("", seq), f"raw.*.{book.source_of(value)}"
    for route in sorted({name for (name, _), row in book.route_sums.items() if row[AGAIN]}):
        for seq, state in book.routes[route].open(events.first, events.last):
            if state == AGAIN and (route, seq) not in book.replays:
                yield (route, seq), "raw.>"
