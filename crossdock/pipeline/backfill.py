"""What a backfill is: past events that go through one route again; and what running it needs of the outside world."""

from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Literal, Protocol

from crossdock.kernel.stream import Message
from routes.spec import Route

LOT = 500  # events read, and replays stored, together

State = Literal["planned", "running", "done", "stopped"]


@dataclass(frozen=True, slots=True)
class Backfill:
    """One backfill of a route: the sequences in EVENTS from `first` to `last`, of which `total` match.

    Everything up to `done` was looked at, and `sent` of it sent. `begun` is Unix milliseconds; `version` is that of
    its record in the store, 0 for none.
    """

    id: str
    route: str
    first: int
    last: int
    total: int
    begun: int
    done: int
    sent: int = 0
    state: State = "planned"
    version: int = field(default=0, compare=False)

    def as_dict(self) -> dict[str, Any]:
        """Return what people and scripts are told."""
        return {name: value for name, value in asdict(self).items() if name != "version"}


class Backfills(Protocol):
    """The store of the last backfill of each route."""

    async def get(self, route: str) -> Backfill | None:
        """Return the last backfill of a route.

        Raises:
            Unavailable: the store does not answer.
        """

    async def put(self, backfill: Backfill) -> Backfill | None:
        """Store it in the place of its version; None when another one is there.

        Raises:
            Unavailable: the store does not answer; it may be stored all the same.
        """


class Past(Protocol):
    """What is kept of EVENTS."""

    async def page(self, route: Route, after: int, last: int) -> list[Message]:
        """Return some events of the types of a route after a sequence, oldest first; none when `last` is reached.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def unread(self, route: Route) -> int:
        """Return how many messages the route has not read.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def since(self, moment: datetime) -> int:
        """Return the sequence from which everything was stored at a moment or later.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def newest(self) -> int:
        """Return the last sequence.

        Raises:
            Unavailable: the broker does not answer.
        """
