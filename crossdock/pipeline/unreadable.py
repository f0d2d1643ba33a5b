"""Messages of JOURNAL that nobody can read: counted, logged and named, so that what follows them goes on."""

import logging
import time
from collections.abc import Callable
from typing import Any

from prometheus_client import Counter

from crossdock.kernel import jsontext
from crossdock.kernel.stream import Message
from dlq.ports import Records
from journal.entry import Entry, unpack

log = logging.getLogger(__name__)

MOST = 1000  # that are named; those beyond are counted and logged
FRESH = 60.0  # seconds for which is kept in mind which they are: some expire, and another process may name some


class Unreadable:
    """The messages that were stepped over; they stay in the stream for as long as it keeps what it is given."""

    def __init__(self, records: Records, counter: Counter, clock: Callable[[], float] = time.monotonic) -> None:
        self._records = records
        self._counter = counter
        self._clock = clock
        self._known: dict[int, dict[str, Any]] = {}
        self._until = float("-inf")

    async def note(self, message: Message, why: str) -> None:
        """Name a message before it is stepped over.

        Raises:
            Unavailable: the store does not answer.
        """
        log.error("journal: message %d is stepped over, or a part of it: %s", message.seq, why)
        self._counter.inc()
        if len(await self.all()) < MOST:
            told = {"seq": message.seq, "at": int(message.time * 1000), "why": why, "bytes": len(message.payload)}
            if await self._records.put(str(message.seq), jsontext.dumps(told), 0) is not None:
                self._known[message.seq] = told

    async def all(self) -> list[dict[str, Any]]:
        """Return the messages that are named, newest first: `seq`, `at` (Unix milliseconds), `why` and `bytes`.

        Raises:
            Unavailable: the store does not answer.
        """
        if self._clock() >= self._until:
            found = [jsontext.own_loads(stored) for stored, _ in (await self._records.all()).values()]
            self._known, self._until = {one["seq"]: one for one in found}, self._clock() + FRESH
        return sorted(self._known.values(), key=lambda one: -one["seq"])

    async def dismiss(self, seq: int) -> None:
        """Name a message no more, which makes room for another one.

        Raises:
            Unavailable: the store does not answer.
        """
        await self._records.remove(str(seq))
        self._known.pop(seq, None)


def readable(message: Message) -> list[Entry] | str:
    """Return the entries of a message, or why it has none that can be read."""
    try:
        return unpack(message.payload)
    except ValueError as error:
        return str(error)[:200]


def entries(message: Message) -> list[Entry]:
    """Return the entries of a message for who does not name what cannot be read."""
    found = readable(message)
    if isinstance(found, str):
        log.warning("journal: message %d cannot be read: %s", message.seq, found)
        return []
    return found
