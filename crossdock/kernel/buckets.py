"""What all gateways together may still let in: shared token buckets."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol


class Spend(NamedTuple):
    """Tokens taken out of a bucket which holds `most` and gains `rate` a second; with a rate of 0 it lasts two days."""

    bucket: str
    rate: float
    most: int
    tokens: int


class Buckets(Protocol):
    """The shared token buckets; one that nobody has spent from is full."""

    async def spend(self, spends: Sequence[Spend]) -> list[float]:
        """Refill each bucket, take the tokens out and return what is left in it, below 0 when it owes some.

        Raises:
            Unavailable: the store does not answer; whether the tokens were taken out is not known.
        """
