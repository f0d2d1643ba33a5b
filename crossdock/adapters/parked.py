"""What is parked, on NATS: a note for each event that waits for a row, in a bucket."""

import asyncio
from collections.abc import AsyncIterator, Collection, Sequence

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from crossdock.adapters.topology import PARKED
from crossdock.adapters.whole import read
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Unavailable
from crossdock.pipeline.parking import Note, key_mark

_STREAM = f"KV_{PARKED}"


class NatsNotes:
    """See `crossdock.pipeline.parking.Notes`."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def put(self, notes: Sequence[Note]) -> None:
        """See `Notes.put`."""
        try:
            bucket = await self._client.jetstream().key_value(PARKED)
            await asyncio.gather(*(bucket.put(note.place, _text(note)) for note in notes))
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def mark(self, note: Note) -> None:
        """See `Notes.mark`."""
        try:
            bucket = await self._client.jetstream().key_value(PARKED)
            present = await bucket.get(note.place)
            if present.value == _text(note):
                await bucket.update(note.place, _text(note._replace(sent=True)), last=present.revision)
        except (KeyNotFoundError, KeyWrongLastSequenceError):  # settled, or parked again
            pass
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def drop(self, letters: Collection[str]) -> None:
        """See `Notes.drop`."""
        try:
            if await self._count():
                jetstream = self._client.jetstream()
                for letter in letters:
                    await jetstream.purge_stream(_STREAM, subject=f"$KV.{PARKED}.*.*.{letter}")
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def find(self, table: str = "", keys: Collection[str] = ()) -> AsyncIterator[list[Note]]:
        """See `Notes.find`."""
        places = [f"{table}.{key_mark(key)}.*" for key in keys] or [f"{table}.>" if table else ">"]
        try:
            if await self._count():
                async for batch in read(self._client, _STREAM, subjects=[f"$KV.{PARKED}.{place}" for place in places]):
                    yield [Note(*jsontext.own_loads(message.payload)) for message in batch]
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def _count(self) -> int:
        return (await self._client.jetstream().stream_info(_STREAM)).state.messages


def _text(note: Note) -> bytes:
    return jsontext.dumps(list(note))
