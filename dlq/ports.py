"""What dead letters, problems and plans need of the outside world."""

from typing import Protocol

from dlq.record import DeadLetter


class Letters(Protocol):
    """The stored dead letters."""

    async def get(self, seq: int) -> DeadLetter | None:
        """Return the dead letter stored under a sequence of DLQ, or None when it is gone."""


class Records(Protocol):
    """Small documents by name, each replaced only by who has seen it.

    Every method raises Unavailable when the store does not answer; a record may be stored all the same.
    """

    async def all(self, under: str = "") -> dict[str, tuple[bytes, int]]:
        """Return all records with their versions, or those whose names begin with a word and a dot."""

    async def get(self, name: str) -> tuple[bytes, int] | None:
        """Return a record with its version, None when there is none."""

    async def put(self, name: str, stored: bytes, version: int) -> int | None:
        """Store a record in the place of a version, 0 for none, and return its own; None when another one is there."""

    async def remove(self, name: str) -> None:
        """Take a record away, whatever its version; one that is not there is no error."""
