"""Small documents in a bucket of NATS; see `dlq.ports.Records`."""

from typing import Any

from nats.aio.client import Client
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from crossdock.adapters.watch import told
from crossdock.adapters.whole import read

_REMOVED = "KV-Operation"  # the header of what stands in the place of a removed record


class NatsRecords:
    """The documents of one bucket."""

    def __init__(self, client: Client, bucket: str) -> None:
        self._client = client
        self._name = bucket

    async def all(self, under: str = "") -> dict[str, tuple[bytes, int]]:
        """See `Records.all`."""
        found: dict[str, tuple[bytes, int]] = {}
        subjects = f"$KV.{self._name}.{under}.>" if under else f"$KV.{self._name}.>"
        with told():
            async for batch in read(self._client, f"KV_{self._name}", subjects=[subjects]):
                kept = [m for m in batch if _REMOVED not in m.headers]
                found |= {m.subject.removeprefix(f"$KV.{self._name}."): (m.payload, m.seq) for m in kept}
        return found

    async def get(self, name: str) -> tuple[bytes, int] | None:
        """See `Records.get`."""
        with told():
            try:
                entry = await (await self._bucket()).get(name)
            except KeyNotFoundError:
                return None
        return entry.value, entry.revision

    async def put(self, name: str, stored: bytes, version: int) -> int | None:
        """See `Records.put`."""
        with told():
            try:
                bucket = await self._bucket()
                # `create` alone knows that a removed one is none
                store = bucket.update(name, stored, last=version) if version else bucket.create(name, stored)
                made: int = await store
            except KeyWrongLastSequenceError:
                return None
        return made

    async def remove(self, name: str) -> None:
        """See `Records.remove`."""
        with told():
            await (await self._bucket()).delete(name)

    async def _bucket(self) -> Any:
        return await self._client.jetstream().key_value(self._name)
