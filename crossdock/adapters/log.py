"""Appending to streams: one reply inbox for all acknowledgements, atomic batches written in one piece."""

import asyncio
import time
from collections.abc import Sequence

import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError

from crossdock.adapters import wire
from crossdock.adapters.claims import HEAD, LARGE, Claims
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Record, Stored

ACK_TIMEOUT = (
    5.0  # seconds until an append counts as not acknowledged; ambiguous, so the caller repeats with the same key
)
BATCH = 500  # messages of one atomic batch; the server takes 1,000
# The server makes a store of its own for each atomic batch, which takes it 3 ms; an append alone takes it 0.03 ms, and
# 0.3 ms more where it writes each to disk before it acknowledges. From so many messages on a batch is quicker.
ATOMIC_FROM = 64
ATOMIC_FROM_SYNCED = 12
_DUPLICATE_IN_BATCH = 10201

Sending = tuple[str, dict[str, str], bytes]  # subject, headers, payload


Outcome = Stored | Exception


class Repeated(Exception):
    """An atomic batch was refused because one of its messages is stored already."""


class _Answers:
    """The acknowledgements of messages that were written together, in their order."""

    __slots__ = ("deadline", "future", "left", "outcomes")

    def __init__(self, count: int) -> None:
        self.deadline = time.monotonic() + ACK_TIMEOUT
        self.future: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self.outcomes: list[Outcome] = [Unavailable("nats: no acknowledgement")] * count
        self.left = count

    def take(self, place: int, outcome: Outcome) -> None:
        """Note one of them; the last one wakes who waits."""
        self.outcomes[place] = outcome
        self.left -= 1
        if not self.left:
            self.end()

    def end(self) -> None:
        """Wait for no more."""
        if not self.future.done():
            self.future.set_result(self.outcomes)


class Acks:
    """One reply inbox for the acknowledgements of all appends of a connection."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._prefix = client.new_inbox() + "."
        self._waiting: dict[bytes, tuple[_Answers, int]] = {}
        self._number = 0
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Subscribe to the inbox."""
        await wire.subscribe(self.client, self._prefix + "*", self._on_reply)
        wire.parser_of(self.client).lost.append(self._on_loss)
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Stop waiting."""
        wire.parser_of(self.client).lost.remove(self._on_loss)
        if self._sweeper:
            self._sweeper.cancel()

    async def send(self, frames: list[bytes], asking: Sequence[Sending]) -> list[Outcome]:
        """Write frames, and after them messages whose acknowledgements are waited for, all in one piece.

        Raises:
            Unavailable: not connected, or the messages cannot be written; what the broker says is in the outcomes.
        """
        answers = _Answers(len(asking))
        first = self._number + 1
        self._number += len(asking)
        tokens = [b"%d" % number for number in range(first, self._number + 1)]
        try:
            frames += [
                wire.frame_with_headers(subject, f"{self._prefix}{number}", headers, payload)
                for number, (subject, headers, payload) in enumerate(asking, first)
            ]
            self._waiting.update((token, (answers, place)) for place, token in enumerate(tokens))
            wire.write(self.client, frames)
            return await answers.future
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        finally:
            if answers.left:
                for token in tokens:
                    self._waiting.pop(token, None)

    def _on_reply(self, subject: bytes, _: bytes, __: bytes, payload: bytes) -> None:
        waits = self._waiting.pop(subject[len(self._prefix) :], None)
        if waits is not None:
            answers, place = waits
            answers.take(place, _outcome(payload))

    def _on_loss(self) -> None:
        """Give up what waits: the answers of a connection that is gone never come, though another is there at once."""
        for answers, _ in self._waiting.values():
            answers.end()

    async def _sweep(self) -> None:
        """Give up what waits too long, and what waits for a connection that was given up for good."""
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            for answers, _ in list(self._waiting.values()):
                if answers.deadline < now or not self.client.is_connected:
                    answers.end()


def _outcome(payload: bytes) -> Outcome:
    if not payload:
        return Unavailable("nats: no stream answers")
    answer = orjson.loads(payload)
    error = answer.get("error")
    if error is None:
        return Stored(answer["seq"], answer.get("duplicate", False))
    return Repeated() if error.get("err_code") == _DUPLICATE_IN_BATCH else Unavailable(f"nats: {error['description']}")


class NatsLog:
    """Appends to whatever stream listens on a record's subject; bodies of more than `large` bytes beside it."""

    def __init__(self, acks: Acks, *, atomic_from: int = ATOMIC_FROM, large: int = LARGE) -> None:
        self._acks = acks
        self._claims = Claims(acks.client, self._store)
        self._large = min(large, acks.client.max_payload - HEAD)
        self._atomic_from = atomic_from
        self._batches = 0

    async def append(self, record: Record) -> Stored:
        """See `Log.append`."""
        if len(record.payload) > self._large:
            record = await self._claims.check_in(record)
        return (await self._append_each([record]))[0]

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        """See `Log.append_all`."""
        if [record for record in records if len(record.payload) > self._large]:
            records = [await self._checked_in(record) for record in records]
        if 0 < len(records) <= BATCH:
            return await self._append_some(records)
        stored: list[Stored] = []
        for start in range(0, len(records), BATCH):
            stored += await self._append_some(records[start : start + BATCH])
        return stored

    async def _append_some(self, records: Sequence[Record]) -> list[Stored]:
        if len(records) >= self._atomic_from:
            try:
                return await self._append_atomically(records)
            except Repeated:
                pass  # a redelivered batch: the server says for each message whether it is a repeat
        return await self._append_each(records)

    async def _checked_in(self, record: Record) -> Record:
        return await self._claims.check_in(record) if len(record.payload) > self._large else record

    async def _append_each(self, records: Sequence[Record]) -> list[Stored]:
        return await self._store(
            [(record.subject, {**record.headers, "Nats-Msg-Id": record.key}, record.payload) for record in records]
        )

    async def _store(self, asking: Sequence[Sending]) -> list[Stored]:
        stored = []
        for outcome in await self._acks.send([], asking):
            if isinstance(outcome, Exception):
                raise _again(outcome)
            stored.append(outcome)
        return stored

    async def _append_atomically(self, records: Sequence[Record]) -> list[Stored]:
        """Append with one fsync and one acknowledgement for all."""
        self._batches += 1
        batch, size = f"{id(self):x}-{self._batches}-{time.time_ns():x}", len(records)
        try:
            frames = [_member(record, batch, number) for number, record in enumerate(records[:-1], 1)]
        except NatsError as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        last = records[-1]
        commit = (last.subject, {**_batched(last, batch, size), "Nats-Batch-Commit": "1"}, last.payload)
        (outcome,) = await self._acks.send(frames, [commit])
        if isinstance(outcome, Exception):
            raise _again(outcome)
        return [Stored(seq) for seq in range(outcome.seq - size + 1, outcome.seq + 1)]


def _again(error: Exception) -> Exception:
    """Return an exception like this one: raised itself it would hold, by its traceback, the frame that holds it.

    Such a circle keeps the bytes of its records until the collector runs, which is seldom: 350 MiB on a full disk.
    """
    return type(error)(*error.args)


def _member(record: Record, batch: str, number: int) -> bytes:
    return wire.frame_with_headers(record.subject, "", _batched(record, batch, number), record.payload)


def _batched(record: Record, batch: str, number: int) -> dict[str, str]:
    return {
        **record.headers,
        "Nats-Msg-Id": record.key,
        "Nats-Batch-Id": batch,
        "Nats-Batch-Sequence": str(number),
    }
