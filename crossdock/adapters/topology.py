"""The streams, consumers and buckets Crossdock stands on: declared here once, reconciled at start, watched after."""

import contextlib
import time
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from nats.aio.client import Client
from nats.errors import Error as NatsError
from nats.js.api import (
    AckPolicy,
    ConsumerConfig,
    ConsumerInfo,
    DeliverPolicy,
    KeyValueConfig,
    RetentionPolicy,
    StorageType,
    StreamConfig,
)
from nats.js.errors import APIError, BucketNotFoundError, KeyNotFoundError, NotFoundError

from crossdock.adapters import claims
from crossdock.adapters.consumers import FEED, Consumer, consumers, filters
from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import DLQ, EVENTS, JOURNAL, STREAMS

KEYS, CONTROL, POSITIONS, CONTENT = "KEYS", "CONTROL", "POSITIONS", "CONTENT"
LOOKUPS, PARKED, ARRIVED = "LOOKUPS", "PARKED", "ARRIVED"
PROBLEMS, PLANS, DRIFT = "PROBLEMS", "PLANS", "DRIFT"
ACCESS, SESSIONS, APPROVALS = "ACCESS", "SESSIONS", "APPROVALS"
ALERTS, UNREADABLE = "ALERTS", "UNREADABLE"
BUCKETS = (
    KEYS, CONTROL, POSITIONS, CONTENT, LOOKUPS, PARKED, ARRIVED, PROBLEMS, PLANS,
    DRIFT, ACCESS, SESSIONS, ALERTS, APPROVALS, UNREADABLE,
)  # fmt: skip
# the bucket forgets when the stream does
_AS_LONG_AS = {ARRIVED: EVENTS, PLANS: DLQ, APPROVALS: DLQ, UNREADABLE: JOURNAL}
_UNUSED = {SESSIONS: 7 * 86_400.0}  # seconds after which the bucket forgets what was not written again
CONTROL_SUBJECT = "crossdock.control"
REPEAT_WINDOW = 300.0  # seconds in which the broker itself drops an exact repeat
ACK_WAIT = 6.0  # seconds until the work of a dead worker goes to its successor
REDELIVERED = ACK_WAIT + 1  # seconds after which the broker has handed out again what got lost on the way
IN_FLIGHT = 12_000  # more than a lane holds
NOTE_AGAIN = 60.0  # seconds until an unchanged position is written again, which costs the disk; the bucket may be new


class Topology:
    """Makes the broker's state equal to the declaration."""

    def __init__(self, client: Client, replicas: int, retention: dict[str, float]) -> None:
        self._client = client
        self._jetstream = client.jetstream()
        self._replicas = replicas
        self._retention = retention
        self._noted: dict[str, tuple[int, float]] = {}

    async def streams(self) -> None:
        """Create or update all streams and buckets.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            for name, subjects in STREAMS.items():
                await self._stream(name, subjects, self._retention[name])
            keep = max(self._retention.values()) + claims.MARGIN  # a body may be named in any stream
            await self._stream(claims.STREAM, claims.SUBJECTS, keep, allow_rollup_hdrs=True)
            for bucket in BUCKETS:
                kept = self._retention[_AS_LONG_AS[bucket]] if bucket in _AS_LONG_AS else _UNUSED.get(bucket, 0)
                await self._bucket(bucket, kept)
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}: {error}") from error

    @property
    def retention(self) -> Mapping[str, float]:
        """How many seconds each stream keeps what it is given."""
        return self._retention

    async def consumer(
        self, wanted: Consumer, start: int | None = None, begins: Mapping[str, int] = MappingProxyType({})
    ) -> ConsumerInfo:
        """Create or update one consumer; a new one begins at `start`, one that was lost after the last known position.

        `begins` says from where on it is sure to bring a subject, for the ledger.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            try:
                info = await self._jetstream.consumer_info(wanted.stream, wanted.name)
                begin = info.config.opt_start_seq
                policy, began = info.config.deliver_policy, _began(info, wanted)
            except NotFoundError:
                begin, began = start or await self._start(wanted), {}
                policy = DeliverPolicy.BY_START_SEQUENCE
                await self._note(wanted, begin - 1)  # it may be gone again before it is watched
            config = ConsumerConfig(
                durable_name=wanted.name,
                deliver_policy=policy,
                opt_start_seq=begin,
                filter_subjects=list(wanted.subjects),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT,
                max_ack_pending=IN_FLIGHT,
                max_deliver=-1,
                metadata=began | {subject: str(seq) for subject, seq in begins.items()},
            )
            return await self._jetstream.add_consumer(wanted.stream, config)
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}: {error}") from error

    async def feeds(self, wanted: Sequence[Consumer]) -> None:
        """Make the shared consumers that are missing; they begin where the last of those before is.

        What is there stays as it is: its worker knows which routes it carries, and changes that.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            present = await consumers(self._client)
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}: {error}") from error
        names = {consumer.name for consumer in wanted}
        old = [info for info in present if info.name.startswith(FEED) and info.name not in names]
        there = {info.name for info in present}
        for consumer in (consumer for consumer in wanted if consumer.name not in there):
            before = [info for info in old if set(filters(info)) & set(consumer.subjects)]
            floors = [(info.ack_floor.stream_seq or 0) if info.ack_floor else 0 for info in before]
            await self.consumer(consumer, min(floors) + 1 if floors else None)
        for info in old:
            await self.drop(Consumer(EVENTS, info.name, ()))

    async def drop(self, consumer: Consumer) -> None:
        """Remove a consumer, and what is known of its position.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            with contextlib.suppress(NotFoundError):
                await self._jetstream.delete_consumer(consumer.stream, consumer.name)
            positions = await self._jetstream.key_value(POSITIONS)
            await positions.delete(f"{consumer.stream}.{consumer.name}")
            self._noted.pop(consumer.name, None)
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def exists(self, consumer: Consumer) -> bool:
        """Tell whether there is such a consumer.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            await self._jetstream.consumer_info(consumer.stream, consumer.name)
        except NotFoundError:
            return False
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        return True

    async def watch(self, wanted: Consumer, needed: Callable[[], bool] = lambda: True) -> bool:
        """Note how far a consumer is, and make it again if it is gone and still needed; return whether that was done.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            info = await self._jetstream.consumer_info(wanted.stream, wanted.name)
        except NotFoundError:
            if not needed():
                return False
            await self.streams()
            await self.consumer(wanted)
            return True
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        noted, at = self._noted.get(wanted.name, (-1, 0.0))
        if floor != noted or time.monotonic() > at + NOTE_AGAIN:
            await self._note(wanted, floor)
        return False

    async def _note(self, wanted: Consumer, floor: int) -> None:
        try:
            positions = await self._jetstream.key_value(POSITIONS)
            await positions.put(f"{wanted.stream}.{wanted.name}", str(floor).encode())
            self._noted[wanted.name] = floor, time.monotonic()
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error

    async def _start(self, wanted: Consumer) -> int:
        try:
            positions = await self._jetstream.key_value(POSITIONS)
            entry = await positions.get(f"{wanted.stream}.{wanted.name}")
            return int(entry.value or 0) + 1
        except (KeyNotFoundError, BucketNotFoundError):
            pass
        if wanted.begin:
            return 1
        return (await self._jetstream.stream_info(wanted.stream)).state.last_seq + 1

    async def _stream(self, name: str, subjects: list[str], keep: float, **more: Any) -> None:
        wanted: dict[str, Any] = {
            "subjects": subjects,
            "retention": RetentionPolicy.LIMITS,
            "storage": StorageType.FILE,
            "num_replicas": self._replicas,
            "max_age": keep,
            "duplicate_window": REPEAT_WINDOW,
            "allow_direct": True,
            "allow_atomic": True,
            **more,
        }
        try:
            present = (await self._jetstream.stream_info(name)).config
        except NotFoundError:
            await self._jetstream.add_stream(StreamConfig(name=name, **wanted))
            return
        if any(getattr(present, field) != value for field, value in wanted.items()):
            await self._jetstream.update_stream(present.evolve(**wanted))

    async def _bucket(self, name: str, keep: float = 0) -> None:
        try:
            await self._jetstream.key_value(name)
        except BucketNotFoundError:
            try:
                await self._jetstream.create_key_value(
                    KeyValueConfig(bucket=name, history=1, ttl=keep, storage=StorageType.FILE, replicas=self._replicas)
                )
            except APIError:  # another process made it at the same moment
                await self._jetstream.key_value(name)


def _began(info: ConsumerInfo, wanted: Consumer) -> dict[str, str]:
    """Return from which sequence the consumer takes the subjects that were added to it later.

    The ledger needs it: what the consumer had passed before that is not missing.
    """
    kept = {name: seq for name, seq in (info.config.metadata or {}).items() if not name.startswith("_nats")}
    known = filters(info)
    passed = info.delivered.stream_seq if info.delivered else 0
    return kept | {subject: str((passed or 0) + 1) for subject in wanted.subjects if subject not in known}
