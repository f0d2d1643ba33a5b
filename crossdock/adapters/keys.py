"""The key book in a NATS bucket, mirrored in memory by a watch."""

import asyncio
import contextlib
import logging
from dataclasses import asdict
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError

from crossdock.adapters.topology import KEYS
from crossdock.kernel import jsontext
from crossdock.kernel.apikeys import KeyRecord
from crossdock.kernel.problems import Unavailable

log = logging.getLogger(__name__)

RENEW = 30.0
MANY = 32


class NatsKeys:
    """See `KeyBook`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._records: dict[str, KeyRecord] = {}
        self._task: asyncio.Task[None] | None = None
        self._bucket: Any = None
        self._turn = asyncio.Lock()
        self._asking = 0

    async def start(self) -> None:
        """Read all keys and follow their changes."""
        self._bucket = await self._client.jetstream().key_value(KEYS)
        loaded = asyncio.Event()
        self._task = asyncio.create_task(self._follow(loaded))
        await asyncio.wait_for(loaded.wait(), 10)

    async def close(self) -> None:
        """Stop following."""
        if self._task:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    def find(self, key_id: str) -> KeyRecord | None:
        """See `KeyBook.find`."""
        return self._records.get(key_id)

    def records(self) -> list[KeyRecord]:
        """See `KeyBook.records`."""
        return sorted(self._records.values(), key=lambda record: record.created)

    async def learn(self, key_id: str) -> None:
        """See `KeyBook.learn`; one look-up at a time, and none while many wait, so that guessing costs nothing."""
        if self._asking > MANY:
            return
        self._asking += 1
        try:
            async with self._turn:
                if key_id not in self._records:
                    self._apply(await self._bucket.get(key_id))
        except KeyNotFoundError:
            pass
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        finally:
            self._asking -= 1

    async def put(self, record: KeyRecord) -> None:
        """See `KeyBook.put`."""
        try:
            await self._bucket.put(record.id, jsontext.dumps(asdict(record)))
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        self._records[record.id] = record

    async def remove(self, key_id: str) -> bool:
        """See `KeyBook.remove`."""
        if key_id not in self._records:
            return False
        try:
            await self._bucket.delete(key_id)
        except KeyNotFoundError:
            return False
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        self._records.pop(key_id, None)
        return True

    async def _follow(self, loaded: asyncio.Event) -> None:
        """Watch for ever; the watch is renewed now and then, as one may die with its server unnoticed."""
        while True:
            try:
                watcher = await self._bucket.watchall()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(RENEW):
                        async for change in watcher:
                            self._apply(change)
                            if change is None:  # everything present has been told
                                loaded.set()
                await watcher.stop()
            except (NatsError, OSError) as error:
                log.warning("keys: %s", error)
                await asyncio.sleep(0.5)

    def _apply(self, change: Any) -> None:
        if not change:
            return
        if change.operation in ("DEL", "PURGE"):
            self._records.pop(change.key, None)
        else:
            self._records[change.key] = KeyRecord(**jsontext.loads(change.value))
