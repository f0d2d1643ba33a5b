"""What every kind of connector looks like to the deliver lanes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from crossdock.kernel.event import Event

Outcome = Literal["delivered", "retry", "throttled", "permanent", "in_doubt"]


@dataclass(frozen=True, slots=True)
class Result:
    """What came of one attempt.

    `status` is the target's own (0 when it gave none); `detail` is text for people; `retry_after` is in seconds
    and set only when throttled. `in_doubt` says that it may have been applied: it was sent, and no answer came.
    `reply` is what the target answered as a new event.
    """

    outcome: Outcome
    status: int
    detail: str
    retry_after: float = 0.0
    reply: Event | None = None


class Connector(Protocol):
    """One open destination; its failures are results, never exceptions."""

    async def deliver(self, event: Event, key: str) -> Result:
        """Make one attempt; `key` is the same for every attempt and replay of this event on this route."""

    async def probe(self) -> Result:
        """Reach the target and prove who one is, without an effect; the detail says what is wrong."""

    async def close(self) -> None:
        """Let go of connections; attempts under way may fail."""


@dataclass(frozen=True, slots=True)
class Lot:
    """What one poll brought, such as a file or a page of rows.

    `name` is for people; `items` are decoded values; `position` is where the next poll goes on, as text that is kept
    for it, empty where the origin itself knows; `faults` say which parts could not be read.
    """

    name: str
    items: Sequence[Any]
    position: str = ""
    faults: Sequence[str] = ()


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


class Outside(Protocol):
    """What kinds need of the outside world, made by the composition root."""
