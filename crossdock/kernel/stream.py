"""The broker as the pipeline sees it: streams to append to and inboxes to pull from.

The values are named tuples, as one of each is made for every event: a frozen dataclass takes four times as long.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Protocol

from crossdock.kernel.problems import Refused, refuse

RAW = "RAW"
EVENTS = "EVENTS"
DLQ = "DLQ"
JOURNAL = "JOURNAL"
STREAMS = {RAW: ["raw.>"], EVENTS: ["event.>", "replay.>"], DLQ: ["dlq.>"], JOURNAL: ["journal.>"]}

# Headers of ours on stored messages.
ORIGIN = "Crossdock-Origin"  # sequence of the first message of which this one is a replay
DEAD_LETTER = "Crossdock-Dead-Letter"  # id of the dead letter that a replay should bring home
BACKFILL = "Crossdock-Backfill"  # id of the backfill that a replay is part of
AGAIN = "Crossdock-Again"  # on a replay of a raw event that went through before: see `crossdock.pipeline.again`
ACT = "Crossdock-Act"  # name of the plan, edit or act of a person that sent a replay, by which it knows its own
EDIT = "Crossdock-Edit"  # id of the edit that a replay, and what failed of it, carries
VERSION = "Crossdock-Version"  # schema version the gateway checked a raw event against
DIGEST = "Crossdock-Digest"  # of what a raw event says, as `content_digest` gives it
QUARANTINED = "Crossdock-Quarantined"  # on a raw event that broke its schema and may not go on before it fits
UNREADABLE = "Crossdock-Unreadable"  # why a quarantined raw event stands for what no event could be made of
DEDUPE = "Crossdock-Dedupe"  # what a source's own expression says a raw event is known by, percent-encoded
EVENT_ID = "Crossdock-Id"  # id of a raw event, percent-encoded
SOURCE = "Crossdock-Source"  # source a canonical event came from
RAW_SEQ = "Crossdock-Raw"  # sequence in RAW a canonical event came from
CLAIM = "Crossdock-Claim"  # SHA-256 and size of a body that was too large for the message and is kept beside it


class Record(NamedTuple):
    """A message to append; `key` makes a second append within the stream's window a repeat."""

    subject: str
    payload: bytes
    key: str
    headers: Mapping[str, str] = MappingProxyType({})


class Stored(NamedTuple):
    """The broker's acknowledgement: the sequence, and whether the message was a repeat of it."""

    seq: int
    duplicate: bool = False


class Message(NamedTuple):
    """A stored message as handed to a consumer; `deliveries` counts from 1, `time` is Unix seconds."""

    seq: int
    subject: str
    payload: bytes
    headers: Mapping[str, str]
    deliveries: int
    time: float
    handle: Any = None

    @property
    def origin(self) -> int:
        """The sequence this message stands for: its own, or that of the message it replays."""
        return int(self.headers.get(ORIGIN, self.seq))


def lost(message: Message) -> Refused | None:
    """Return why a message cannot be read whose large body is gone or damaged: only then its claim is still there."""
    if CLAIM not in message.headers:
        return None
    hint = "it was past its retention or was damaged on disk; when it is back, replay"
    return refuse("body_lost", message.payload.decode("utf-8", "replace")[:200] + ", which cannot be read", hint)


class Lag(NamedTuple):
    """How many messages are waiting for a consumer or in its hands; routes that share one share its lag."""

    consumer: str
    waiting: int


class Log(Protocol):
    """A durable, append-only stream."""

    async def append(self, record: Record) -> Stored:
        """Store one record and return after the broker's acknowledgement.

        Raises:
            Unavailable: when it was not acknowledged; it may be stored all the same.
        """

    async def append_all(self, records: Sequence[Record]) -> list[Stored]:
        """Store records in their order; all or an exception, see `append`."""


class Inbox(Protocol):
    """A durable pull consumer."""

    async def fetch(self, limit: int, wait: float) -> list[Message]:
        """Return up to `limit` messages as soon as there is one, or none after `wait` seconds."""

    async def drained(self, in_hand: int) -> bool:
        """Tell whether everything that was stored by now was fetched, and no more than `in_hand` is unacknowledged.

        More than that is in the hands of a predecessor that was killed, and will be handed out again.
        """

    async def floor(self) -> int:
        """Return the sequence up to which everything was acknowledged; what is after it may be handed out again."""

    async def done(self, seq: int, in_hand: Collection[int]) -> bool:
        """Tell whether everything up to a sequence was acknowledged; `in_hand` is what was fetched here and is not."""

    def ack(self, messages: Iterable[Message]) -> None:
        """Tell the broker that these are done; one that it does not hear comes again."""

    def extend(self, messages: Iterable[Message]) -> None:
        """Tell the broker that these are still being worked on."""
