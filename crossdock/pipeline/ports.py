"""What the pipeline needs of the outside world, beside the streams of `crossdock.kernel.stream`."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Claim:
    """A wish to be the first with this dedupe key: `owner` is the RAW sequence, `ttl` whole seconds."""

    key: str
    owner: int
    digest: str
    ttl: int


@dataclass(frozen=True, slots=True)
class Owner:
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
