"""Every port in memory: what `test` and `try` run on, and the quick half of the conformance suites."""

import asyncio
import time
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence

from crossdock.kernel.apikeys import KeyRecord
from crossdock.kernel.stream import Inbox, Message, Record, Stored
from crossdock.pipeline.ports import Claim, Owner
from routes.spec import Route


class MemoryLog:
    """A stream with an endless repeat window."""

    def __init__(self) -> None:
        self.records: list[tuple[Record, float]] = []
        self.grown = asyncio.Condition()
        self._keys: dict[str, int] = {}

    async def append(self, record: Record) -> Stored:
        """See `Log.append`."""
        known = self._keys.get(record.key)
        if known is not None:
            return Stored(known, duplicate=True)
        self.records.append((record, time.time()))
        self._keys[record.key] = len(self.records)
        async with self.grown:
            self.grown.notify_all()
        return Stored(len(self.records))

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        """See `Log.append_all`."""
        return [await self.append(record) for record in records]

    def message(self, seq: int, deliveries: int = 1) -> Message:
        """Return the stored message with this sequence."""
        record, at = self.records[seq - 1]
        return Message(seq, record.subject, record.payload, record.headers, deliveries, at, handle=seq)


class MemoryInbox:
    """A consumer of a `MemoryLog`; unacknowledged messages come again after `redeliver`."""

    def __init__(self, log: MemoryLog, subjects: Sequence[str] = (">",), first: int = 1) -> None:
        self._log = log
        self._subjects = subjects
        self._next = first
        self._again: deque[int] = deque()
        self._pending: dict[int, int] = {}

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        """See `Inbox.fetch`."""
        messages = self._take(limit)
        if messages:
            return messages
        try:
            async with asyncio.timeout(wait), self._log.grown:
                await self._log.grown.wait()
        except TimeoutError:
            return []
        return self._take(limit)

    @property
    def handed_out(self) -> int:
        """The sequence up to which messages were handed out."""
        return self._next - 1

    async def drained(self, in_hand: int) -> bool:
        """See `Inbox.drained`."""
        return self._next > len(self._log.records) and len(self._pending) <= in_hand

    async def floor(self) -> int:
        """See `Inbox.floor`."""
        return min(self._pending, default=self._next) - 1

    async def done(self, seq: int, in_hand: Collection[int]) -> bool:
        """See `Inbox.done`."""
        return self._next > min(seq, len(self._log.records)) and not any(taken <= seq for taken in self._pending)

    def ack(self, messages: Iterable[Message]) -> None:
        """See `Inbox.ack`."""
        for message in messages:
            self._pending.pop(message.seq, None)

    def extend(self, messages: Iterable[Message]) -> None:
        """See `Inbox.extend`; nothing expires in memory."""

    def redeliver(self) -> None:
        """Hand out again what was not acknowledged, as a broker does after a crash."""
        self._again.extend(seq for seq in sorted(self._pending) if seq not in self._again)

    def unacknowledged(self) -> list[int]:
        """Return the sequences handed out and not acknowledged."""
        return sorted(self._pending)

    def _take(self, limit: int) -> list[Message]:
        taken: list[Message] = []
        while len(taken) < limit:
            seq = self._again.popleft() if self._again else self._next
            if seq > len(self._log.records):
                break
            if seq == self._next:
                self._next += 1
            message = self._log.message(seq, self._pending.get(seq, 0) + 1)
            if any(_matches(subject, message.subject) for subject in self._subjects):
                self._pending[seq] = message.deliveries
                taken.append(message)
        return taken


class MemoryBacklogs:
    """The own consumers of routes on a memory log."""

    def __init__(self, log: MemoryLog) -> None:
        self._log = log
        self.inboxes: dict[str, MemoryInbox] = {}

    async def find(self, route: Route) -> MemoryInbox | None:
        """See `Backlogs.find`."""
        return self.inboxes.get(route.name)

    async def open(self, route: Route, since: int) -> MemoryInbox:
        """See `Backlogs.open`."""
        subjects = (*(f"event.{kind}" for kind in route.types), f"replay.{route.name}")
        inbox = self.inboxes[route.name] = MemoryInbox(self._log, subjects, since)
        return inbox

    async def drop(self, route: Route, _: Inbox | None) -> None:
        """See `Backlogs.drop`."""
        self.inboxes.pop(route.name, None)

    async def close(self, _: Inbox) -> None:
        """See `Backlogs.close`."""


class MemorySeen:
    """Claims in a dict; nothing expires."""

    def __init__(self) -> None:
        self._owners: dict[str, Owner] = {}

    async def claim(self, claims: Sequence[Claim]) -> list[Owner]:
        """See `Seen.claim`."""
        return [self._owners.setdefault(claim.key, Owner(claim.owner, claim.digest)) for claim in claims]


class MemoryKeys:
    """The key book in a dict."""

    def __init__(self) -> None:
        self._records: dict[str, KeyRecord] = {}

    def find(self, key_id: str) -> KeyRecord | None:
        """See `KeyBook.find`."""
        return self._records.get(key_id)

    async def learn(self, key_id: str) -> None:
        """See `KeyBook.learn`; everything is known here."""

    def records(self) -> list[KeyRecord]:
        """See `KeyBook.records`."""
        return sorted(self._records.values(), key=lambda record: record.created)

    async def put(self, record: KeyRecord) -> None:
        """See `KeyBook.put`."""
        self._records[record.id] = record

    async def replace(self, old: KeyRecord, new: KeyRecord) -> bool:
        """See `KeyBook.replace`."""
        if self._records.get(new.id) != old:
            return False
        self._records[new.id] = new
        return True

    async def remove(self, key_id: str) -> bool:
        """See `KeyBook.remove`."""
        return self._records.pop(key_id, None) is not None


class MemoryUses:
    """When keys were used, in a dict."""

    def __init__(self) -> None:
        self._last: dict[str, int] = {}

    async def note(self, used: Mapping[str, int]) -> None:
        """See `Uses.note`."""
        self._last |= {key_id: max(at, self._last.get(key_id, 0)) for key_id, at in used.items()}

    async def last(self) -> dict[str, int]:
        """See `Uses.last`."""
        return dict(self._last)


def _matches(pattern: str, subject: str) -> bool:
    return pattern in (">", subject) or (pattern.endswith(".>") and subject.startswith(pattern[:-1]))
