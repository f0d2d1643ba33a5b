"""Finds replays that came to nothing: never stored, lost, or without the outcome that they had."""

from nats.aio.client import Client

from crossdock.adapters.positions import Positions
from crossdock.adapters.underway import UnderWay
from crossdock.kernel.stream import EVENTS, RAW
from crossdock.pipeline.recorder import now_ms
from dlq.record import Place
from journal.book import Book
from journal.ledger import Missing

STORED_AFTER = 60_000  # milliseconds after which a replay that was recorded is stored, or never will be


class Replays:
    """Asks the streams for what was replayed; RAW is not read on for one of which nothing waited once."""

    def __init__(self, client: Client) -> None:
        self._under_way = UnderWay(client)
        self._lost: dict[Place, int] = {}

    async def gone(self, book: Book, at: Positions) -> list[Missing]:
        """Return what was replayed a while ago, has no outcome, and of which no copy waited at some positions.

        Raises:
            Unavailable: the broker does not answer.
        """
        before, removed = now_ms() - STORED_AFTER, at.leaving - at.readings.keys()
        old = {place: then for place, then in book.replays.items() if then <= before and place[0] not in removed}
        wanted = {place: "" if self._lost.get(place) == then else _subject(book, place) for place, then in old.items()}
        waiting = await self._under_way.of(at, wanted) if wanted else {}
        self._lost = {place: then for place, then in old.items() if place not in waiting}
        return [_missing(book, *place) for place in sorted(self._lost)]


def _subject(book: Book, place: Place) -> str:
    """Return the subject in RAW that a copy may have; nobody knows the source of what was canonical."""
    route, seq = place
    return "raw.>" if route else f"raw.*.{book.source_of(book.raw[seq])}"


def _missing(book: Book, route: str, seq: int) -> Missing:
    stream, source = (EVENTS, "") if route else (RAW, book.source_of(book.raw[seq]))
    return Missing(stream, seq, source, route, "replayed, but no outcome was recorded", book.day(stream, seq))
