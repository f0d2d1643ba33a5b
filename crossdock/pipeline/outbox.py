"""Sends lots of replays: with room at their routes, in the journal first, and none twice after a kill."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, Protocol

from crossdock.kernel.stream import ACT, EVENTS, RAW, Log, Message, Record
from crossdock.pipeline.acts import Sent
from crossdock.pipeline.copies import Copy
from crossdock.pipeline.recorder import append_entries, store_patiently
from crossdock.pipeline.resend import unsent
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


class Sending(NamedTuple):
    """Where what was sent ends in each stream, and of how many another act's is there in the place of this one's."""

    mark: Mapping[str, int] = MappingProxyType({})
    taken: int = 0


class Sends(Sent, Protocol):
    """What the streams say of replays; every method raises Unavailable when the broker does not answer."""

    async def newest(self) -> dict[str, int]:
        """Return the last sequence of each stream that replays are sent to."""

    async def since(self, mark: Mapping[str, int], subjects: Sequence[str]) -> set[tuple[str, str]]:
        """Return the keys of all records on these subjects after a mark, each with the act that sent it."""

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
        found = await self.sends.since(plan.mark, sorted({copy.record.subject for copy in copies}))
        return {record.key for record, _ in copies if (record.key, record.headers.get(ACT, "")) in found}

    async def send(self, copies: Sequence[Copy]) -> Sending:
        """Say in the journal what is sent before it is, as every replay does.

        Waits for a broker that is away.

        Raises:
            Unavailable: it cannot be told whose is there in the place of one.
        """
        if not copies:
            return Sending()
        await append_entries(self._streams, [copy.line for copy in copies])
        records = [copy.record for copy in copies]
        stored = await store_patiently(self._streams, records)
        taken, mark = list[Copy](), dict[str, int]()
        for copy, (seq, repeat) in zip(copies, stored, strict=True):
            stream = RAW if copy.record.subject.startswith("raw.") else EVENTS
            mark[stream] = max(mark.get(stream, 0), seq)
            if repeat and not await self._is_own(copy.record, stream, seq):
                taken.append(copy)
        await append_entries(self._streams, [unsent(copy.line) for copy in taken])
        return Sending(mark, len(taken))

    async def _is_own(self, record: Record, stream: str, seq: int) -> bool:
        found = await self.sends.message(stream, seq)
        return found is not None and found.headers.get(ACT, "") == record.headers.get(ACT, "")
