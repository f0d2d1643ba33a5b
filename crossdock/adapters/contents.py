"""The content of an installation in a NATS bucket: the files of revisions in pieces, and what is in force."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Iterator
from datetime import datetime
from typing import Any

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import KeyNotFoundError, KeyWrongLastSequenceError, NoKeysError, NotFoundError

from crossdock import bundle as bundles
from crossdock import inforce
from crossdock.adapters.consumers import FEED, ROUTE, carried, consumers
from crossdock.adapters.topology import CONTENT
from crossdock.bundle import Bundle
from crossdock.inforce import InForce
from crossdock.kernel import jsontext
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import EVENTS

SUBJECT = "crossdock.content"
PIECE = 256 << 10  # bytes, well below what a broker takes
KEPT = 30  # revisions that are kept after they were in force
KEPT_PIECES = 256  # of these together
LOOK_EVERY = 2.0  # seconds after which a process looks by itself: what is told may not be heard
_FORCE, _REJECTED = "force", "rejected"


class NatsContents:
    """See `crossdock.inforce.Contents`; also what processes run, and what was rejected last."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._bucket: Any = None

    async def force(self) -> InForce | None:
        """See `Contents.force`."""
        with _told():
            found = await self._get(_FORCE)
        return inforce.read(jsontext.own_loads(found.value), found.revision) if found else None

    async def bundle(self, revision: str) -> Bundle | None:
        """See `Contents.bundle`."""
        with _told():
            head = await self._get(f"files.{revision}")
            pieces = [await self._get(f"files.{revision}.{number}") for number in range(int(head.value) if head else 0)]
        if head is None or None in pieces:
            return None
        return bundles.decode(b"".join(piece.value for piece in pieces))

    async def store(self, bundle: Bundle) -> None:
        """See `Contents.store`; the head comes last, so that files are there whole or not at all."""
        archive, revision = await asyncio.to_thread(bundle.encode), bundle.revision
        pieces = [archive[start : start + PIECE] for start in range(0, len(archive), PIECE)]
        with _told():
            bucket = await self._open()
            for number, piece in enumerate(pieces):
                await bucket.put(f"files.{revision}.{number}", piece)
            await bucket.put(f"files.{revision}", str(len(pieces)).encode())

    async def put_in_force(self, force: InForce) -> InForce | None:
        """See `Contents.put_in_force`; all processes are told."""
        with _told():
            bucket = await self._open()
            try:
                number = await bucket.update(_FORCE, jsontext.dumps(force.as_dict()), force.number)
            except KeyWrongLastSequenceError:
                return None
            await self._client.publish(SUBJECT, force.revision.encode())
        return inforce.read(force.as_dict(), number)

    async def forget(self, kept: Iterable[str]) -> None:
        """Remove the files of all other revisions but the last ones, by which dead letters may have failed."""
        with _told():
            bucket = await self._open()
            with contextlib.suppress(NoKeysError):
                keys = [key for key in await bucket.keys() if key.startswith("files.")]
                heads = [(await bucket.get(key), key.split(".")[1]) for key in keys if key.count(".") == 1]
                keep = {*kept, *_last(heads)}
                for key in keys:
                    if key.split(".")[1] not in keep:
                        await bucket.purge(key)

    async def say_runs(self, name: str, number: int) -> None:
        """Say that a process works by the record of this number now, to those who wait for that."""
        with _told():
            await (await self._open()).put(f"runs.{name}", str(number).encode())
            await self._client.publish(SUBJECT, b"")

    async def runs(self, name: str) -> int:
        """Return the number of the record by which a process said last that it works."""
        with _told():
            found = await self._get(f"runs.{name}")
        return int(found.value) if found else 0

    async def reject(self, document: Any) -> None:
        """Keep what was rejected last, and why."""
        with _told():
            await (await self._open()).put(_REJECTED, jsontext.dumps(document))

    async def rejected(self) -> Any:
        """Return what was rejected last, None for nothing."""
        with _told():
            found = await self._get(_REJECTED)
        return jsontext.own_loads(found.value) if found and found.value != b"null" else None

    async def changes(self) -> AsyncIterator[None]:
        """Yield when there may be something new, and every other second."""
        told = asyncio.Event()

        async def hear(_: Msg) -> None:
            told.set()

        await self._client.subscribe(SUBJECT, cb=hear)
        while True:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await told.wait()
            told.clear()
            yield

    async def newest(self) -> int:
        """Return the last sequence in EVENTS."""
        with _told():
            return int((await self._client.jetstream().stream_info(EVENTS)).state.last_seq)

    async def since(self, moment: datetime) -> int:
        """Return the sequence of the first event that was stored then or later."""
        config = ConsumerConfig(
            deliver_policy=DeliverPolicy.BY_START_TIME,
            opt_start_time=moment,
            ack_policy=AckPolicy.NONE,
            inactive_threshold=5,
            mem_storage=True,
        )
        with _told():
            jetstream = self._client.jetstream()
            info = await jetstream.add_consumer(EVENTS, config)
            await jetstream.delete_consumer(EVENTS, info.name)
        return ((info.delivered.stream_seq or 0) if info.delivered else 0) + 1

    async def carried(self) -> frozenset[str]:
        """Return the routes that feeds carry, of seats that nobody holds at the moment too."""
        with _told():
            feeds = [info for info in await consumers(self._client) if info.name.startswith(FEED)]
        return frozenset().union(*map(carried, feeds))

    async def waiting(self, route: str) -> int:
        """Return how many events wait for a route that is behind."""
        with _told():
            try:
                info = await self._client.jetstream().consumer_info(EVENTS, f"{ROUTE}{route}")
            except NotFoundError:
                return 0
            return (info.num_pending or 0) + (info.num_ack_pending or 0)

    async def _open(self) -> Any:
        if self._bucket is None:
            self._bucket = await self._client.jetstream().key_value(CONTENT)
        return self._bucket

    async def _get(self, key: str) -> Any:
        with contextlib.suppress(KeyNotFoundError):
            return await (await self._open()).get(key)
        return None


def _last(heads: Iterable[tuple[Any, str]]) -> Iterator[str]:
    """Yield the revisions that were stored last, of which a head says how many pieces they have."""
    pieces = 0
    for head, revision in sorted(heads, key=lambda one: one[0].revision, reverse=True)[:KEPT]:
        pieces += int(head.value)
        if pieces > KEPT_PIECES:
            return
        yield revision


@contextlib.contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (NatsError, OSError) as error:
        raise Unavailable(f"nats: {type(error).__name__}") from error
