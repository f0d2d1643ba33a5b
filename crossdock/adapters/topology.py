"""The streams, consumers and buckets Crossdock stands on: declared here once, reconciled at start, watched after."""

from collections.abc import Iterable
from dataclasses import dataclass
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

from crossdock.kernel.problems import Unavailable
from crossdock.kernel.stream import EVENTS, RAW, STREAMS

PROCESS = "process"
KEYS, CONTROL, POSITIONS = "KEYS", "CONTROL", "POSITIONS"
REPEAT_WINDOW = 300.0  # seconds in which the broker itself drops an exact repeat
ACK_WAIT = 6.0  # seconds until the work of a dead worker goes to its successor
REDELIVERED = ACK_WAIT + 1  # seconds after which the broker has handed out again what got lost on the way
IN_FLIGHT = 12_000  # more than a lane holds


@dataclass(frozen=True, slots=True)
class Consumer:
    """A durable consumer as it should be; `begin` says whether a new one starts at the stream's beginning or now."""

    stream: str
    name: str
    subjects: tuple[str, ...]
    begin: bool = False


def route_consumer(route: str, types: Iterable[str]) -> Consumer:
    """Return the consumer of a route: its types, and what is replayed to it."""
    return Consumer(EVENTS, f"route-{route}", (*(f"event.{kind}" for kind in types), f"replay.{route}"))


PROCESS_CONSUMER = Consumer(RAW, PROCESS, ("raw.>",), begin=True)


class Topology:
    """Makes the broker's state equal to the declaration."""

    def __init__(self, client: Client, replicas: int, retention: dict[str, float]) -> None:
        self._jetstream = client.jetstream()
        self._replicas = replicas
        self._retention = retention

    async def streams(self) -> None:
        """Create or update all streams and buckets.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            for name, subjects in STREAMS.items():
                await self._stream(name, subjects)
            for bucket in (KEYS, CONTROL, POSITIONS):
                await self._bucket(bucket)
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}: {error}") from error

    async def consumer(self, wanted: Consumer) -> ConsumerInfo:
        """Create or update one consumer; one that was lost goes on after the last position known of it.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            try:
                info = await self._jetstream.consumer_info(wanted.stream, wanted.name)
                start = info.config.opt_start_seq
                policy, began = info.config.deliver_policy, _began(info, wanted)
            except NotFoundError:
                began = {}
                start, policy = await self._start(wanted), DeliverPolicy.BY_START_SEQUENCE
            config = ConsumerConfig(
                durable_name=wanted.name,
                deliver_policy=policy,
                opt_start_seq=start,
                filter_subjects=list(wanted.subjects),
                ack_policy=AckPolicy.EXPLICIT,
                ack_wait=ACK_WAIT,
                max_ack_pending=IN_FLIGHT,
                max_deliver=-1,
                metadata=began,
            )
            return await self._jetstream.add_consumer(wanted.stream, config)
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}: {error}") from error

    async def watch(self, wanted: Consumer) -> bool:
        """Note how far a consumer is, and make it again if it is gone; return whether it had to be made.

        Raises:
            Unavailable: the broker does not answer.
        """
        try:
            info = await self._jetstream.consumer_info(wanted.stream, wanted.name)
        except NotFoundError:
            await self.streams()
            await self.consumer(wanted)
            return True
        except (NatsError, OSError) as error:
            raise Unavailable(f"nats: {type(error).__name__}") from error
        floor = info.ack_floor.stream_seq if info.ack_floor else 0
        await self._note(wanted, floor)
        return False

    async def _note(self, wanted: Consumer, floor: int) -> None:
        try:
            positions = await self._jetstream.key_value(POSITIONS)
            await positions.put(f"{wanted.stream}.{wanted.name}", str(floor).encode())
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

    async def _stream(self, name: str, subjects: list[str]) -> None:
        wanted: dict[str, Any] = {
            "subjects": subjects,
            "retention": RetentionPolicy.LIMITS,
            "storage": StorageType.FILE,
            "num_replicas": self._replicas,
            "max_age": self._retention[name],
            "duplicate_window": REPEAT_WINDOW,
            "allow_direct": True,
            "allow_atomic": True,
        }
        try:
            present = (await self._jetstream.stream_info(name)).config
        except NotFoundError:
            await self._jetstream.add_stream(StreamConfig(name=name, **wanted))
            return
        if any(getattr(present, field) != value for field, value in wanted.items()):
            await self._jetstream.update_stream(present.evolve(**wanted))

    async def _bucket(self, name: str) -> None:
        try:
            await self._jetstream.key_value(name)
        except BucketNotFoundError:
            try:
                await self._jetstream.create_key_value(
                    KeyValueConfig(bucket=name, history=1, storage=StorageType.FILE, replicas=self._replicas)
                )
            except APIError:  # another process made it at the same moment
                await self._jetstream.key_value(name)


def _began(info: ConsumerInfo, wanted: Consumer) -> dict[str, str]:
    """Return from which sequence the consumer takes the subjects that were added to it later.

    The ledger needs it: what the consumer had passed before that is not missing.
    """
    kept = {name: seq for name, seq in (info.config.metadata or {}).items() if not name.startswith("_nats")}
    known = info.config.filter_subjects or [info.config.filter_subject or ">"]
    passed = info.delivered.stream_seq if info.delivered else 0
    return kept | {subject: str((passed or 0) + 1) for subject in wanted.subjects if subject not in known}
