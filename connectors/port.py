"""What every kind of connector looks like to the deliver lanes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, Protocol

from connectors.addresses import Network
from connectors.tlsfiles import TlsFiles
from crossdock.kernel.event import Event
from crossdock.kernel.tracing import NONE

Outcome = Literal["delivered", "retry", "throttled", "permanent", "in_doubt"]


class Heard(NamedTuple):
    """What a target answered, as far as it is kept of a failure: headers that matter, the beginning of the body."""

    status: int
    headers: Mapping[str, str]
    body: str


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attempt.

    `status` is the target's own (0 when it gave none); `detail` is text for people; `retry_after` is in seconds
    and set only when throttled. `in_doubt` says that it may have been applied: it was sent, and no answer came.
    `reply` is what the target answered as a new event, `heard` the answer itself where it was not delivered.
    `quotes` says of a delivered one that its detail has words of the answer or of the event; every other one may.
    """

    outcome: Outcome
    status: int
    detail: str
    retry_after: float = 0.0
    reply: Event | None = None
    heard: Heard | None = field(default=None, compare=False)
    quotes: bool = field(default=False, compare=False)


class Connector(Protocol):
    """One open destination; its failures are results, never exceptions."""

    async def deliver(self, event: Event, key: str, trace: Mapping[str, str] = NONE) -> Result:
        """Make one attempt; `key` is the same for every attempt and replay of this event on this route.

        `trace` is its context as headers, for targets that take such.
        """

    async def probe(self) -> Result:
        """Reach the target and prove who one is, without an effect; the detail says what is wrong."""

    async def close(self) -> None:
        """Let go of connections; attempts under way may fail."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What one poll brought, such as a file or a page of rows.

    `name` is for people; `items` are decoded values; `position` is where the next poll goes on, as text that is kept
    for it, empty where the origin itself knows; `faults` say which parts could not be read. `headers` are what the
    expressions of a source see as such, one mapping for each item, names in lower case, or none at all.
    """

    name: str
    items: Sequence[Any]
    position: str = ""
    faults: Sequence[str] = ()
    headers: Sequence[Mapping[str, str]] = ()


class Origin(Protocol):
    """One open origin that is polled; what is taken comes again until it is done."""

    async def take(self, position: str) -> Lot | None:
        """Claim what is next after a position, None for nothing.

        Raises:
            Unavailable: the origin cannot be reached.
        """

    async def done(self, lot: Lot) -> None:
        """Put away what is stored, so that it does not come again."""

    async def refuse(self, lot: Lot, why: str) -> None:
        """Put aside what cannot be taken, with the reason."""

    async def close(self) -> None:
        """Let go of connections; what was claimed comes again."""


class Fault(Exception):
    """A server outside did not do what was asked; `outcome` says what that means for a delivery."""

    def __init__(self, outcome: Outcome, detail: str) -> None:
        self.outcome = outcome
        self.detail = detail
        super().__init__(detail)


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server outside is and how to get to it; `timeout` is in seconds, no `tls` means in plain."""

    url: str = field(repr=False)
    networks: tuple[Network, ...] = ()
    tls: TlsFiles | None = None
    timeout: float = 15.0
    connections: int = 1


class Staging(NamedTuple):
    """A table that rows are put into; a row with the same `key` as another replaces it."""

    table: str
    columns: tuple[str, ...]
    key: tuple[str, ...]


class Marked(NamedTuple):
    """A row that was read, with its watermark as text that finds it again."""

    mark: str
    row: Mapping[str, Any]


class Database(Protocol):
    """One database outside; every method raises `Fault`."""

    async def put(self, staging: Staging, rows: Sequence[Sequence[Any]]) -> None:
        """Write all rows in one transaction."""

    async def read(self, query: str, watermark: str, start: str, most: int) -> list[Marked]:
        """Return the first rows of a query from a mark on, that one included, in the order of a column."""

    async def probe(self, staging: Staging | None, read: tuple[str, str] | None) -> str:
        """Reach it and plan what will be asked of it, a query and its watermark too; return what answered."""

    async def close(self) -> None:
        """Let go of connections."""


class Received(NamedTuple):
    """A message of a broker; `handle` acknowledges it."""

    subject: str
    headers: Mapping[str, str]
    body: bytes
    handle: Any


class Broker(Protocol):
    """One broker; every method raises `Fault`."""

    async def publish(self, subject: str, headers: Mapping[str, str], body: bytes, *, stored: bool) -> str:
        """Publish a message; with `stored` a stream has acknowledged it. Return what to say of it."""

    async def pull(self, stream: str, subject: str, durable: str, most: int) -> list[Received]:
        """Return what a durable consumer has next; it hands out again what is not acknowledged."""

    async def acknowledge(self, messages: Sequence[Received]) -> None:
        """Say that they are stored."""

    async def probe(self, subject: str, stream: str) -> str:
        """Reach it and find the stream, by its name or by what it takes, if one is given; return what answered."""

    async def close(self) -> None:
        """Let go of the connection."""


class Outside(Protocol):
    """What kinds need of the outside world, made by the composition root."""

    def database(self, address: Address) -> Database:
        """Return a database, which is dialled when it is first used."""

    def broker(self, address: Address, auth: Mapping[str, str]) -> Broker:
        """Return a broker, which is dialled when it is first used; without a URL that of the installation."""
