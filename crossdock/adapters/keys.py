"""The key book in a NATS bucket, mirrored in memory by a watch."""

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError

from crossdock.adapters.topology import KEYS
from crossdock.kernel import jsontext
from crossdock.kernel.apikeys import KeyRecord, read_record
from crossdock.kernel.problems import Unavailable

log = logging.getLogger(__name__)

_ASK = f"$JS.API.STREAM.INFO.KV_{KEYS}"
QUIET = 0.25  # seconds without a change after which the bucket is asked whether there was one
MANY = 32


class NatsKeys:
    """See `KeyBook`."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._records: dict[str, KeyRecord] = {}
        self._revisions: dict[str, int] = {}  # of revoked keys too, so that no older answer brings one back
        self._heard = 0
        self._born = ""
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
            with _told(), contextlib.suppress(KeyNotFoundError):
                async with self._turn:
                    if key_id not in self._records:
                        self._apply(await self._bucket.get(key_id))
        finally:
            self._asking -= 1

    async def put(self, record: KeyRecord) -> None:
        """See `KeyBook.put`."""
        with _told():
            self._keep(record.id, await self._bucket.put(record.id, jsontext.dumps(asdict(record))), record)

    async def replace(self, old: KeyRecord, new: KeyRecord) -> bool:
        """See `KeyBook.replace`."""
        if self._records.get(new.id) != old:
            return False
        with _told():
            try:
                revision = await self._bucket.update(new.id, jsontext.dumps(asdict(new)), self._revisions[new.id])
            except KeyWrongLastSequenceError:
                return False
            self._keep(new.id, revision, new)
            return True

    async def remove(self, key_id: str) -> bool:
        """See `KeyBook.remove`."""
        if key_id not in self._records:
            return False
        with _told():
            await self._bucket.delete(key_id)
        self._keep(key_id, self._revisions[key_id] + 1, None)  # the marker's own revision is this or later
        return True

    async def _follow(self, loaded: asyncio.Event) -> None:
        """Watch for ever, with another watch when one has missed something."""
        while True:
            try:
                await self._hear(loaded)
                log.warning("keys: the watch missed a change, another one reads all keys again")
            except (NatsError, OSError) as error:
                log.warning("keys: %s", error)
                await asyncio.sleep(QUIET)

    async def _hear(self, loaded: asyncio.Event) -> None:
        """Follow one watch until the bucket knows of a change that the watch did not tell within `QUIET`.

        A watch dies unnoticed with its server, and messages get lost with a connection.
        """
        present, newest, missed = await self._newest(), 0, False
        watcher = await self._bucket.watchall()
        try:
            while not missed:
                try:
                    async with asyncio.timeout(QUIET):  # `updates` waits by `wait_for`, which in 3.11 may lose a cancel
                        change = await anext(watcher)
                except TimeoutError:
                    missed = self._heard < newest
                    with contextlib.suppress(NatsError, OSError):  # what cannot be asked now is asked again
                        newest = await self._newest()
                    continue
                self._heard = max(self._heard, change.revision if change else present)
                if change:
                    self._apply(change)
                else:  # everything present has been told
                    loaded.set()
        finally:
            with contextlib.suppress(NatsError, OSError):  # over a cancellation this would be heard as a lost broker
                await watcher.stop()

    async def _newest(self) -> int:
        """Return the last revision of the bucket; a bucket made anew knows none of the keys we know."""
        answer = await self._client.request(_ASK, b"", timeout=QUIET)
        info = jsontext.own_loads(answer.data)  # `stream_info` makes objects of all of it, four times a second
        if "error" in info:
            raise NatsError(info["error"].get("description", "no answer"))
        if info["created"] != self._born:
            self._born, self._heard = info["created"], 0
            self._records.clear()
            self._revisions.clear()
        newest: int = info["state"]["last_seq"]
        return newest

    def _apply(self, change: Any) -> None:
        record = None
        if change.operation not in ("DEL", "PURGE"):
            try:
                record = read_record(change.value)
            except ValueError as error:
                log.error("keys: %s cannot be read and is not valid: %s", change.key, error)
        self._keep(change.key, change.revision, record)

    def _keep(self, key_id: str, revision: int, record: KeyRecord | None) -> None:
        """Take a key's state, None for revoked, unless a later one is known."""
        if revision < self._revisions.get(key_id, 0):
            return
        self._revisions[key_id] = revision
        if record:
            self._records[key_id] = record
        else:
            self._records.pop(key_id, None)


@contextlib.contextmanager
def _told() -> Iterator[None]:
    """Turn what the client raises into what the port promises."""
    try:
        yield
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error
