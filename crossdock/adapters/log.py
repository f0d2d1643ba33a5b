"""Appending to streams: one reply inbox for all acknowledgements, atomic batches written in one piece."""

import asyncio
import time
from collections.abc import Sequence

import orjson
from nats.aio.client import Client
from nats.errors import Error as NatsError

from crossdock.adapters import wire
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import Record, Stored

ACK_TIMEOUT = (
    5.0  # seconds until an append counts as not acknowledged; ambiguous, so the caller repeats with the same key
)
BATCH = 500  # messages of one atomic batch; the server takes 1,000
_DUPLICATE_IN_BATCH = 10201


class Repeated(Exception):
    """An atomic batch was refused because one of its messages is stored already."""


class Acks:
    """One reply inbox for the acknowledgements of all appends of a connection."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self._prefix = client.new_inbox() + "."
        self._waiting: dict[bytes, tuple[float, asyncio.Future[Stored]]] = {}
        self._number = 0
        self._sweeper: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Subscribe to the inbox."""
        await wire.subscribe(self.client, self._prefix + "*", self._on_reply)
        self._sweeper = asyncio.create_task(self._sweep())

    async def close(self) -> None:
        """Stop waiting."""
        if self._sweeper:
            self._sweeper.cancel()

    async def send(self, frames: list[bytes], subject: str, headers: dict[str, str], payload: bytes) -> Stored:
        """Write frames and one message more, and wait for the stream's acknowledgement of the latter.

        Raises:
            Unavailable: not connected, refused by the server, or no answer in time.
            Repeated: an atomic batch held a message that is stored already.
        """
        self._number += 1
        token = b"%d" % self._number
        future: asyncio.Future[Stored] = asyncio.get_running_loop().create_future()
        self._waiting[token] = (time.monotonic() + ACK_TIMEOUT, future)
        try:
            last = wire.frame_with_headers(subject, self._prefix + token.decode(), headers, payload)
            wire.write(self.client, [*frames, last])
            return await future
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        finally:
            self._waiting.pop(token, None)

    def _on_reply(self, subject: bytes, _: bytes, __: bytes, payload: bytes) -> None:
        waits = self._waiting.get(subject[len(self._prefix) :])
        future = waits[1] if waits else None
        if future is None or future.done():
            return
        if not payload:
            future.set_exception(Unavailable("nats: no stream answers"))
            return
        answer = orjson.loads(payload)
        error = answer.get("error")
        if error:
            known = error.get("err_code") == _DUPLICATE_IN_BATCH
            future.set_exception(Repeated() if known else Unavailable(f"nats: {error.get('description')}"))
        else:
            future.set_result(Stored(answer["seq"], answer.get("duplicate", False)))

    async def _sweep(self) -> None:
        """Give up what waits too long, and at once what waits for a connection that is gone."""
        while True:
            await asyncio.sleep(0.25)
            now = time.monotonic()
            for deadline, future in list(self._waiting.values()):
                if not future.done() and (deadline < now or not self.client.is_connected):
                    future.set_exception(Unavailable("nats: no acknowledgement"))


class NatsLog:
    """Appends to whatever stream listens on a record's subject."""

    def __init__(self, acks: Acks) -> None:
        self._acks = acks
        self._batches = 0

    async def append(self, record: Record) -> Stored:
        """See `Log.append`."""
        return await self._acks.send([], record.subject, {**record.headers, "Nats-Msg-Id": record.key}, record.payload)

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        """See `Log.append_all`; an atomic batch is one fsync and one acknowledgement for all."""
        if len(records) <= BATCH:
            return await self._append_batch(records)
        stored: list[Stored] = []
        for start in range(0, len(records), BATCH):
            stored += await self._append_batch(records[start : start + BATCH])
        return stored

    async def _append_batch(self, records: Sequence[Record]) -> list[Stored]:
        if len(records) > 1:
            try:
                return await self._append_atomically(records)
            except Repeated:
                pass  # a redelivered batch: the server says for each message whether it is a repeat
        return await asyncio.gather(*(self.append(record) for record in records))

    async def _append_atomically(self, records: Sequence[Record]) -> list[Stored]:
        self._batches += 1
        batch, size = f"{id(self):x}-{self._batches}-{time.time_ns():x}", len(records)
        try:
            frames = [_member(record, batch, number) for number, record in enumerate(records[:-1], 1)]
        except NatsError as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        last = records[-1]
        headers = {**_batched(last, batch, size), "Nats-Batch-Commit": "1"}
        ack = await self._acks.send(frames, last.subject, headers, last.payload)
        return [Stored(seq) for seq in range(ack.seq - size + 1, ack.seq + 1)]


def _member(record: Record, batch: str, number: int) -> bytes:
    return wire.frame_with_headers(record.subject, "", _batched(record, batch, number), record.payload)


def _batched(record: Record, batch: str, number: int) -> dict[str, str]:
    return {
        **record.headers,
        "Nats-Msg-Id": record.key,
        "Nats-Batch-Id": batch,
        "Nats-Batch-Sequence": str(number),
    }
