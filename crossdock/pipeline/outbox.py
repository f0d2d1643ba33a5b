"""Sends lots of replays: with room at their routes, in the journal first, and none twice after a kill."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from crossdock.kernel.stream import EVENTS, RAW, Log, Message
from crossdock.pipeline.copies import Copy
from crossdock.pipeline.recorder import append_entries, append_patiently
from dlq.plans import Plan

LOOK_EVERY = 0.25
ROOM = 1000  # replays of a route that it has not read: with more none is added, so that new events wait little

Runs = Callable[[], Awaitable[bool]]  # whether the plan still runs


class Counts(NamedTuple):
    """What became of a lot: sent, changed since or not wanted, and past its retention.

    `mark` is the last sequence of it in each stream that it was sent to.
    """

    sent: int
    skipped: int
    gone: int
    mark: Mapping[str, int] = MappingProxyType({})


class Sends(Protocol):
    """What the streams say of replays; every method raises Unavailable when the broker does not answer."""

    async def newest(self) -> dict[str, int]:
        """Return the last sequence of each stream that replays are sent to."""

    async def since(self, mark: Mapping[str, int], subjects: Sequence[str]) -> set[str]:
        """Return the keys of all records on these subjects after a mark."""

    async def recorded(self) -> int:
        """Return the last sequence of JOURNAL, 0 when it holds nothing."""

    async def unread(self, route: str) -> int:
        """Return how many messages a route has not read, 0 for one that there is not."""

    async def message(self, stream: str, seq: int) -> Message | None:
        """Return a message with its body, None when it is past its retention or its body is lost."""


class Outbox:
    """What all plans send through; `waits` names, by plan, the route that has no room for more of it."""

    def __init__(self, streams: Log, sends: Sends) -> None:
        self.sends = sends
        self.waits: dict[str, str] = {}
        self._streams = streams

    async def room(self, plan: Plan, routes: Collection[str], runs: Runs) -> bool:
        """Wait until each route has read what was sent to it, but for a few; False when the plan was stopped before.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            for route in routes:
                while await self.sends.unread(route) >= ROOM:
                    self.waits[plan.id] = route
                    if not await runs():
                        return False
                    await asyncio.sleep(LOOK_EVERY)  # a route that is paused may have no room for days
        finally:
            self.waits.pop(plan.id, None)
        return True

    async def there(self, plan: Plan, copies: Sequence[Copy]) -> set[str]:
        """Return which of these were sent already by whoever was killed, as the streams have it.

        The broker's own window of repeats may have passed since.

        Raises:
            Unavailable: the broker does not answer.
        """
        keys = {copy.record.key for copy in copies}
        return keys & await self.sends.since(plan.mark, sorted({copy.record.subject for copy in copies}))

    async def send(self, copies: Sequence[Copy]) -> dict[str, int]:
        """Say in the journal what is sent before it is, as every replay does; return where it ends in each stream.

        Waits for a broker that is away.
        """
        if not copies:
            return {}
        await append_entries(self._streams, [copy.line for copy in copies])
        seqs = await append_patiently(self._streams, [copy.record for copy in copies])
        mark: dict[str, int] = {}
        for copy, seq in zip(copies, seqs, strict=True):
            stream = RAW if copy.record.subject.startswith("raw.") else EVENTS
            mark[stream] = max(mark.get(stream, 0), seq)
        return mark
