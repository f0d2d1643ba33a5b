"""What the pipeline needs of the outside world, beside the streams of `crossdock.kernel.stream`."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from crossdock.kernel.stream import Inbox
from routes.spec import Route


class Claim(NamedTuple):
    """A wish to be the first with this dedupe key: `owner` is the RAW sequence, `ttl` whole seconds."""

    key: str
    owner: int
    digest: str
    ttl: int


class Owner(NamedTuple):
    """Who was first with a key: its RAW sequence and the digest of its content."""

    seq: int
    digest: str


class Seen(Protocol):
    """The dedupe store."""

    async def claim(self, claims: Sequence[Claim]) -> list[Owner]:
        """Return for each claim who owns its key now, in order; claims of one call see each other.

        Raises:
            Unavailable: the store does not answer; claims that were made all the same are found as its own by a repeat.
        """


class Backlogs(Protocol):
    """The own consumers of routes that have fallen behind the shared feed."""

    async def find(self, route: Route) -> Inbox | None:
        """Return the consumer of a route that fell behind before this process began."""

    async def open(self, route: Route, since: int) -> Inbox:
        """Make the consumer of a route, which begins at a sequence in EVENTS.

        Raises:
            Unavailable: the broker does not answer.
        """

    async def drop(self, route: Route, inbox: Inbox | None) -> None:
        """Remove it if there is one."""

    async def close(self, inbox: Inbox) -> None:
        """End the reading of one that stays."""
